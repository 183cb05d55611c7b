//! A simulated host and the connection to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use async_trait::async_trait;
use model::{GuestFacts, HostCertificate, HostName, HostResources, TerminalKind, VmAction, VmFacts, VmId, VmState};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    Fault, Load, Sim, driver::Driver, login::Door, post_copy, precopy, storage::StorageFault, tuned::Tuned, unreachable,
};
use crate::hypervisor::{
    Chunk, CopyFacts, CpuTimes, DirtyCurve, DirtyPoint, DomainFacts, HostConnection, HostError, HostErrorKind,
    HostEvent, HostFacts, ImageUsers, Lease, MigrationPlan, NewVolume, NotMigrated, StateReason, Statistics, Survey,
    TerminalStream, Tuning, Usage, Volume,
};

/// A simulated host's CPUs.
pub(super) const CPUS: u32 = 16;
/// A simulated host's memory.
pub(super) const MEMORY: u64 = 64 << 30;

/// A migration job, as the source knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Job {
    pub(super) statistics: Statistics,
    pub(super) aborted: bool,
    pub(super) tuned: Tuned,
}

pub(super) struct SimHost {
    pub(super) up: bool,
    /// Whether the console can reach it.
    pub(super) reachable: bool,
    /// Whether its daemon has a QEMU to tell of.
    pub(super) has_qemu: bool,
    /// Counts its daemon's lives: what began in an earlier one is dead.
    pub(super) life: u32,
    /// Counts connections' lives: one from before a cut is dead.
    pub(super) cuts: u32,
    pub(super) copies: BTreeMap<VmId, CopyFacts>,
    /// VMs whose guests sleep, as QEMU knows.
    pub(super) asleep: BTreeSet<VmId>,
    /// VMs that it starts when it boots.
    pub(super) autostarted: BTreeSet<VmId>,
    /// What it says instead when it is asked about that.
    pub(super) autostart_fault: Option<HostErrorKind>,
    /// Who has the serial console of a VM open; a guest's end, or a take-over, cancels it.
    pub(super) consoles: BTreeMap<VmId, CancellationToken>,
    pub(super) jobs: BTreeMap<VmId, Job>,
    pub(super) completed: BTreeMap<VmId, Statistics>,
    pub(super) listeners: Vec<mpsc::UnboundedSender<HostEvent>>,
    /// What its networks have given out.
    pub(super) leases: Vec<Lease>,
    pub(super) uuid: Uuid,
    pub(super) libvirt_version: String,
    /// Since when guests that run use its CPUs.
    pub(super) made: Instant,
    /// None lets everybody in.
    pub(super) door: Option<Door>,
}

impl SimHost {
    pub(super) fn new(uuid: Uuid) -> Self {
        Self {
            up: true,
            reachable: true,
            has_qemu: true,
            life: 0,
            cuts: 0,
            copies: BTreeMap::new(),
            asleep: BTreeSet::new(),
            autostarted: BTreeSet::new(),
            autostart_fault: None,
            consoles: BTreeMap::new(),
            jobs: BTreeMap::new(),
            completed: BTreeMap::new(),
            listeners: Vec::new(),
            leases: Vec::new(),
            uuid,
            libvirt_version: "simulated".to_owned(),
            made: Instant::now(),
            door: None,
        }
    }

    pub(super) fn tell(&mut self, event: &HostEvent) {
        self.listeners.retain(|listener| listener.send(event.clone()).is_ok());
    }

    /// What it has of a VM.
    pub(super) fn copy(&self, vm: VmId) -> Option<CopyFacts> {
        self.copies.get(&vm).map(|copy| self.seen(copy))
    }

    /// A copy, with what its QEMU has used of the CPUs: that grows only while it runs.
    pub(super) fn seen(&self, copy: &CopyFacts) -> CopyFacts {
        let used = match copy.state {
            VmState::Running => Some(self.made.elapsed().as_nanos().try_into().unwrap_or(u64::MAX)),
            state if state.is_active() && !copy.incoming => Some(0),
            _ => None,
        };
        CopyFacts { cpu_time_ns: used, ..copy.clone() }
    }

    pub(super) fn kill(&mut self) {
        self.up = false;
        self.life += 1;
        self.jobs.clear();
        self.copies.retain(|_, copy| !copy.incoming);
        for copy in self.copies.values_mut() {
            // It does not know what became of the VM.
            (copy.outgoing, copy.abandoned) = (false, copy.outgoing || copy.abandoned);
        }
        self.close("The daemon was killed (simulated).");
    }

    pub(super) fn cut(&mut self) {
        self.reachable = false;
        self.close("The network was cut (simulated).");
    }

    /// The connection dies without a word to its clients.
    pub(super) fn cut_in_silence(&mut self) {
        self.reachable = false;
        self.cuts += 1;
    }

    fn close(&mut self, why: &str) {
        self.cuts += 1;
        self.tell(&HostEvent::Closed(HostError::new(HostErrorKind::Unreachable, why)));
        self.listeners.clear();
    }

    /// The guest ends. What has no definition is gone.
    pub(super) fn end(&mut self, vm: VmId, reason: StateReason) {
        self.tell(&HostEvent::Stopped(vm, reason));
        self.change(vm, |copy| (copy.state, copy.reason) = (VmState::ShutOff, reason));
        self.copies.retain(|other, copy| *other != vm || copy.persistent);
    }

    /// Changes a copy if there is one, and tells.
    pub(super) fn change(&mut self, vm: VmId, change: impl FnOnce(&mut CopyFacts)) {
        if let Some(copy) = self.copies.get_mut(&vm) {
            change(copy);
        }
        self.tell(&HostEvent::Changed(vm));
    }
}

/// Why a VM is in a state that nothing but its user has brought about.
pub(super) fn reason_of(state: VmState) -> StateReason {
    match state {
        VmState::Running => StateReason::Booted,
        VmState::Paused | VmState::ShuttingDown => StateReason::User,
        VmState::ShutOff => StateReason::Shutdown,
        VmState::Crashed => StateReason::Panicked,
        VmState::Suspended | VmState::Unknown => StateReason::Other,
    }
}

pub(super) struct SimConnection {
    pub(super) sim: Sim,
    pub(super) name: HostName,
    pub(super) cuts: u32,
}

impl SimConnection {
    /// Asks the host, if this connection still reaches it.
    pub(super) fn ask<T>(&self, question: impl FnOnce(&mut SimHost) -> T) -> Result<T, HostError> {
        let mut world = self.sim.world();
        let host = world.host(&self.name);
        if host.up && host.cuts == self.cuts { Ok(question(host)) } else { Err(unreachable(self.name.as_str())) }
    }

    /// What libvirt says at the end of a migration, or that the connection broke before.
    async fn told(&self, receiver: oneshot::Receiver<precopy::Outcome>) -> Result<(), NotMigrated> {
        let cut = async {
            // As a connection's own keep-alive would notice.
            while self.ask(|_| ()).is_ok() {
                sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            Ok(outcome) = receiver => outcome.map_err(|error| match error.kind {
                HostErrorKind::PeerLogin | HostErrorKind::NoPostCopy => NotMigrated::NotBegun(error),
                _ => NotMigrated::Failed(error),
            }),
            () = cut => Err(NotMigrated::Lost(unreachable(self.name.as_str()))),
            else => Err(NotMigrated::Lost(unreachable(self.name.as_str()))),
        }
    }
}

#[async_trait]
impl HostConnection for SimConnection {
    async fn host(&self) -> Result<HostFacts, HostError> {
        if !self.ask(|host| host.has_qemu)? {
            return Err(HostError::new(HostErrorKind::Refused, "There is no QEMU (simulated)."));
        }
        self.ask(|host| HostFacts {
            uuid: host.uuid,
            cpus: CPUS,
            memory_bytes: MEMORY,
            memory_free_bytes: MEMORY - host.copies.values().map(|copy| copy.memory_bytes).sum::<u64>().min(MEMORY),
            libvirt_version: host.libvirt_version.clone(),
            hypervisor_version: "simulated".to_owned(),
            cpu_model: Some("simulated".to_owned()),
            latency_ms: 1,
        })
    }

    async fn copies(&self) -> Result<Vec<CopyFacts>, HostError> {
        self.ask(|host| host.copies.values().map(|copy| host.seen(copy)).collect())
    }

    async fn copy(&self, vm: VmId) -> Result<Option<CopyFacts>, HostError> {
        self.ask(|host| host.copy(vm))
    }

    async fn act(&self, vm: VmId, action: VmAction) -> Result<(), HostError> {
        let (state, reason) = match action {
            VmAction::Start => (VmState::Running, StateReason::Booted),
            VmAction::Resume => (VmState::Running, StateReason::Unpaused),
            VmAction::WakeUp => return self.ask(|host| host.wake_up(vm))?,
            VmAction::Pause => (VmState::Paused, StateReason::User),
            VmAction::ShutDown => (VmState::ShutOff, StateReason::Shutdown),
            VmAction::ForceOff => (VmState::ShutOff, StateReason::Destroyed),
        };
        self.ask(|host| {
            host.change(vm, |copy| (copy.state, copy.reason, copy.abandoned) = (state, reason, false));
            if action == VmAction::ForceOff {
                // What has no definition is gone.
                host.copies.retain(|other, copy| *other != vm || copy.persistent);
            }
        })
    }

    async fn undefine(&self, vm: VmId) -> Result<(), HostError> {
        self.ask(|host| {
            host.copies.retain(|other, copy| *other != vm || copy.state.is_active());
            host.autostarted.remove(&vm);
            host.tell(&HostEvent::Changed(vm));
        })
    }

    async fn autostart(&self, vm: VmId) -> Result<bool, HostError> {
        self.autostarts(vm)
    }

    async fn set_autostart(&self, vm: VmId, enabled: bool) -> Result<(), HostError> {
        self.let_autostart(vm, enabled)
    }

    async fn details(&self, vm: VmId) -> Result<VmFacts, HostError> {
        self.described(vm)
    }

    async fn guest(&self, _vm: VmId) -> Result<GuestFacts, HostError> {
        std::future::pending().await
    }

    async fn definition(&self, vm: VmId) -> Result<String, HostError> {
        Ok(format!("<domain type='simulated'><name>{}</name></domain>", self.described(vm)?.name))
    }

    async fn usage(&self) -> Result<Vec<Usage>, HostError> {
        self.used()
    }

    async fn leases(&self) -> Result<Vec<Lease>, HostError> {
        self.ask(|host| host.leases.clone())
    }

    async fn resources(&self) -> Result<HostResources, HostError> {
        self.has()
    }

    async fn cpu_times(&self) -> Result<CpuTimes, HostError> {
        self.busy()
    }

    async fn certificates(&self) -> Result<Vec<HostCertificate>, HostError> {
        self.ask(|_| Vec::new())
    }

    async fn domain(&self, vm: VmId) -> Result<DomainFacts, HostError> {
        let unknown = || HostError::new(HostErrorKind::UnknownVm, "Domain not found (simulated)");
        self.unless_it_hangs().await;
        // No answer of a host is there at once.
        tokio::task::yield_now().await;
        self.ask(|_| ())?;
        self.sim.made_of(&self.name, vm).ok_or_else(unknown)
    }

    async fn survey(&self, domain: &DomainFacts) -> Result<Survey, HostError> {
        self.unless_it_hangs().await;
        self.ask(|_| ())?;
        Ok(self.sim.has_for(&self.name, domain))
    }

    async fn dirty_curve(&self, vm: VmId) -> Result<DirtyCurve, HostError> {
        let load = self.ask(|_| ()).map(|()| self.sim.world().loads.get(&vm).copied())?;
        let load = load.unwrap_or(Load { memory_bytes: 0, dirty_bytes_s: 0 });
        let mut points = Vec::new();
        for period_ms in [1000, 2000, 4000] {
            sleep(Duration::from_millis(period_ms)).await;
            points
                .push(DirtyPoint { period_ms, bytes: (load.dirty_bytes_s * period_ms / 1000).min(load.memory_bytes) });
            if load.dirty_bytes_s == 0 {
                break;
            }
        }
        Ok(DirtyCurve::new(points, None))
    }

    async fn tune(&self, vm: VmId, tuning: Tuning) -> Result<(), HostError> {
        self.ask(|host| host.tune(vm, tuning))?
    }

    async fn disk_writes(&self, vm: VmId, _targets: &[String]) -> Result<u64, HostError> {
        self.written(vm)
    }

    async fn eject(&self, vm: VmId, target: &str) -> Result<(), HostError> {
        self.ask(|_| ())?;
        self.sim.world().storage.eject(vm, target);
        Ok(())
    }

    async fn volume(&self, pool: &str, name: &str) -> Result<Option<Volume>, HostError> {
        self.find_volume(pool, name)
    }

    async fn volume_at(&self, path: &str) -> Result<Option<(String, Volume)>, HostError> {
        self.find_volume_at(path)
    }

    async fn users_of_image(&self, path: &str, left: Option<VmId>) -> Result<ImageUsers, HostError> {
        self.find_users(path, left)
    }

    async fn create_volume(&self, volume: &NewVolume) -> Result<Volume, HostError> {
        let made = self.make_volume(volume);
        self.unless_storage_hangs(&StorageFault::CreateHangs).await;
        made
    }

    async fn delete_volume(&self, pool: &str, name: &str) -> Result<(), HostError> {
        self.unless_storage_hangs(&StorageFault::DeleteHangs).await;
        self.remove_volume(pool, name)
    }

    async fn read_volume(&self, pool: &str, name: &str, to: mpsc::Sender<Chunk>) -> Result<(), HostError> {
        self.send_volume(pool, name, to).await
    }

    async fn write_volume(&self, pool: &str, name: &str, from: mpsc::Receiver<Chunk>) -> Result<(), HostError> {
        self.fill_volume(pool, name, from).await
    }

    async fn migrate(&self, plan: &MigrationPlan) -> Result<(), NotMigrated> {
        let is_busy = self.ask(|host| host.jobs.contains_key(&plan.vm)).map_err(NotMigrated::NotBegun)?;
        if is_busy {
            let problem =
                HostError::new(HostErrorKind::AlreadyMigrating, "another migration job is already running (simulated)");
            return Err(NotMigrated::Failed(problem));
        }
        let let_through = self.sim.world().let_through(plan);
        if let Err(HostError { kind: HostErrorKind::PeerLogin, .. }) = let_through {
            // As ssh takes to find out.
            sleep(Duration::from_secs(1)).await;
        }
        let plan = let_through.map_err(NotMigrated::NotBegun)?;
        let panics = matches!(self.sim.world().faults.get(&plan.vm), Some(Fault::Panics));
        let (sender, receiver) = oneshot::channel();
        let driver = Driver::default();
        let _held = driver.hold(&plan);
        tokio::spawn(precopy::run(self.sim.clone(), self.name.clone(), plan, driver, sender));
        let told = self.told(receiver).await;
        assert!(!panics, "as a bug would");
        told
    }

    async fn recover_post_copy(&self, plan: &MigrationPlan) -> Result<(), NotMigrated> {
        self.ask(|_| ()).map_err(NotMigrated::NotBegun)?;
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(post_copy::recover(self.sim.clone(), self.name.clone(), plan.clone(), sender));
        self.told(receiver).await
    }

    async fn job(&self, vm: VmId) -> Result<Option<Statistics>, HostError> {
        self.ask(|host| host.jobs.get(&vm).map(|job| job.statistics))
    }

    async fn completed_job(&self, vm: VmId) -> Result<Option<Statistics>, HostError> {
        self.ask(|host| host.completed.get(&vm).copied())
    }

    async fn open_terminal(&self, vm: VmId, kind: TerminalKind, take_over: bool) -> Result<TerminalStream, HostError> {
        self.terminal(vm, kind, take_over)
    }

    async fn abort(&self, vm: VmId) -> Result<(), HostError> {
        self.ask(|host| match host.jobs.get_mut(&vm) {
            Some(job) => {
                job.aborted = true;
                Ok(())
            }
            None => Err(HostError::new(HostErrorKind::WrongState, "no job is active on the domain (simulated)")),
        })?
    }
}
