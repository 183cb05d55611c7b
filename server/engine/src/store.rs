//! What the engine needs of a store. `server/src/store/` implements it over SQL.

use async_trait::async_trait;
use model::{HostName, HostSettings, Migration, MigrationEvent, MigrationId};

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The VM has a migration that has not ended; only one may be open.
    #[error("the VM has an open migration already: {0}")]
    Open(MigrationId),
    /// The database failed.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Migrations, for ever; and the hosts that were registered at run time.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Writes a new migration down.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the VM has one that has not ended: decided by the database, so that it holds over restarts.
    async fn insert(&self, migration: &Migration) -> Result<(), StoreError>;

    /// Replaces what is kept of a migration, and adds an entry to its history if there is one.
    async fn update(&self, migration: &Migration, event: Option<&MigrationEvent>) -> Result<(), StoreError>;

    /// One migration.
    async fn migration(&self, id: MigrationId) -> Result<Option<Migration>, StoreError>;

    /// A migration's history, oldest first.
    async fn events(&self, id: MigrationId) -> Result<Vec<MigrationEvent>, StoreError>;

    /// Migrations from newest to oldest, at most `limit`, older than `before` if given.
    async fn migrations(&self, before: Option<MigrationId>, limit: u32) -> Result<Vec<Migration>, StoreError>;

    /// Migrations that have not ended.
    async fn open_migrations(&self) -> Result<Vec<Migration>, StoreError>;

    /// The hosts that were registered at run time, by name.
    async fn hosts(&self) -> Result<Vec<HostSettings>, StoreError>;

    /// Writes a host down, in the place of the one called `before` if there is one. Has no secret.
    async fn put_host(&self, host: &HostSettings, before: Option<&HostName>) -> Result<(), StoreError>;

    /// Forgets a host.
    async fn remove_host(&self, name: &HostName) -> Result<(), StoreError>;

    /// Reserves `count` sequence numbers that were never used before, and returns the first.
    async fn reserve_sequence(&self, count: u64) -> Result<u64, StoreError>;
}
