//! A migration under way as `storage/` sees it: its record, the figures that are shown, and whether it is cancelled.

use async_trait::async_trait;
use model::{HostName, LeftoverKind, Migration, Phase};

use super::{
    super::{asleep, follow_policy::course, progress::Tracker, stall},
    ActiveMigration,
};
use crate::{
    clock::wall_ms,
    error::Error,
    hypervisor::{Statistics, Volume},
    storage::StorageJournal,
};

#[async_trait]
impl StorageJournal for ActiveMigration {
    fn record(&self) -> &Migration {
        self.journal.record()
    }

    async fn write(&mut self, text: String) {
        self.journal.write(text).await;
    }

    async fn expect(&mut self, host: &HostName, what: LeftoverKind) -> Result<(), Error> {
        self.journal.expect(host, [what]).await;
        self.until_written().await
    }

    async fn forget(&mut self, host: &HostName, what: &LeftoverKind, text: Option<String>) {
        self.journal.forget(host, what, text).await;
    }

    async fn volume_created(&mut self, target: &str, made: &Volume, text: String) -> Result<(), Error> {
        self.journal.volume_created(target, made, text).await;
        self.until_written().await
    }

    async fn copy_proven(&mut self, target: &str, text: String) -> Result<(), Error> {
        self.journal.copy_proven(target, text).await;
        self.until_written().await
    }

    fn volume_hangs(&mut self, pool: &str, volume: &str) {
        self.journal.volume_hangs(pool, volume);
    }

    /// Shows figures, and enters the phase that they tell of.
    async fn show(&mut self, figures: &Statistics) {
        self.last_heard_ms = wall_ms();
        self.log_sample(figures);
        if figures.data_total > 0 {
            self.last_sample = Some(*figures);
        }
        asleep::note(self);
        let elapsed = self.journal.elapsed_ms();
        let Migration { source, vm, phase: before, .. } = self.record();
        let (before, switching) =
            (*before, self.context.inventory().copy(source, *vm).is_some_and(|copy| copy.outgoing));
        let course = course(self);
        self.tracker.follow(course);
        let (mut progress, mut phase) = (self.tracker.sample(figures, elapsed), Tracker::phase(figures));
        if switching {
            (progress, phase) = (self.tracker.switched(elapsed), Phase::SwitchingOver);
        }
        self.journal.set_progress(progress);
        if phase > before {
            self.journal.enter(phase).await;
        } else {
            self.journal.publish();
        }
        self.context.traces().see(self.journal.record());
        let lasts = self.stall.see(figures);
        stall::judge(self, lasts).await;
    }

    fn unless_stalled(&self) -> Result<(), Error> {
        match self.stall.given_up() {
            Some(why) => Err(why.clone().into()),
            None => Ok(()),
        }
    }

    async fn cancelled(&mut self) {
        if !self.record().cancel_requested {
            self.inbox.cancelled().await;
        }
    }

    async fn unless_cancelled(&mut self) -> Result<(), Error> {
        let is_new = self.has_new_cancel();
        if !self.record().cancel_requested {
            if !is_new {
                return Ok(());
            }
            self.note_cancel().await;
        }
        Err(Error::Cancelled)
    }
}

impl ActiveMigration {
    /// Logs the figures as they came: `xtask/record-traces.sh` makes traces of them, which tests replay (`progress/replay.rs`).
    fn log_sample(&self, figures: &Statistics) {
        let Migration { id, vm_name, policy, pause_limit_ms, .. } = self.record();
        let (at_ms, curve) = (self.journal.elapsed_ms(), self.tracker.curve());
        // What QEMU was given.
        let pause_limit_ms = pause_limit_ms.map(|ms| crate::precopy::qemu_limit_ms(ms.into()) as u32);
        tracing::trace!(target: "samples", %id, vm_name, at_ms, policy = policy.as_str(), ?pause_limit_ms, ?curve, ?figures);
    }
}
