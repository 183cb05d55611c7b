//! What tests of the engine see of its parts.

use std::sync::MutexGuard;

use model::{HostName, Migration, MigrationRequest};

use super::Engine;
use crate::{
    error::Error,
    hosts::{HostCredentials, HostToReach, Reached},
    inventory::Inventory,
};

impl Engine {
    pub(crate) fn inventory(&self) -> MutexGuard<'_, Inventory> {
        self.context.inventory()
    }

    /// Begins a migration to a registered host.
    pub(crate) async fn migrate_to_host(
        &self,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        self.migrate(request.into(), requested_by).await
    }

    /// The first half of a migration to an ad-hoc destination.
    pub(crate) async fn reach(
        &self,
        destination: &str,
        port: Option<u16>,
        credentials: HostCredentials,
        register: Option<HostName>,
    ) -> Result<Reached, Error> {
        self.hosts.reach(HostToReach { address: destination.to_owned(), port, credentials, register }).await
    }

    /// The second half.
    pub(crate) async fn migrate_to(
        &self,
        reached: Reached,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        self.migrations.start_to(reached, request, requested_by).await
    }

    pub(crate) fn running_tasks(&self) -> usize {
        self.context.tasks().len()
    }
}
