//! Migrations, and where VMs could go.

use model::{
    Destination, Host, HostName, HostOrigin, Migration, MigrationEvent, MigrationFilter, MigrationId, MigrationOptions,
    MigrationRequest, Preflight, Steering, Step, TracePoint, VmId,
};

use super::Engine;
use crate::{error::Error, hosts::HostToReach, migration::check_consent};

impl Engine {
    /// The hosts that a VM at `source` could go to, by name: the registered ones but `source`, as they are now. One that
    /// is there for a migration only is no destination for others.
    pub fn destinations(&self, source: &HostName) -> Vec<Host> {
        let inventory = self.context.inventory();
        let others =
            inventory.hosts().filter(|entry| entry.origin != HostOrigin::Temporary && entry.config.name != *source);
        others.filter_map(|entry| inventory.shown_host(&entry.config.name).cloned()).collect()
    }

    /// Looks whether a VM can go to a host, without side effects.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `host-unreachable` if the VM's own host does not answer.
    pub async fn preflight(
        &self,
        vm: VmId,
        destination: &HostName,
        options: &MigrationOptions,
    ) -> Result<Preflight, Error> {
        self.preflights.run(vm, destination, options).await
    }

    /// Whether a migration with this preflight would begin, if it accepts no risk.
    ///
    /// # Errors
    /// `blocked` and `needs-consent` with what the preflight found.
    pub fn admits(&self, preflight: &Preflight) -> Result<(), Error> {
        check_consent(preflight, &[])
    }

    /// Writes a migration down and begins it. What can be refused is refused here, within 10 s. An ad-hoc destination is logged in at
    /// first; while other passwords are tried there, up to 3 s are waited before that.
    ///
    /// # Errors
    /// See [`model::refusal`]; `blocked` and `needs-consent` with what the preflight found; and `unknown-vm`, `unknown-host`,
    /// `invalid-input`, `already-there`, `host-unreachable`. Of an ad-hoc destination also why it can't be reached, `throttled`, and
    /// `host-exists` and `host-in-use` for the name that it is to be registered under.
    pub async fn migrate(
        &self,
        request: MigrationRequest<Destination<HostToReach>>,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        self.migrations.start(request, requested_by).await
    }

    /// What [`Self::migrate`] to an ad-hoc destination would find now. It is logged in at, and forgotten again.
    ///
    /// # Errors
    /// Those of [`Self::migrate`] but for what the preflight finds.
    pub async fn check(
        &self,
        vm: VmId,
        destination: HostToReach,
        options: MigrationOptions,
    ) -> Result<Preflight, Error> {
        self.migrations.check(vm, destination, options).await
    }

    /// The same whatever is found, for the test that compares what a preflight says with what happens then.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `invalid-input`, `already-migrating`.
    #[cfg(any(test, feature = "unchecked"))]
    pub async fn migrate_unchecked(&self, request: MigrationRequest, requested_by: &str) -> Result<Migration, Error> {
        self.migrations.start_unchecked(request, requested_by).await
    }

    /// Asks for a migration to be cancelled.
    ///
    /// # Errors
    /// `unknown-migration`; `already-ended`; `wrong-state` once the VM runs at the destination (post-copy).
    pub async fn cancel(&self, id: MigrationId, by: &str) -> Result<Migration, Error> {
        self.migrations.cancel(id, by).await
    }

    /// Tells a migration that runs to go on otherwise. Returns the record as it is now: what was done is in its acts and its history as
    /// soon as it is.
    ///
    /// # Errors
    /// `invalid-input` for a number out of range; `unknown-migration`; `already-ended`; `wrong-state` with the reason, see
    /// [`Steering::refusal`].
    pub async fn steer(&self, id: MigrationId, steering: Steering, by: &str) -> Result<Migration, Error> {
        self.migrations.steer(id, steering, by).await
    }

    /// Takes the step that a migration which needs attention offers, if it is still the safe one when all hosts have been asked again.
    /// After [`Step::Recover`] the migration goes on.
    ///
    /// # Errors
    /// `unknown-migration`; `wrong-state` if another step is the safe one now, or none; why the host could not do it.
    pub async fn take_step(&self, id: MigrationId, step: Step, by: &str) -> Result<Migration, Error> {
        self.migrations.take_step(id, step, by).await
    }

    /// One migration as it is now, and its history, oldest entry first.
    ///
    /// # Errors
    /// `unknown-migration`.
    pub async fn migration(&self, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Error> {
        self.migrations.get(id).await
    }

    /// What was measured of a migration over time, oldest first; nothing if nothing was kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn trace(&self, id: MigrationId) -> Result<Vec<TracePoint>, Error> {
        self.migrations.trace(id).await
    }

    /// The migrations that a filter lets through, newest first. Filtered by phase they may be fewer than `limit` without being the last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn migrations(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, Error> {
        self.migrations.list(filter).await
    }
}
