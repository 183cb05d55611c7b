//! A migration under way: what is known of it, and what the verbs of this folder do with it. What `storage/` does with it: `active/storage.rs`.

mod storage;

use std::{sync::Arc, time::Duration};

use model::{ControlFlow, HostName, Migration, Mode, Phase, Steering};
use tokio::time::Instant;

use super::{
    begin_again::BeginAgain, inbox::Inbox, inquiry::Look, journal::Journal, progress::Tracker, queue::Places,
    situation::is_stranger, stall::Stall, verdict::Answer,
};
use crate::{
    clock::wall_ms,
    context::Context,
    error::Error,
    hypervisor::{DirtyCurve, HostConnection, HostError, Presence, Statistics},
    storage::StorageJournal as _,
};

/// How long to wait before an abort that libvirt accepted is asked for again.
const ABORT_AGAIN: Duration = Duration::from_secs(5);

/// A migration under way. Its record is changed through the journal only; commands to it arrive in the inbox.
pub(super) struct ActiveMigration {
    context: Arc<Context>,
    journal: Journal,
    inbox: Inbox,
    tracker: Tracker,
    stall: Stall,
    places: Option<Places>,
    /// For the case that libvirt has forgotten the figures afterwards.
    last_sample: Option<Statistics>,
    last_abort: Option<Instant>,
    /// Since when the source has not answered.
    silent_since: Option<Instant>,
    /// Whether the job has been given the limits of this migration.
    tuned: bool,
    /// What was asked for that libvirt can do only if the migration begins again.
    begin_again: Option<(BeginAgain, String)>,
    /// When something was last heard of it before the hosts are asked where the VM is, in ms since 1970.
    last_heard_ms: u64,
}

impl ActiveMigration {
    /// `curve` is what the guest was measured to change lately, if it was.
    pub(super) fn new(context: Arc<Context>, record: Migration, inbox: Inbox, curve: Option<Arc<DirtyCurve>>) -> Self {
        let mut tracker = Tracker::resume(record.progress.clone(), curve);
        if record.phase == Phase::PostCopy {
            tracker.enter_post_copy();
        }
        Self {
            tracker,
            last_heard_ms: wall_ms(),
            journal: Journal::new(Arc::clone(&context), record),
            context,
            inbox,
            stall: Stall::default(),
            places: None,
            last_sample: None,
            last_abort: None,
            silent_since: None,
            tuned: false,
            begin_again: None,
        }
    }

    /// The migration holds its places in the queue from now on.
    pub(super) fn hold_places(&mut self, places: Option<Places>) {
        self.places = places;
    }

    /// No data can flow any more, or not now: others may take the places.
    pub(super) fn give_places_back(&mut self) {
        self.places = None;
    }

    /// Since when it has made no progress.
    pub(super) fn stall(&mut self) -> &mut Stall {
        &mut self.stall
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// The context, for a call that takes the migration, too.
    pub(super) fn shared_context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }

    pub(super) fn journal(&mut self) -> &mut Journal {
        &mut self.journal
    }

    /// # Errors
    /// Why the source can't be asked.
    pub(super) fn source(&self) -> Result<Arc<dyn HostConnection>, HostError> {
        self.context.inventory().connection(&self.record().source)
    }

    /// # Errors
    /// Why the destination can't be asked.
    pub(super) fn destination(&self) -> Result<Arc<dyn HostConnection>, HostError> {
        self.context.inventory().connection(&self.record().destination)
    }

    /// Whether the console drives it, so that it does not go on without one.
    pub(super) fn is_direct(&self) -> bool {
        self.record().control_flow == Some(ControlFlow::Direct)
    }

    /// What one host says of the VM now.
    pub(super) async fn presence_at(&self, host: &HostName) -> Presence {
        self.look_at(host).await.presence()
    }

    /// Whether its post-copy has broken off, as far as the source has told. libvirt keeps the job of such a migration.
    pub(super) fn has_broken_off(&self) -> bool {
        let Migration { source, vm, .. } = self.record();
        Presence::of(self.context.inventory().copy(source, *vm)) == Presence::Half
    }

    /// The same, with the reason of the state and what the copy has used of the CPUs.
    pub(super) async fn look_at(&self, host: &HostName) -> Look {
        let vm = self.record().vm;
        if is_stranger(&self.context, self.record(), host) {
            return Look::UNKNOWN;
        }
        let Ok(connection) = self.context.inventory().connection(host) else { return Look::UNKNOWN };
        let Ok(copy) = connection.copy(vm).await else { return Look::UNKNOWN };
        let presence = Presence::of(copy.as_ref());
        let reason = match &copy {
            Some(copy) => copy.reason,
            None => self.context.inventory().stop_reason(host, vm).unwrap_or_default(),
        };
        let cpu_time_ns = copy.as_ref().and_then(|copy| copy.cpu_time_ns);
        self.context.inventory().set_copy(host, vm, copy);
        let presence = match presence {
            Presence::Active | Presence::Abandoned { .. } if *host != self.record().destination => {
                match connection.job(vm).await {
                    Ok(None) => presence,
                    Ok(Some(_)) => Presence::Sending,
                    Err(_) => Presence::Unknown,
                }
            }
            presence => presence,
        };
        Look { answer: Answer { presence, reason }, cpu_time_ns }
    }

    /// Waits for a command, and keeps it until it is acted on. Dropping the future loses no command.
    pub(super) async fn receive_command(&mut self) {
        self.inbox.receive().await;
    }

    /// Whether a cancel has arrived that is not noted yet.
    pub(super) fn has_new_cancel(&mut self) -> bool {
        self.inbox.drain();
        self.inbox.has_cancel()
    }

    /// What users and programs have asked for since this was last asked, and who did, oldest first.
    pub(super) fn take_steerings(&mut self) -> Vec<(Steering, Option<String>)> {
        self.inbox.drain();
        self.inbox.take_steerings()
    }

    /// Whether something was asked for that is not done yet.
    pub(super) fn is_steered(&mut self) -> bool {
        self.inbox.drain();
        self.inbox.has_steerings()
    }

    /// Whether the job had been given the limits of this migration until now. From now on it has, or not.
    pub(super) fn is_tuned(&mut self, now: bool) -> bool {
        std::mem::replace(&mut self.tuned, now)
    }

    pub(super) fn tracker(&mut self) -> &mut Tracker {
        &mut self.tracker
    }

    /// What it is to begin again for, if an abort was asked for that.
    pub(super) fn begin_again(&mut self) -> &mut Option<(BeginAgain, String)> {
        &mut self.begin_again
    }

    /// Waits until the store has the migration as it is now, because the next console has to know of what is about to be done.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if a cancel arrives meanwhile.
    pub(super) async fn until_written(&mut self) -> Result<(), Error> {
        let Self { journal, inbox, .. } = self;
        tokio::select! {
            biased;
            () = journal.until_written() => return Ok(()),
            () = inbox.cancelled() => {}
        }
        self.unless_cancelled().await
    }

    /// Notes a cancel that has arrived.
    pub(super) async fn note_cancel(&mut self) {
        let by = self.inbox.take_cancel();
        self.journal.cancel_requested(by.as_deref().unwrap_or("An unknown user")).await;
    }

    /// Whether libvirt is to be asked to abort: a cancel was noted or no progress is made, and no abort was accepted a moment ago.
    pub(super) fn is_abort_due(&self) -> bool {
        (self.record().cancel_requested || self.stall.is_given_up() || self.begin_again.is_some())
            && self.record().phase != Phase::PostCopy
            && self.last_abort.is_none_or(|last| last.elapsed() > ABORT_AGAIN)
    }

    /// libvirt was asked to abort.
    pub(super) fn abort_requested(&mut self) {
        self.last_abort = Some(Instant::now());
    }

    /// The source did not answer a question, or did. Returns for how long it has not.
    pub(super) fn source_silent(&mut self, is_silent: bool) -> Duration {
        self.silent_since = is_silent.then(|| self.silent_since.unwrap_or_else(Instant::now));
        self.silent_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// What follows the disks is known as soon as the source has told of the VM.
    pub(super) fn expect_memory(&mut self) {
        let Migration { source, vm, mode, .. } = self.record();
        if *mode == Mode::Offline {
            return self.tracker.expect_memory(0);
        }
        let bytes = self.context.inventory().copy(source, *vm).map(|copy| copy.memory_bytes);
        if let Some(bytes) = bytes {
            self.tracker.expect_memory(bytes);
        }
    }

    /// The hosts switch over, or are asked where the VM is: nothing is left to send.
    pub(super) fn switched(&mut self) {
        let progress = self.tracker.switched(self.journal.elapsed_ms());
        self.journal.set_progress(progress);
    }

    /// libvirt's final figures, from wherever they can be had.
    pub(super) async fn final_figures(&mut self) -> Option<Statistics> {
        self.inbox.drain();
        if let Some(figures) = self.inbox.completed() {
            return Some(figures);
        }
        let destination = self.destination().ok()?;
        destination.completed_job(self.record().vm).await.ok().flatten().or(self.last_sample)
    }

    /// The last figures that were seen.
    pub(super) fn last_figures(&self) -> Option<Statistics> {
        self.last_sample
    }

    /// An earlier console heard of it last at this time, in ms since 1970.
    pub(super) fn last_heard_at(&mut self, at_ms: u64) {
        self.last_heard_ms = at_ms;
    }

    /// How long nothing was heard of it. For ever, if that is not certain: the machine's clock may have been set back.
    pub(super) fn since_last_heard(&self) -> Duration {
        wall_ms().checked_sub(self.last_heard_ms).map_or(Duration::MAX, Duration::from_millis)
    }
}
