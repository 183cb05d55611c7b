//! Post-copy of a simulated migration that breaks off, and its recovery.

use model::{HostName, VmState};
use tokio::{sync::oneshot, time::sleep};

use super::{
    Fault, Sim,
    precopy::{Outcome, STEP, hypervisor},
    switch::leave,
};
use crate::{
    clock::millis,
    hypervisor::{HostError, HostErrorKind, MigrationPlan, StateReason, Statistics},
};

/// Leaves both hosts with a part of the VM, and the source with its job; libvirt's words.
pub(super) fn break_off(sim: &Sim, source: &HostName, plan: &MigrationPlan) -> HostError {
    let mut world = sim.world();
    let failed = StateReason::PostCopyFailed;
    let moving = world.host(source).copies.get(&plan.vm).cloned();
    world.host(source).change(plan.vm, |copy| {
        (copy.state, copy.reason, copy.outgoing) = (VmState::Paused, failed, false);
    });
    world.host(&plan.destination.name).change(plan.vm, |copy| {
        // Until its memory is complete an arriving copy does not have what the definition says of it.
        if let Some(moving) = moving.filter(|_| copy.incoming) {
            *copy = crate::hypervisor::CopyFacts { incoming: false, persistent: false, ..moving };
        }
        (copy.state, copy.reason) = (VmState::Running, failed);
    });
    hypervisor("operation failed: job 'migration in' failed in post-copy phase")
}

/// Whether the host has a part of a VM whose post-copy broke off.
pub(super) fn is_half(sim: &Sim, host: &HostName, plan: &MigrationPlan) -> bool {
    let mut world = sim.world();
    let copy = world.host(host).copies.get(&plan.vm);
    copy.is_some_and(|copy| copy.state.is_active() && copy.reason == StateReason::PostCopyFailed)
}

/// Lets the rest of the memory follow, and tells the caller if it is still there.
pub(super) async fn recover(sim: Sim, source: HostName, plan: MigrationPlan, caller: oneshot::Sender<Outcome>) {
    let outcome = attempt(&sim, &source, &plan).await;
    // The caller may be a console that died.
    let _ = caller.send(outcome);
}

async fn attempt(sim: &Sim, source: &HostName, plan: &MigrationPlan) -> Outcome {
    let destination = &plan.destination.name;
    if !(is_half(sim, source, plan) && is_half(sim, destination, plan)) {
        let words = "domain is not being migrated (simulated)";
        return Err(HostError::new(HostErrorKind::WrongState, words));
    }
    let fault = sim.take_fault(plan.vm);
    match &fault {
        Some(Fault::Refused(words)) => return Err(hypervisor(words)),
        Some(Fault::RecoveryHangs) => return std::future::pending().await,
        _ => {}
    }
    let lives = begin(sim, source, plan);
    send_rest(sim, source, plan, fault.as_ref(), lives).await?;
    sim.world().host(source).jobs.remove(&plan.vm);
    sim.world().host(destination).change(plan.vm, |copy| {
        (copy.reason, copy.persistent) = (StateReason::Migrated, plan.persist_destination);
    });
    leave(sim, source, plan, None)
}

/// QEMU has begun to recover it: both hosts say so. Returns the lives of their daemons.
fn begin(sim: &Sim, source: &HostName, plan: &MigrationPlan) -> [u32; 2] {
    let mut world = sim.world();
    let memory = world.loads[&plan.vm].memory_bytes;
    let job = world.host(source).jobs.entry(plan.vm).or_default();
    job.tuned.bandwidth = plan.bandwidth_mib_s.map(|mib_s| u64::from(mib_s) << 20);
    if job.statistics.data_remaining == 0 {
        job.statistics =
            Statistics { data_total: memory, memory_total: memory, data_remaining: memory / 2, ..job.statistics };
    }
    [source, &plan.destination.name].map(|name| {
        let host = world.host(name);
        host.change(plan.vm, |copy| copy.reason = StateReason::PostCopy);
        host.life
    })
}

async fn send_rest(
    sim: &Sim,
    source: &HostName,
    plan: &MigrationPlan,
    fault: Option<&Fault>,
    lives: [u32; 2],
) -> Outcome {
    let mut began_with = None;
    loop {
        sleep(STEP).await;
        let remaining = {
            let mut world = sim.world();
            let now = [source, &plan.destination.name].map(|name| world.host(name).life);
            let job = world.host(source).jobs.get_mut(&plan.vm).filter(|_| now == lives);
            job.map(|job| {
                let sent = job.tuned.bandwidth.unwrap_or(1 << 30) * millis(STEP) / 1000;
                let figures = &mut job.statistics;
                let sent = sent.min(figures.data_remaining);
                began_with.get_or_insert(figures.data_remaining);
                figures.data_remaining -= sent;
                figures.memory_remaining = figures.data_remaining;
                figures.data_processed += sent;
                figures.elapsed_ms += millis(STEP);
                figures.data_remaining
            })
        };
        let breaks = matches!(fault, Some(Fault::PostCopyBreaks));
        match remaining {
            None => return Err(break_off(sim, source, plan)),
            Some(left) if breaks && began_with.is_some_and(|began_with| left * 2 <= began_with) => {
                return Err(break_off(sim, source, plan));
            }
            Some(0) => return Ok(()),
            Some(_) => {}
        }
    }
}
