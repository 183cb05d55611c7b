//! Migrations, their history, and the sequence numbers of the update stream.

use async_trait::async_trait;
use model::{HostName, Migration, MigrationEvent, MigrationId, Phase, VmId};

use crate::StoreError;

/// Migrations, kept for ever. All methods fail when the database does.
#[async_trait]
pub trait Migrations: Send + Sync + 'static {
    /// Adds a migration, and to the audit log that it was started.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the VM has one that has not ended: decided by the database, so that it holds over restarts.
    async fn insert_migration(&self, migration: &Migration) -> Result<(), StoreError>;

    /// Replaces what is kept of a migration, and adds an event to its history if there is one. When the migration ends by this, the
    /// audit log gets an entry. All of it or nothing.
    ///
    /// # Errors
    /// Also when there is no such migration.
    async fn update_migration(&self, migration: &Migration, event: Option<&MigrationEvent>) -> Result<(), StoreError>;

    /// One migration.
    async fn migration(&self, id: MigrationId) -> Result<Option<Migration>, StoreError>;

    /// The migrations that a filter lets through, newest first.
    async fn migrations(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, StoreError>;

    /// All migrations that have not ended, oldest first.
    async fn open_migrations(&self) -> Result<Vec<Migration>, StoreError>;

    /// A migration's history, oldest first.
    async fn events(&self, id: MigrationId) -> Result<Vec<MigrationEvent>, StoreError>;

    /// Reserves `count` sequence numbers that were never used before, and returns the first.
    async fn reserve_sequence(&self, count: u64) -> Result<u64, StoreError>;
}

/// Which migrations are wanted. What is not set lets everything through.
///
/// ```
/// # use store::MigrationFilter;
/// let away_from_alpha = MigrationFilter { source: "alpha".parse().ok(), ..MigrationFilter::newest(50) };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationFilter {
    /// Of this VM.
    pub vm: Option<VmId>,
    /// Of VMs that had exactly this name when the migration began.
    pub vm_name: Option<String>,
    /// Away from this host.
    pub source: Option<HostName>,
    /// To this host.
    pub destination: Option<HostName>,
    /// Away from this host or to it.
    pub host: Option<HostName>,
    /// In one of these phases. Ended ones are results: `Succeeded`, `Failed`, `Cancelled`, `NeedsAttention`.
    pub phases: Option<Vec<Phase>>,
    /// Asked for by this user.
    pub requested_by: Option<String>,
    /// Asked for at this time or later, in ms since 1970.
    pub created_from_ms: Option<u64>,
    /// Asked for before this time, in ms since 1970.
    pub created_before_ms: Option<u64>,
    /// Older than this migration: the next page after the one that ends with it.
    pub before: Option<MigrationId>,
    /// At most so many.
    pub limit: u32,
}

impl MigrationFilter {
    /// The newest migrations, at most `limit`.
    pub fn newest(limit: u32) -> Self {
        Self {
            vm: None,
            vm_name: None,
            source: None,
            destination: None,
            host: None,
            phases: None,
            requested_by: None,
            created_from_ms: None,
            created_before_ms: None,
            before: None,
            limit,
        }
    }

    /// Those of them that succeeded.
    #[must_use]
    pub fn succeeded(self) -> Self {
        Self { phases: Some(vec![Phase::Succeeded]), ..self }
    }
}
