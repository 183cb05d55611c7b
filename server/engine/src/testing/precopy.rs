//! A pre-copy migration as a model: disks first, then passes over the memory, each as long as what was written during the one
//! before.

use std::time::Duration;

use model::{HostName, Mode, VmState};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep},
};

use super::{Driver, Fault, Load, Sim, World, host::Job, post_copy, switch::switch_over, tuned::Tuned, unreachable};
use crate::{
    clock::millis,
    hypervisor::{
        CopyFacts, DiskDevice, DiskSource, HostError, HostErrorKind, HostEvent, MigrationPlan, StateReason, Statistics,
        Throttle,
    },
};

/// One step of the model.
pub(super) const STEP: Duration = Duration::from_millis(50);
const MIB: u64 = 1 << 20;

pub(super) type Outcome = Result<(), HostError>;

/// Runs a migration between two simulated hosts, and tells the caller if it is still there.
pub(super) async fn run(
    sim: Sim,
    source: HostName,
    plan: MigrationPlan,
    driver: Driver,
    caller: oneshot::Sender<Outcome>,
) {
    let fault = sim.take_fault(plan.vm);
    let outcome = attempt(&sim, &source, &plan, &driver, fault.as_ref()).await;
    let is_anothers = matches!(&outcome, Err(HostError { kind: HostErrorKind::AlreadyMigrating, .. }));
    // libvirt keeps the job of a post-copy that broke off.
    if !is_anothers && !post_copy::is_half(&sim, &source, &plan) {
        sim.world().host(&source).jobs.remove(&plan.vm);
    }
    let told = match fault {
        Some(Fault::ResultLost) => Err(unreachable(source.as_str())),
        Some(Fault::TakenForALogin) => {
            Err(HostError::new(HostErrorKind::PeerLogin, "Connection timed out (simulated)"))
        }
        _ => outcome,
    };
    // The caller may be a console that died.
    let _ = caller.send(told);
}

async fn attempt(
    sim: &Sim,
    source: &HostName,
    plan: &MigrationPlan,
    driver: &Driver,
    fault: Option<&Fault>,
) -> Outcome {
    match fault {
        Some(Fault::Refused(words)) => return Err(hypervisor(words)),
        Some(Fault::Busy) => return Err(busy()),
        Some(Fault::FalseSuccess) => return Ok(()),
        _ => {}
    }
    if sim.world().host(source).jobs.contains_key(&plan.vm) {
        return Err(busy());
    }
    if plan.post_copy && sim.world().no_post_copy {
        return Err(HostError::new(HostErrorKind::NoPostCopy, "Post-copy is not supported (simulated)"));
    }
    prepare(sim, source, plan)?;
    if plan.mode == Mode::Live
        && let Err(problem) = copy(&Move::begin(sim, source, plan, driver, fault)).await
    {
        if !matches!(fault, Some(Fault::LeftReceiving)) {
            sim.world().throw_away(plan);
        }
        // As libvirt does (`qemuMigrationSrcRestoreDomainState`).
        let mut world = sim.world();
        let host = world.host(source);
        if host.jobs.get(&plan.vm).is_some_and(|job| job.tuned.guest_paused) {
            host.change(plan.vm, |copy| {
                (copy.state, copy.reason) = (VmState::Running, StateReason::MigrationCanceled);
            });
        }
        return Err(problem);
    }
    switch_over(sim, source, plan, driver, fault).await
}

/// The destination makes room, as libvirt's Prepare does.
fn prepare(sim: &Sim, source: &HostName, plan: &MigrationPlan) -> Outcome {
    if let Some(words) = sim.obstacle(source, plan) {
        return Err(hypervisor(&words));
    }
    let mut world = sim.world();
    let copy = world.host(source).copies.get(&plan.vm).cloned().ok_or_else(|| hypervisor("no such domain"))?;
    if plan.mode == Mode::Live {
        disks_are_there(&mut world, source, plan)?;
    }
    let destination = world.host(&plan.destination.name);
    if !destination.up {
        return Err(hypervisor("unable to connect to server: Connection refused"));
    }
    if destination.copies.get(&plan.vm).is_some_and(|copy| copy.state.is_active()) {
        return Err(hypervisor("domain is already active"));
    }
    if plan.mode == Mode::Live {
        let (state, reason) = (VmState::Paused, StateReason::Migration);
        let arriving = CopyFacts { incoming: true, persistent: false, state, reason, ..copy };
        destination.copies.insert(plan.vm, arriving);
        destination.tell(&HostEvent::Changed(plan.vm));
    }
    let tuned = Tuned { post_copy_prepared: plan.post_copy, ..Tuned::default() };
    world.host(source).jobs.insert(plan.vm, Job { tuned, ..Job::default() });
    Ok(())
}

/// Files that are copied need something to be copied to, the others have to be shared.
fn disks_are_there(world: &mut World, source: &HostName, plan: &MigrationPlan) -> Outcome {
    let destination = &plan.destination.name;
    for disk in world.storage.disks.get(&plan.vm).cloned().unwrap_or_default() {
        let DiskSource::File { path } = &disk.source else { continue };
        if disk.read_only || disk.device != DiskDevice::Disk {
            continue;
        }
        match plan.disks.iter().find(|copy| copy.target == disk.target) {
            Some(copy) if world.storage.at(destination, &copy.path).is_none() => {
                return Err(hypervisor("Cannot access storage file: No such file or directory"));
            }
            None if !plan.trust_shared_directories && !world.storage.is_same(source, destination, path) => {
                return Err(hypervisor("Unsafe migration: Migration without shared storage is unsafe"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A live migration under way.
struct Move<'a> {
    sim: &'a Sim,
    source: &'a HostName,
    plan: &'a MigrationPlan,
    driver: &'a Driver,
    fault: Option<&'a Fault>,
    begun: Instant,
    bandwidth: u64,
    /// The lives that both daemons were in when it began.
    lives: [(bool, u32); 2],
}

impl<'a> Move<'a> {
    fn begin(
        sim: &'a Sim,
        source: &'a HostName,
        plan: &'a MigrationPlan,
        driver: &'a Driver,
        fault: Option<&'a Fault>,
    ) -> Self {
        let bandwidth = u64::from(plan.bandwidth_mib_s.unwrap_or(1024)) * MIB;
        let mut begun =
            Self { sim, source, plan, driver, fault, begun: Instant::now(), bandwidth, lives: Default::default() };
        begun.lives = begun.lives();
        begun
    }

    fn lives(&self) -> [(bool, u32); 2] {
        let mut world = self.sim.world();
        [self.source, &self.plan.destination.name].map(|name| {
            let host = world.host(name);
            (host.up, host.life)
        })
    }

    /// Waits for the next step, which comes only if both daemons live. Returns what it can send.
    async fn step(&self) -> Result<u64, HostError> {
        sleep(STEP).await;
        if self.lives() != self.lives || self.driver.is_gone() {
            return Err(hypervisor("Lost connection to destination host"));
        }
        Ok(self.bandwidth() * millis(STEP) / 1000)
    }

    /// What it was told so far.
    fn tuned(&self) -> Tuned {
        self.sim.world().host(self.source).jobs.get(&self.plan.vm).map(|job| job.tuned).unwrap_or_default()
    }

    /// What the link carries now, in bytes a second.
    fn bandwidth(&self) -> u64 {
        self.tuned().bandwidth.unwrap_or(self.bandwidth)
    }

    /// Shows the figures, unless the job was aborted.
    fn show(&self, statistics: Statistics) -> Outcome {
        let mut world = self.sim.world();
        let job = world.host(self.source).jobs.get_mut(&self.plan.vm).ok_or_else(|| hypervisor("the job is gone"))?;
        if job.aborted {
            return Err(HostError::new(
                HostErrorKind::Cancelled,
                "operation aborted: job 'migration out' canceled by client",
            ));
        }
        job.statistics = Statistics { elapsed_ms: millis(self.begun.elapsed()), ..statistics };
        Ok(())
    }
}

/// Ends only with the job.
async fn stand_still(moving: &Move<'_>) -> Outcome {
    let job = moving.sim.world().host(moving.source).jobs.get(&moving.plan.vm).cloned();
    let figures = job.ok_or_else(|| hypervisor("the job is gone"))?.statistics;
    loop {
        moving.step().await?;
        moving.show(figures)?;
    }
}

async fn copy(moving: &Move<'_>) -> Outcome {
    let disks = copy_disks(moving).await?;
    copy_memory(moving, disks).await
}

/// Copies the disks while the guest writes to them; returns the figures at the end.
async fn copy_disks(moving: &Move<'_>) -> Result<Statistics, HostError> {
    let Move { sim, source, plan, .. } = moving;
    let (total, writes) = {
        let world = sim.world();
        let disks = world.storage.disks.get(&plan.vm).into_iter().flatten();
        let copied = disks.filter(|disk| plan.disks.iter().any(|copy| copy.target == disk.target));
        let writes = world.storage.writes.get(&plan.vm).copied().unwrap_or_default();
        (copied.map(|disk| disk.allocation_bytes).sum::<u64>(), if plan.synchronous_writes { 0 } else { writes })
    };
    let mut statistics =
        Statistics { data_total: total, data_remaining: total, ..Statistics::default() }.with_disks(total, total);
    while statistics.disk_remaining > 0 {
        let sent = moving.step().await?.min(statistics.disk_remaining);
        // Once both disks are the same, what the guest writes goes to both.
        let left = match statistics.disk_remaining - sent {
            0 => 0,
            left => (left + writes * millis(STEP) / 1000).min(total),
        };
        let processed = statistics.data_processed + sent;
        statistics =
            Statistics { data_processed: processed, data_remaining: left, ..statistics }.with_disks(total, left);
        if matches!(moving.fault, Some(Fault::DiskCopyFails)) && left * 2 < total {
            return Err(hypervisor("migration of disk vda failed: Input/output error"));
        }
        moving.show(statistics)?;
    }
    let mut world = sim.world();
    for disk in world.storage.disks.get(&plan.vm).cloned().unwrap_or_default() {
        let copy = plan.disks.iter().find(|copy| copy.target == disk.target);
        if let (Some(copy), DiskSource::File { path }) = (copy, &disk.source) {
            world.storage.copy(source, path, &plan.destination.name, &copy.path);
        }
    }
    Ok(statistics)
}

impl Statistics {
    fn with_disks(self, total: u64, remaining: u64) -> Self {
        Self { disk_total: total, disk_processed: total - remaining, disk_remaining: remaining, ..self }
    }
}

async fn copy_memory(moving: &Move<'_>, disks: Statistics) -> Outcome {
    let Move { sim, source, plan, fault, .. } = *moving;
    let load = sim.world().loads[&plan.vm];
    let mut guest = Guest { load, throttle: plan.throttle, slowed: 0, high: 0 };
    let mut pass_begun = Instant::now();
    let (mut remaining, mut processed, mut pass) = (load.memory_bytes, 0, 1);
    loop {
        let sent = moving.step().await?.min(remaining);
        (remaining, processed) = (remaining - sent, processed + sent);
        let (tuned, bandwidth) = (moving.tuned(), moving.bandwidth());
        let fits_the_pause = |remaining: u64| remaining * 1000 <= bandwidth * tuned.pause_limit_ms;
        // As QEMU does: when the remainder would fit, it looks what was written meanwhile, and begins another pass.
        let pass_ends = !tuned.post_copy && fits_the_pause(remaining);
        if pass_ends {
            let lasted = pass_begun.elapsed();
            let written = if tuned.guest_paused { 0 } else { guest.writes(lasted, bandwidth) };
            remaining = (remaining + written).min(load.memory_bytes);
            (pass, pass_begun) = (pass + 1, Instant::now());
        }
        if let Some(Fault::Ends(reason)) = fault
            && processed * 2 > load.memory_bytes
        {
            sim.world().host(source).end(plan.vm, *reason);
            return Err(hypervisor("domain is not running"));
        }
        if matches!(fault, Some(Fault::Stalls)) && processed * 2 > load.memory_bytes {
            return stand_still(moving).await;
        }
        if matches!(fault, Some(Fault::PostCopyBreaks)) && tuned.post_copy {
            return Err(post_copy::break_off(sim, source, plan));
        }
        if matches!(fault, Some(Fault::LeftReceiving)) && processed * 2 > load.memory_bytes {
            return Err(hypervisor("Lost connection to destination host"));
        }
        let over = if tuned.post_copy { remaining == 0 } else { pass_ends && fits_the_pause(remaining) };
        moving.show(Statistics {
            data_total: disks.data_total + load.memory_bytes,
            data_processed: disks.data_processed + processed + if over { remaining } else { 0 },
            data_remaining: remaining,
            memory_total: load.memory_bytes,
            memory_processed: processed,
            memory_remaining: remaining,
            memory_bytes_s: bandwidth,
            dirty_pages_s: if pass > 1 { guest.dirty_bytes_s() / 4096 } else { 0 },
            page_bytes: 4096,
            memory_pass: pass,
            downtime_ms: Some(remaining * 1000 / bandwidth),
            throttle_percent: guest.slowed,
            ..disks
        })?;
        if over {
            return Ok(());
        }
    }
}

/// A guest that writes, and that QEMU slows where it may.
struct Guest {
    load: Load,
    throttle: Option<Throttle>,
    /// The part of their time that its CPUs lose, in percent.
    slowed: u8,
    /// Passes in which it wrote more than half of what was sent, since it was last slowed (`dirty_rate_high_cnt`).
    high: u8,
}

impl Guest {
    /// In bytes a second.
    fn dirty_bytes_s(&self) -> u64 {
        self.load.dirty_bytes_s * u64::from(100 - self.slowed) / 100
    }

    /// What it has written in a pass, in bytes. QEMU slows it in every second pass in which that is more than half of what the link
    /// carried (`migration_trigger_throttle`).
    fn writes(&mut self, pass: Duration, bandwidth: u64) -> u64 {
        let written = self.dirty_bytes_s() * millis(pass) / 1000;
        if let Some(Throttle { initial, increment }) = self.throttle
            && written * 2 > bandwidth * millis(pass) / 1000
        {
            self.high += 1;
            if self.high >= 2 {
                self.high = 0;
                self.slowed = if self.slowed == 0 { initial } else { (self.slowed + increment).min(99) };
            }
        }
        written
    }
}

fn busy() -> HostError {
    HostError::new(HostErrorKind::AlreadyMigrating, "another migration job is already running")
}

pub(super) fn hypervisor(words: &str) -> HostError {
    HostError::new(HostErrorKind::Refused, format!("libvirt refused: {words} (simulated)")).with_details(words)
}
