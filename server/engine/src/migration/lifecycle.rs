//! One migration, from the first libvirt call to the verdict.

use std::{sync::Arc, time::Duration};

use model::{Code, ControlFlow, Migration, Mode, Phase, Problem};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::{
    Engine, NotMigrated, Statistics, engine::Handle, migration::admission,
    migration::finalize::is_our_connections_fault, migration::progress::Tracker, storage::Prepared,
};

/// Between two samples: at least four a second.
pub(crate) const SAMPLE: Duration = Duration::from_millis(200);
/// How long to wait before an abort that libvirt accepted is asked for again.
const ABORT_AGAIN: Duration = Duration::from_secs(5);
/// How long a source that does not answer is waited for before both hosts are asked for the verdict.
const SOURCE_LIMIT: Duration = Duration::from_secs(60);

/// How a migration begins.
pub(crate) enum Begin {
    /// It was just asked for.
    Fresh {
        /// Whether the VM's definition outlives a power-off at the source, and so shall at the destination.
        persistent: bool,
    },
    /// An earlier run of the console began it.
    TakeUp,
}

/// How a migration ended, as libvirt claims.
pub(crate) type Claim = Result<(), NotMigrated>;

/// Runs a migration to its end.
pub(crate) async fn run(engine: Arc<Engine>, migration: Migration, handle: Arc<Handle>, begin: Begin) {
    let id = migration.id;
    let tracker = Tracker::resume(migration.progress.clone());
    let mut runner = Runner {
        engine: &engine,
        handle: &handle,
        migration,
        tracker,
        last_sample: None,
        last_abort: None,
        last_heard_ms: engine.clock.now_ms(),
        cancels_noted: 0,
        still_written: None,
    };
    match begin {
        Begin::Fresh { persistent } => runner.fresh(persistent).await,
        Begin::TakeUp => runner.take_up().await,
    }
    engine.forget(id);
}

/// What a runner wakes up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tick {
    Sample,
    Cancel,
}

pub(crate) fn every_sample() -> Interval {
    let mut ticks = interval(SAMPLE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Whether the source has a migration job for the VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Runs,
    Gone,
    /// The source does not answer.
    Unknown,
}

pub(crate) struct Runner<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) handle: &'a Handle,
    pub(crate) migration: Migration,
    pub(crate) tracker: Tracker,
    /// For the case that libvirt has forgotten the figures afterwards.
    pub(crate) last_sample: Option<Statistics>,
    last_abort: Option<Instant>,
    /// When something was last heard of it before the hosts are asked where the VM is, in ms since 1970.
    pub(crate) last_heard_ms: u64,
    /// How many of those who asked this console to cancel were heard.
    pub(crate) cancels_noted: usize,
    /// The pool and the name of the volume that the destination did not stop writing to.
    pub(crate) still_written: Option<(String, String)>,
}

impl Runner<'_> {
    async fn fresh(&mut self, persistent: bool) {
        let begun = format!(
            "{} asked to move {} from {} to {}.",
            self.migration.requested_by, self.migration.vm_name, self.migration.source, self.migration.destination
        );
        self.write(begun).await;
        let engine = self.engine;
        let (source, destination) = (self.migration.source.clone(), self.migration.destination.clone());
        let permits = async {
            // Always in this order, so that migrations to and fro never wait for each other.
            let outgoing = Arc::clone(&engine.inventory().host(&source)?.outgoing);
            let away = outgoing.acquire_owned().await.ok()?;
            let incoming = Arc::clone(&engine.inventory().host(&destination)?.incoming);
            Some((away, incoming.acquire_owned().await.ok()?))
        };
        let _permits = tokio::select! {
            biased;
            () = self.handle.cancel.cancelled() => {
                self.note_cancel().await;
                return self.end(Phase::Cancelled, None, None).await;
            }
            permits = permits => permits,
        };
        self.enter(Phase::Checking).await;
        if let Err(problem) = self.look_again().await {
            return self.end(Phase::Failed, Some(problem), None).await;
        }
        // What has not come as far as this the next console knows not to have begun, whatever it finds on the hosts.
        if let Err(problem) = self.enter_for_certain(Phase::Preparing).await {
            return self.end(Phase::Failed, Some(problem), None).await;
        }
        self.expect_memory();
        let prepared = match self.make_ready().await {
            Ok(prepared) => prepared,
            Err(problem) => return self.not_begun(NotMigrated::NotBegun(problem)).await,
        };
        match self.drive(persistent, prepared).await {
            Err(not_begun @ NotMigrated::NotBegun(_)) => return self.not_begun(not_begun).await,
            claim => {
                if is_our_connections_fault(&claim) && !self.is_direct() {
                    // It may go on without us.
                    self.watch_until_gone().await;
                }
                self.settle(claim).await;
            }
        }
    }

    /// libvirt was not asked to move anything, so there is no doubt where the VM is.
    async fn not_begun(&mut self, why: NotMigrated) {
        let (phase, problem) = self.why_it_stayed(Err(why));
        self.end_where_it_was(phase, problem, self.last_sample).await;
    }

    /// Whether the console drives it, so that it does not go on without one.
    pub(crate) fn is_direct(&self) -> bool {
        self.migration.control_flow == Some(ControlFlow::Direct)
    }

    /// Does all that comes before libvirt is asked to move the VM.
    async fn make_ready(&mut self) -> Result<Prepared, Problem> {
        let prepared = self.prepare().await?;
        if self.migration.mode == Mode::Offline {
            // It may have been started meanwhile, and libvirt would not mind: both hosts would have it.
            self.look_again().await?;
            // Of a VM that is off both hosts may have had a definition all along, so the next console could not see by them
            // whether libvirt was asked.
            self.enter_for_certain(Phase::SwitchingOver).await?;
        }
        Ok(prepared)
    }

    /// Goes on with a migration that an earlier run of the console began.
    async fn take_up(&mut self) {
        let Migration { id, mode, phase, .. } = self.migration;
        let began = phase > Phase::Checking;
        // Of what can't be read nothing was heard for a long time.
        let events = self.engine.store.events(id).await.unwrap_or_default();
        self.last_heard_ms = events.last().map_or(0, |event| event.at_ms);
        self.write("The console was restarted and looks after this migration again.".to_owned()).await;
        self.expect_memory();
        let problem = if !began {
            Problem::new(Code::ReasonLost, "The console was restarted before it began.")
                .with_fix("Start the migration again.")
        } else if self.is_direct() {
            Problem::new(Code::ReasonLost, "The console that drove it has stopped.")
                .with_fix("Start the migration again. Peer-to-peer it would go on without a console, if the source may log in at the destination.")
        } else {
            Problem::new(Code::ReasonLost, "It ended while the console was not running, so the reason is lost.")
                .with_fix("Look at libvirt's log on the source and the destination, then try again.")
        };
        let lost = NotMigrated::Lost(problem);
        if !began || (mode == Mode::Offline && phase < Phase::SwitchingOver) {
            return self.not_begun(lost).await;
        }
        if !self.is_direct() {
            self.watch_until_gone().await;
        }
        self.settle(Err(lost)).await;
    }

    /// Looks at the VM once more: it may have waited in the queue for a long time.
    async fn look_again(&self) -> Result<(), Problem> {
        let Migration { vm, vm_name, source, mode, .. } = &self.migration;
        let connection = self.engine.inventory().connection(source)?;
        let copy = connection.copy(*vm).await?;
        let is_active = copy.as_ref().is_some_and(|copy| copy.state.is_active());
        if copy.as_ref().is_some_and(|copy| copy.abandoned) {
            return Err(admission::left_paused(vm_name, source));
        }
        if copy.is_some() && is_active == (*mode == Mode::Live) {
            return match is_active && connection.job(*vm).await?.is_some() {
                true => Err(admission::moved_by_somebody_else(vm_name)),
                false => Ok(()),
            };
        }
        let now = copy.map_or("gone", |copy| copy.state.as_str());
        Err(Problem::new(Code::WrongState, format!("{vm_name} is {now} by now."))
            .with_fix("Look at it, then try again."))
    }

    /// What follows the disks is known as soon as the source has told of the VM.
    fn expect_memory(&mut self) {
        let Migration { source, vm, mode, .. } = &self.migration;
        if *mode == Mode::Offline {
            self.tracker.expect_memory(0);
        } else if let Some(copy) = self.engine.inventory().copy(source, *vm) {
            self.tracker.expect_memory(copy.memory_bytes);
        }
    }

    /// Samples, and aborts when asked to, until the source has no job for the VM any more.
    pub(crate) async fn watch_until_gone(&mut self) {
        let mut ticks = every_sample();
        let mut silent_since = Instant::now();
        loop {
            let tick = self.tick(&mut ticks).await;
            match self.take(tick).await {
                Job::Gone => return,
                Job::Runs => silent_since = Instant::now(),
                Job::Unknown if silent_since.elapsed() > SOURCE_LIMIT => return,
                Job::Unknown => {}
            }
        }
    }

    /// Waits for the next sample, or for somebody to cancel.
    pub(crate) async fn tick(&self, ticks: &mut Interval) -> Tick {
        tokio::select! {
            _ = ticks.tick() => Tick::Sample,
            () = self.handle.cancel.cancelled(), if !self.migration.cancel_requested => Tick::Cancel,
        }
    }

    pub(crate) async fn take(&mut self, tick: Tick) -> Job {
        if tick == Tick::Cancel {
            self.note_cancel().await;
        }
        self.sample().await
    }

    /// Takes one sample, and asks libvirt to abort if somebody cancelled.
    async fn sample(&mut self) -> Job {
        let source = match self.engine.inventory().connection(&self.migration.source) {
            Ok(source) => source,
            Err(_) => return Job::Unknown,
        };
        if self.migration.cancel_requested && self.last_abort.is_none_or(|last| last.elapsed() > ABORT_AGAIN) {
            let aborted = source.abort(self.migration.vm).await;
            // If there is no job yet, the next sample tries again.
            if !matches!(aborted, Err(Problem { code: Code::WrongState, .. })) {
                self.last_abort = Some(Instant::now());
            }
            if let Err(problem) = aborted {
                tracing::info!(migration = %self.migration.id, %problem, "abort");
            }
        }
        match source.job(self.migration.vm).await {
            Ok(Some(statistics)) => {
                self.show(&statistics).await;
                Job::Runs
            }
            Ok(None) => Job::Gone,
            Err(_) => Job::Unknown,
        }
    }

    /// Shows figures, and goes into the phase that they tell of.
    pub(crate) async fn show(&mut self, statistics: &Statistics) {
        self.last_heard_ms = self.engine.clock.now_ms();
        if statistics.data_total > 0 {
            self.last_sample = Some(*statistics);
        }
        let elapsed = self.elapsed_ms();
        let switching =
            self.engine.inventory().copy(&self.migration.source, self.migration.vm).is_some_and(|copy| copy.outgoing);
        self.migration.progress = self.tracker.sample(statistics, elapsed);
        let mut phase = Tracker::phase(statistics);
        if switching {
            self.migration.progress = self.tracker.switched(elapsed);
            phase = Phase::SwitchingOver;
        }
        if phase > self.migration.phase {
            self.enter(phase).await;
        } else {
            self.publish();
        }
    }
}
