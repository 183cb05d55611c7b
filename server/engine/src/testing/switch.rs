//! How a simulated migration ends: the VM pauses here and goes on there.

use model::{ControlFlow, HostName, VmState};
use tokio::time::sleep;

use super::{
    Driver, Fault, Sim,
    precopy::{Outcome, STEP, hypervisor},
};
use crate::{
    clock::millis,
    hypervisor::{CopyFacts, HostEvent, MigrationPlan, StateReason, Statistics},
};

/// The source pauses, the destination goes on, the source forgets.
pub(super) async fn switch_over(
    sim: &Sim,
    source: &HostName,
    plan: &MigrationPlan,
    driver: &Driver,
    fault: Option<&Fault>,
) -> Outcome {
    let moving = {
        let mut world = sim.world();
        let host = world.host(source);
        let mut moving = host.copies.get(&plan.vm).cloned().ok_or_else(|| hypervisor("no such domain"))?;
        if host.jobs.get(&plan.vm).is_some_and(|job| job.tuned.guest_paused) {
            // It was paused for the migration only.
            (moving.state, moving.reason) = (VmState::Running, StateReason::Other);
        }
        host.change(plan.vm, pause);
        moving
    };
    sleep(STEP).await;
    if let Some(Fault::BrokenSwitch(left)) = fault {
        break_off(sim, source, plan, moving, left);
        return Err(hypervisor("internal error: client socket is closed"));
    }
    still_driven(sim, source, plan, driver)?;
    arrive(sim, source, plan, moving)?;
    if let Some(Fault::EndsThere(reason)) = fault {
        let end = |copy: &mut CopyFacts| (copy.state, copy.reason) = (VmState::ShutOff, *reason);
        sim.world().host(&plan.destination.name).change(plan.vm, end);
    }
    if plan.control_flow == ControlFlow::Direct {
        // The driver hears of it, and tells the source.
        sleep(STEP).await;
        still_driven(sim, source, plan, driver)?;
    }
    leave(sim, source, plan, fault)
}

/// The source stops its copy, and waits for the destination's word. One that a user has paused stays as it is.
fn pause(copy: &mut CopyFacts) {
    if copy.state == VmState::Running {
        (copy.outgoing, copy.state, copy.reason) = (true, VmState::Paused, StateReason::Migration);
    }
}

/// The migration came to nothing: the source lets its copy go on.
fn go_on(copy: &mut CopyFacts) {
    if copy.outgoing {
        (copy.outgoing, copy.state, copy.reason) = (false, VmState::Running, StateReason::MigrationCanceled);
    }
}

/// What both hosts do if it is gone by now.
fn still_driven(sim: &Sim, source: &HostName, plan: &MigrationPlan, driver: &Driver) -> Outcome {
    if driver.is_gone() {
        sim.world().abandon(source, plan);
        return Err(hypervisor("its driver is gone"));
    }
    Ok(())
}

/// The destination keeps the definition and lets the VM run, as libvirt's Finish does.
fn arrive(sim: &Sim, source: &HostName, plan: &MigrationPlan, moving: CopyFacts) -> Outcome {
    let mut world = sim.world();
    let statistics = world.host(source).jobs.get(&plan.vm).map(|job| job.statistics).unwrap_or_default();
    let sleeps = world.host(source).asleep.contains(&plan.vm);
    let destination = world.host(&plan.destination.name);
    if !destination.up {
        world.host(source).change(plan.vm, go_on);
        return Err(hypervisor("Lost connection to destination host"));
    }
    // What sleeps is taken for running, too.
    let runs = matches!(moving.state, VmState::Running | VmState::Suspended);
    let (state, reason) = if runs { (VmState::Running, StateReason::Migrated) } else { (moving.state, moving.reason) };
    if sleeps {
        destination.asleep.insert(plan.vm);
    }
    let name = plan.new_name.clone().unwrap_or_else(|| moving.name.clone());
    let arrived = CopyFacts { name, state, reason, persistent: plan.persist_destination, ..moving };
    destination.copies.insert(plan.vm, arrived);
    destination.completed.insert(plan.vm, Statistics { downtime_ms: Some(millis(STEP)), ..statistics });
    destination.tell(&HostEvent::Changed(plan.vm));
    world.storage.arrived(plan.vm, &plan.disks);
    Ok(())
}

/// The destination's daemon dies, and the hosts are left with these copies.
fn break_off(
    sim: &Sim,
    source: &HostName,
    plan: &MigrationPlan,
    moving: CopyFacts,
    left: &[Option<(VmState, StateReason)>; 2],
) {
    let mut world = sim.world();
    let destination = &plan.destination.name;
    world.host(destination).kill();
    for (host, left) in [source, destination].into_iter().zip(left) {
        let host = world.host(host);
        host.copies.remove(&plan.vm);
        if let Some((state, reason)) = *left {
            let abandoned = (state, reason) == (VmState::Paused, StateReason::Migration);
            host.copies.insert(plan.vm, CopyFacts { state, reason, abandoned, ..moving.clone() });
        }
        host.tell(&HostEvent::Changed(plan.vm));
    }
}

/// The source drops its copy, as libvirt's Confirm does.
pub(super) fn leave(sim: &Sim, source: &HostName, plan: &MigrationPlan, fault: Option<&Fault>) -> Outcome {
    let mut world = sim.world();
    let host = world.host(source);
    host.asleep.remove(&plan.vm);
    if matches!(fault, Some(Fault::RunsTwice)) {
        host.change(plan.vm, go_on);
        return Err(hypervisor("internal error"));
    }
    if plan.undefine_source {
        host.copies.remove(&plan.vm);
        host.autostarted.remove(&plan.vm);
        host.tell(&HostEvent::Changed(plan.vm));
    } else {
        host.change(plan.vm, |copy| {
            (copy.outgoing, copy.state, copy.reason) = (false, VmState::ShutOff, StateReason::Migrated);
        });
    }
    Ok(())
}
