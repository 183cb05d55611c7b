//! A pre-copy migration as a model: passes over the memory, each as long as what was written during the one before.

use std::time::Duration;

use model::{Code, HostName, Mode, Problem, VmState};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use super::{Fault, Sim, host::Job, unreachable};
use crate::{CopyFacts, HostEvent, MigrationPlan, Statistics, clock::millis};

/// One step of the model.
const STEP: Duration = Duration::from_millis(50);
/// QEMU's default limit of the pause, in ms.
const DOWNTIME_LIMIT_MS: u64 = 300;
const MIB: u64 = 1 << 20;

type Outcome = Result<(), Problem>;

/// Runs a migration between two simulated hosts, and tells the caller if it is still there.
pub(super) async fn run(sim: Sim, source: HostName, plan: MigrationPlan, caller: oneshot::Sender<Outcome>) {
    let fault = sim.world().faults.remove(&plan.vm);
    let outcome = attempt(&sim, &source, &plan, fault.as_ref()).await;
    sim.world().host(&source).jobs.remove(&plan.vm);
    let told = match fault {
        Some(Fault::ResultLost) => Err(unreachable(&source)),
        _ => outcome,
    };
    // The caller may be a console that died.
    let _ = caller.send(told);
}

async fn attempt(sim: &Sim, source: &HostName, plan: &MigrationPlan, fault: Option<&Fault>) -> Outcome {
    match fault {
        Some(Fault::Refused(words)) => return Err(hypervisor(words)),
        Some(Fault::FalseSuccess) => return Ok(()),
        _ => {}
    }
    prepare(sim, source, plan)?;
    if plan.mode == Mode::Live
        && let Err(problem) = copy_memory(sim, source, plan, fault).await
    {
        let mut world = sim.world();
        world.host(&plan.destination.name).copies.retain(|vm, copy| *vm != plan.vm || !copy.incoming);
        world.host(&plan.destination.name).tell(&HostEvent::Changed(plan.vm));
        return Err(problem);
    }
    switch_over(sim, source, plan, fault).await
}

/// The destination makes room, as libvirt's Prepare does.
fn prepare(sim: &Sim, source: &HostName, plan: &MigrationPlan) -> Outcome {
    let mut world = sim.world();
    let copy = world.host(source).copies.get(&plan.vm).cloned().ok_or_else(|| hypervisor("no such domain"))?;
    let destination = world.host(&plan.destination.name);
    if !destination.up {
        return Err(hypervisor("unable to connect to server: Connection refused"));
    }
    if destination.copies.get(&plan.vm).is_some_and(|copy| copy.state.is_active()) {
        return Err(hypervisor("domain is already active"));
    }
    if plan.mode == Mode::Live {
        destination.copies.insert(plan.vm, CopyFacts { incoming: true, state: VmState::Paused, ..copy });
        destination.tell(&HostEvent::Changed(plan.vm));
    }
    world.host(source).jobs.insert(plan.vm, Job::default());
    Ok(())
}

async fn copy_memory(sim: &Sim, source: &HostName, plan: &MigrationPlan, fault: Option<&Fault>) -> Outcome {
    let load = sim.world().loads[&plan.vm];
    let bandwidth = u64::from(plan.bandwidth_mib_s.unwrap_or(1024)) * MIB;
    let life = |sim: &Sim, name: &HostName| {
        let mut world = sim.world();
        let host = world.host(name);
        (host.up, host.life)
    };
    let alive = (life(sim, source), life(sim, &plan.destination.name));
    let (begun, mut pass_begun) = (Instant::now(), Instant::now());
    let (mut remaining, mut processed, mut pass) = (load.memory_bytes, 0, 1);
    loop {
        sleep(STEP).await;
        if (life(sim, source), life(sim, &plan.destination.name)) != alive {
            return Err(hypervisor("Lost connection to destination host"));
        }
        let sent = (bandwidth * millis(STEP) / 1000).min(remaining);
        (remaining, processed) = (remaining - sent, processed + sent);
        let fits_the_pause = |remaining: u64| remaining * 1000 <= bandwidth * DOWNTIME_LIMIT_MS;
        // As QEMU does: when the remainder would fit, it looks what was written meanwhile, and begins another pass.
        let pass_ends = fits_the_pause(remaining);
        if pass_ends {
            let written = load.dirty_bytes_s * millis(pass_begun.elapsed()) / 1000;
            remaining = (remaining + written).min(load.memory_bytes);
            (pass, pass_begun) = (pass + 1, Instant::now());
        }
        let statistics = Statistics {
            elapsed_ms: millis(begun.elapsed()),
            data_total: load.memory_bytes,
            data_processed: processed,
            data_remaining: remaining,
            memory_total: load.memory_bytes,
            memory_processed: processed,
            memory_remaining: remaining,
            memory_bytes_s: bandwidth,
            dirty_pages_s: if pass > 1 { load.dirty_bytes_s / 4096 } else { 0 },
            page_bytes: 4096,
            memory_pass: pass,
            downtime_ms: Some(remaining * 1000 / bandwidth),
            ..Statistics::default()
        };
        let mut world = sim.world();
        let half_way = processed * 2 > load.memory_bytes;
        if matches!(fault, Some(Fault::ShutsDown)) && half_way {
            world.host(source).change(plan.vm, |copy| copy.state = VmState::ShutOff);
            return Err(hypervisor("domain is not running"));
        }
        let Some(job) = world.host(source).jobs.get_mut(&plan.vm) else { return Err(hypervisor("the job is gone")) };
        if job.aborted {
            return Err(Problem::new(Code::Cancelled, "operation aborted: job 'migration out' canceled by client"));
        }
        job.statistics = statistics;
        if pass_ends && fits_the_pause(remaining) {
            job.statistics.data_processed += remaining;
            return Ok(());
        }
    }
}

/// The source pauses, the destination goes on, the source forgets.
async fn switch_over(sim: &Sim, source: &HostName, plan: &MigrationPlan, fault: Option<&Fault>) -> Outcome {
    let moving = {
        let mut world = sim.world();
        let host = world.host(source);
        let moving = host.copies.get(&plan.vm).cloned().ok_or_else(|| hypervisor("no such domain"))?;
        host.change(plan.vm, |copy| copy.outgoing = true);
        moving
    };
    sleep(STEP).await;
    let mut world = sim.world();
    let statistics = world.host(source).jobs.get(&plan.vm).map(|job| job.statistics).unwrap_or_default();
    let destination = world.host(&plan.destination.name);
    if !destination.up {
        world.host(source).change(plan.vm, |copy| copy.outgoing = false);
        return Err(hypervisor("Lost connection to destination host"));
    }
    let arrived = CopyFacts { incoming: false, outgoing: false, persistent: plan.persist_destination, ..moving };
    destination.copies.insert(plan.vm, arrived);
    destination.completed.insert(plan.vm, Statistics { downtime_ms: Some(millis(STEP)), ..statistics });
    destination.tell(&HostEvent::Changed(plan.vm));
    let host = world.host(source);
    if matches!(fault, Some(Fault::RunsTwice)) {
        host.change(plan.vm, |copy| copy.outgoing = false);
        return Err(hypervisor("internal error"));
    }
    if plan.undefine_source {
        host.copies.remove(&plan.vm);
        host.tell(&HostEvent::Changed(plan.vm));
    } else {
        host.change(plan.vm, |copy| (copy.outgoing, copy.state) = (false, VmState::ShutOff));
    }
    Ok(())
}

fn hypervisor(words: &str) -> Problem {
    Problem::new(Code::Hypervisor, format!("libvirt refused: {words} (simulated)")).with_details(words)
}
