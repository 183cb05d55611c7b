//! What is kept and shown of a migration while it runs.

use std::time::Duration;

use model::{Migration, MigrationEvent, Phase, Problem};
use tokio::time::sleep;

use crate::{clock::lock, engine::store_failed, migration::lifecycle::Runner};

/// Between two tries to write an end down.
const WRITE_AGAIN: Duration = Duration::from_secs(2);

impl Runner<'_> {
    /// Writes down that somebody cancelled.
    pub(crate) async fn note_cancel(&mut self) {
        self.migration.cancel_requested = true;
        let by = {
            let asked = lock(&self.handle.cancelled_by);
            self.cancels_noted = asked.len();
            asked.last().cloned()
        };
        self.write(format!("{} asked to cancel.", by.as_deref().unwrap_or("Somebody"))).await;
    }

    /// A VM on a host that nobody registered is seen for as long as a migration needs that host.
    pub(crate) async fn note_parting(&mut self) {
        let Migration { vm_name, destination, .. } = &self.migration;
        if self.engine.inventory().is_temporary(destination) {
            let text = format!(
                "{destination} is not registered, so {vm_name} is not watched there. To see it, register the host."
            );
            self.write(text).await;
        }
    }

    /// Goes into a phase.
    pub(crate) async fn enter(&mut self, phase: Phase) {
        self.migration.phase = phase;
        self.write(format!("{}.", phase.label())).await;
    }

    /// Goes into a phase that the next console has to know of.
    ///
    /// # Errors
    /// When it can't be written down.
    pub(crate) async fn enter_for_certain(&mut self, phase: Phase) -> Result<(), Problem> {
        self.migration.phase = phase;
        self.write_for_certain(format!("{}.", phase.label())).await
    }

    /// The same as [`Self::write`], of something that the next console has to know of.
    ///
    /// # Errors
    /// When it can't be written down.
    pub(crate) async fn write_for_certain(&mut self, text: String) -> Result<(), Problem> {
        let event = self.event(text);
        let kept = self.engine.store.update_migration(&self.migration, Some(&event)).await;
        kept.map_err(|error| store_failed(&error))?;
        self.publish();
        Ok(())
    }

    pub(crate) fn elapsed_ms(&self) -> u64 {
        self.engine.clock.now_ms().saturating_sub(self.migration.created_at_ms)
    }

    pub(crate) fn since_last_heard(&self) -> Duration {
        Duration::from_millis(self.engine.clock.now_ms().saturating_sub(self.last_heard_ms))
    }

    /// Shows the migration as it is now to whoever looks.
    pub(crate) fn publish(&self) {
        self.engine.inventory().set_migration(self.migration.clone());
    }

    /// Keeps the migration as it is now, with an entry in its history, and shows it.
    pub(crate) async fn write(&mut self, text: String) {
        let event = self.event(text);
        if let Err(error) = self.engine.store.update_migration(&self.migration, Some(&event)).await {
            // Not fatal: the next start finds the migration open and asks both hosts.
            tracing::error!(migration = %self.migration.id, %error, "could not write a migration down");
        }
        self.publish();
    }

    /// Keeps a migration's end, however long the store takes, and shows it only then: nobody may see an end that a restart
    /// would not know of, and the store would go on refusing the VM's next migration.
    pub(crate) async fn write_end(&mut self, text: String) {
        let event = self.event(text);
        while let Err(error) = self.engine.store.update_migration(&self.migration, Some(&event)).await {
            tracing::error!(migration = %self.migration.id, %error, "could not write a migration's end down; trying again");
            sleep(WRITE_AGAIN).await;
        }
        self.publish();
    }

    fn event(&self, text: String) -> MigrationEvent {
        MigrationEvent { at_ms: self.engine.clock.now_ms(), phase: self.migration.phase, text }
    }
}
