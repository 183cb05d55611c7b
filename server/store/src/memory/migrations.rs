//! Migrations, in memory.

use async_trait::async_trait;
use model::{Migration, MigrationEvent, MigrationFilter, MigrationId, TracePoint};

use super::MemoryStore;
use crate::{Action, Migrations, StoreError, migrations::check_transitions};

#[async_trait]
impl Migrations for MemoryStore {
    async fn insert_migration(&self, migration: &Migration) -> Result<(), StoreError> {
        let _open = self.gate.read().await;
        self.unless_broken()?;
        let mut tables = self.tables();
        let mut kept = tables.migrations.values().map(|(migration, _)| migration);
        if let Some(open) = kept.find(|kept| kept.vm == migration.vm && !kept.phase.has_ended()) {
            return Err(StoreError::Open(open.id));
        }
        if tables.migrations.contains_key(&migration.id) {
            return Err(StoreError::other(format!("there is a migration {} already", migration.id)));
        }
        tables.migrations.insert(migration.id, (migration.clone(), Vec::new()));
        tables.add_entry(&migration.requested_by, Action::MigrationStarted(migration));
        Ok(())
    }

    async fn update_migration(&self, migration: &Migration, events: &[MigrationEvent]) -> Result<(), StoreError> {
        self.unless_broken()?;
        let mut tables = self.tables();
        let (kept, history) = tables
            .migrations
            .get_mut(&migration.id)
            .ok_or_else(|| StoreError::other(format!("there is no migration {}", migration.id)))?;
        check_transitions(kept.phase, migration, events)?;
        let was_open = !kept.phase.has_ended();
        kept.clone_from(migration);
        history.extend_from_slice(events);
        if was_open && migration.phase.has_ended() {
            tables.add_entry(&migration.requested_by, Action::MigrationEnded(migration));
        }
        Ok(())
    }

    async fn migration(&self, id: MigrationId) -> Result<Option<Migration>, StoreError> {
        Ok(self.tables().migrations.get(&id).map(|(migration, _)| migration.clone()))
    }

    async fn migrations(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, StoreError> {
        let tables = self.tables();
        let kept = tables.migrations.values().rev().map(|(migration, _)| migration);
        Ok(kept.filter(|migration| filter.lets_through(migration)).take(filter.limit as usize).cloned().collect())
    }

    async fn open_migrations(&self) -> Result<Vec<Migration>, StoreError> {
        let tables = self.tables();
        let kept = tables.migrations.values().map(|(migration, _)| migration);
        Ok(kept.filter(|migration| !migration.phase.has_ended()).cloned().collect())
    }

    async fn needing_care(&self) -> Result<Vec<Migration>, StoreError> {
        let tables = self.tables();
        let kept = tables.migrations.values().map(|(migration, _)| migration);
        Ok(kept.filter(|migration| migration.needs_care()).cloned().collect())
    }

    async fn events(&self, id: MigrationId) -> Result<Vec<MigrationEvent>, StoreError> {
        Ok(self.tables().migrations.get(&id).map(|(_, events)| events.clone()).unwrap_or_default())
    }

    async fn keep_trace(&self, id: MigrationId, points: &[TracePoint]) -> Result<(), StoreError> {
        self.unless_broken()?;
        let mut tables = self.tables();
        if !tables.migrations.contains_key(&id) {
            return Err(StoreError::other(format!("there is no migration {id}")));
        }
        tables.traces.insert(id, points.to_vec());
        Ok(())
    }

    async fn trace(&self, id: MigrationId) -> Result<Vec<TracePoint>, StoreError> {
        Ok(self.tables().traces.get(&id).cloned().unwrap_or_default())
    }

    async fn reserve_sequence(&self, count: u64) -> Result<u64, StoreError> {
        let sequence = &mut self.tables().sequence;
        let first = *sequence + 1;
        *sequence += count;
        Ok(first)
    }
}
