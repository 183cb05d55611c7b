//! One migration, from the first libvirt call to the verdict.

use std::{convert::Infallible, sync::Arc, time::Duration};

use model::{Code, Migration, MigrationEvent, Mode, Phase, Problem};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    Engine, MigrationPlan, Statistics,
    engine::{Handle, lock},
    inventory::unknown_host,
    progress::Tracker,
};

/// Between two samples: at least four a second.
const SAMPLE: Duration = Duration::from_millis(200);
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
pub(crate) type Claim = Result<(), Problem>;

/// Runs a migration to its end.
pub(crate) async fn run(engine: Arc<Engine>, migration: Migration, handle: Arc<Handle>, begin: Begin) {
    let id = migration.id;
    let tracker = Tracker::resume(migration.progress.clone());
    let mut runner =
        Runner { engine: &engine, handle: &handle, migration, tracker, last_sample: None, last_abort: None };
    match begin {
        Begin::Fresh { persistent } => runner.fresh(persistent).await,
        Begin::TakeUp => runner.take_up().await,
    }
    engine.forget(id);
}

/// Whether the source has a migration job for the VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Job {
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
}

impl Runner<'_> {
    async fn fresh(&mut self, persistent: bool) {
        let begun = format!(
            "{} asked to move {} from {} to {}.",
            self.migration.requested_by, self.migration.vm_name, self.migration.source, self.migration.destination
        );
        self.write(Some(begun)).await;
        let engine = self.engine;
        let (source, destination) = (self.migration.source.clone(), self.migration.destination.clone());
        let permits = async {
            // Always in this order, so that migrations to and fro never wait for each other.
            let away = engine.outgoing.get(&source)?.acquire().await.ok()?;
            Some((away, engine.incoming.get(&destination)?.acquire().await.ok()?))
        };
        let _permits = tokio::select! {
            biased;
            () = self.handle.cancel.cancelled() => {
                self.note_cancel().await;
                return self.end(Phase::Cancelled, None, None).await;
            }
            permits = permits => permits,
        };
        self.enter(Phase::Preparing).await;
        let claim = self.drive(persistent).await;
        if let Err(Problem { code: Code::HostUnreachable | Code::TimedOut, .. }) = claim {
            // It was our connection that broke; peer-to-peer the migration may go on without us.
            self.watch_until_gone().await;
        }
        self.settle(claim).await;
    }

    /// Goes on with a migration that an earlier run of the console began.
    async fn take_up(&mut self) {
        self.write(Some("The console was restarted and looks after this migration again.".to_owned())).await;
        self.watch_until_gone().await;
        let lost = Problem::new(Code::ReasonLost, "It ended while the console was not running, so the reason is lost.")
            .with_fix("Look at libvirt's log on the source and the destination, then try again.");
        self.settle(Err(lost)).await;
    }

    /// Hands the migration to libvirt and watches it until libvirt says it is over.
    async fn drive(&mut self, persistent: bool) -> Claim {
        let plan = self.plan(persistent)?;
        let source = self.engine.inventory().connection(&self.migration.source)?;
        tokio::select! {
            claim = source.migrate(&plan) => claim,
            never = self.watch() => match never {},
        }
    }

    fn plan(&self, persistent: bool) -> Result<MigrationPlan, Problem> {
        let Migration { vm, source, destination, mode, options, .. } = &self.migration;
        let inventory = self.engine.inventory();
        let (Some(from), Some(to)) = (inventory.host(source), inventory.host(destination)) else {
            return Err(unknown_host(destination.as_str()));
        };
        Ok(MigrationPlan {
            vm: *vm,
            destination: to.config.clone(),
            mode: *mode,
            undefine_source: !options.keep_source_definition,
            // An offline VM has nothing but its definition, so that is what has to stay.
            persist_destination: persistent || *mode == Mode::Offline,
            bandwidth_mib_s: options.bandwidth_mib_s.or(from.config.bandwidth_mib_s),
        })
    }

    /// Samples, and aborts when asked to, for ever.
    async fn watch(&mut self) -> Infallible {
        let mut ticks = interval(SAMPLE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.tick(&mut ticks).await;
            self.sample().await;
        }
    }

    /// Samples, and aborts when asked to, until the source has no job for the VM any more.
    async fn watch_until_gone(&mut self) {
        let mut ticks = interval(SAMPLE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut silent_since = Instant::now();
        loop {
            match self.sample().await {
                Job::Gone => return,
                Job::Runs => silent_since = Instant::now(),
                Job::Unknown if silent_since.elapsed() > SOURCE_LIMIT => return,
                Job::Unknown => {}
            }
            self.tick(&mut ticks).await;
        }
    }

    /// Waits for the next sample, or for somebody to cancel.
    async fn tick(&mut self, ticks: &mut tokio::time::Interval) {
        tokio::select! {
            _ = ticks.tick() => {}
            () = self.handle.cancel.cancelled(), if !self.migration.cancel_requested => self.note_cancel().await,
        }
    }

    /// Takes one sample, and asks libvirt to abort if somebody cancelled.
    async fn sample(&mut self) -> Job {
        let source = match self.engine.inventory().connection(&self.migration.source) {
            Ok(source) => source,
            Err(_) => return Job::Unknown,
        };
        if self.migration.cancel_requested && self.last_abort.is_none_or(|last| last.elapsed() > ABORT_AGAIN) {
            match source.abort(self.migration.vm).await {
                Ok(()) => self.last_abort = Some(Instant::now()),
                // There is no job yet; the next sample tries again.
                Err(Problem { code: Code::WrongState, .. }) => {}
                Err(problem) => tracing::warn!(migration = %self.migration.id, %problem, "abort"),
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

    async fn show(&mut self, statistics: &Statistics) {
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

    /// Writes down that somebody cancelled.
    async fn note_cancel(&mut self) {
        self.migration.cancel_requested = true;
        let by = lock(&self.handle.cancelled_by).clone();
        self.write(Some(format!("{} asked to cancel.", by.as_deref().unwrap_or("Somebody")))).await;
    }

    /// Goes into a phase.
    pub(crate) async fn enter(&mut self, phase: Phase) {
        self.migration.phase = phase;
        self.write(Some(format!("{}.", phase.label()))).await;
    }

    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.engine.clock.now_ms().saturating_sub(self.migration.created_at_ms)
    }

    /// Shows the migration as it is now to whoever looks.
    fn publish(&self) {
        self.engine.inventory().set_migration(self.migration.clone());
    }

    /// Shows the migration and keeps it, with an entry in its history.
    pub(crate) async fn write(&mut self, text: Option<String>) {
        let event =
            text.map(|text| MigrationEvent { at_ms: self.engine.clock.now_ms(), phase: self.migration.phase, text });
        // First kept, then shown: nobody may see an end that a restart would not know of.
        if let Err(error) = self.engine.store.update(&self.migration, event.as_ref()).await {
            // Not fatal: the next start finds the migration open and asks both hosts.
            tracing::error!(migration = %self.migration.id, %error, "could not write a migration down");
        }
        self.publish();
    }
}
