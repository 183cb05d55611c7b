//! Migrations, their history, and the sequence numbers of the update stream.

use async_trait::async_trait;
use model::{Migration, MigrationEvent, MigrationFilter, MigrationId, Phase, TracePoint};

use crate::StoreError;

/// Migrations, kept for ever. All methods fail when the database does.
#[async_trait]
pub trait Migrations: Send + Sync + 'static {
    /// Adds a migration, and to the audit log that it was started.
    ///
    /// # Errors
    /// [`StoreError::Open`] if the VM has one that has not ended: decided by the database, so that it holds over restarts.
    async fn insert_migration(&self, migration: &Migration) -> Result<(), StoreError>;

    /// Replaces what is kept of a migration, and adds events to its history, oldest first. When the migration ends by this, the audit
    /// log gets an entry. All of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Transition`] unless each change of phase is in the table ([`Phase::may_become`]) and told by an event. Also when
    /// there is no such migration.
    async fn update_migration(&self, migration: &Migration, events: &[MigrationEvent]) -> Result<(), StoreError>;

    /// One migration.
    async fn migration(&self, id: MigrationId) -> Result<Option<Migration>, StoreError>;

    /// The migrations that a filter lets through, newest first.
    async fn migrations(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, StoreError>;

    /// All migrations that have not ended, oldest first.
    async fn open_migrations(&self) -> Result<Vec<Migration>, StoreError>;

    /// All migrations that have ended and still need care ([`Migration::needs_care`]), oldest first.
    async fn needing_care(&self) -> Result<Vec<Migration>, StoreError>;

    /// A migration's history, oldest first.
    async fn events(&self, id: MigrationId) -> Result<Vec<MigrationEvent>, StoreError>;

    /// Keeps what was measured of a migration over time, in place of what was kept before.
    async fn keep_trace(&self, id: MigrationId, points: &[TracePoint]) -> Result<(), StoreError>;

    /// What was measured of a migration over time, oldest first; nothing if nothing was kept.
    async fn trace(&self, id: MigrationId) -> Result<Vec<TracePoint>, StoreError>;

    /// Reserves `count` sequence numbers that were never used before, and returns the first.
    async fn reserve_sequence(&self, count: u64) -> Result<u64, StoreError>;
}

/// Whether a record and its new history go on from the phase that is kept.
///
/// # Errors
/// [`StoreError::Transition`]
pub(crate) fn check_transitions(
    kept: Phase,
    migration: &Migration,
    events: &[MigrationEvent],
) -> Result<(), StoreError> {
    let mut now = kept;
    for MigrationEvent { phase, .. } in events {
        if *phase != now && !now.may_become(*phase) {
            return Err(StoreError::Transition { from: now, to: *phase });
        }
        now = *phase;
    }
    if migration.phase == now { Ok(()) } else { Err(StoreError::Transition { from: now, to: migration.phase }) }
}
