//! A store in memory, for tests.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use model::{HostName, HostSettings, Migration, MigrationEvent, MigrationId};
use tokio::sync::{RwLock, RwLockWriteGuard};

use crate::{Store, StoreError, clock::lock};

/// A store in memory.
#[derive(Default)]
pub struct MemoryStore {
    migrations: Mutex<BTreeMap<MigrationId, (Migration, Vec<MigrationEvent>)>>,
    hosts: Mutex<BTreeMap<HostName, HostSettings>>,
    sequence: Mutex<u64>,
    broken: AtomicBool,
    /// Inserts wait for this.
    gate: RwLock<()>,
}

impl MemoryStore {
    /// From now on nothing can be updated, as when a disk is full; or it can again.
    pub fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::Relaxed);
    }

    fn unless_broken(&self) -> Result<(), StoreError> {
        match self.broken.load(Ordering::Relaxed) {
            true => Err(StoreError::Failed("broken on purpose".to_owned())),
            false => Ok(()),
        }
    }

    /// New migrations wait until what this returns is dropped, as when the database is locked.
    pub async fn hold_inserts(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().await
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn insert(&self, migration: &Migration) -> Result<(), StoreError> {
        let _open = self.gate.read().await;
        let mut migrations = lock(&self.migrations);
        let open = migrations.values().find(|(other, _)| other.vm == migration.vm && !other.phase.has_ended());
        if let Some((other, _)) = open {
            return Err(StoreError::Open(other.id));
        }
        migrations.insert(migration.id, (migration.clone(), Vec::new()));
        Ok(())
    }

    async fn update(&self, migration: &Migration, event: Option<&MigrationEvent>) -> Result<(), StoreError> {
        self.unless_broken()?;
        let mut migrations = lock(&self.migrations);
        let (kept, events) = migrations
            .get_mut(&migration.id)
            .ok_or_else(|| StoreError::Failed(format!("there is no migration {}", migration.id)))?;
        kept.clone_from(migration);
        events.extend(event.cloned());
        Ok(())
    }

    async fn migration(&self, id: MigrationId) -> Result<Option<Migration>, StoreError> {
        Ok(lock(&self.migrations).get(&id).map(|(migration, _)| migration.clone()))
    }

    async fn events(&self, id: MigrationId) -> Result<Vec<MigrationEvent>, StoreError> {
        Ok(lock(&self.migrations).get(&id).map(|(_, events)| events.clone()).unwrap_or_default())
    }

    async fn migrations(&self, before: Option<MigrationId>, limit: u32) -> Result<Vec<Migration>, StoreError> {
        let migrations = lock(&self.migrations);
        let older =
            migrations.values().rev().filter(|(migration, _)| before.is_none_or(|before| migration.id < before));
        Ok(older.take(limit as usize).map(|(migration, _)| migration.clone()).collect())
    }

    async fn open_migrations(&self) -> Result<Vec<Migration>, StoreError> {
        let migrations = lock(&self.migrations);
        let open = migrations.values().filter(|(migration, _)| !migration.phase.has_ended());
        Ok(open.map(|(migration, _)| migration.clone()).collect())
    }

    async fn hosts(&self) -> Result<Vec<HostSettings>, StoreError> {
        Ok(lock(&self.hosts).values().cloned().collect())
    }

    async fn put_host(&self, host: &HostSettings, before: Option<&HostName>) -> Result<(), StoreError> {
        self.unless_broken()?;
        let mut hosts = lock(&self.hosts);
        before.map(|before| hosts.remove(before));
        hosts.insert(host.name.clone(), host.clone());
        Ok(())
    }

    async fn remove_host(&self, name: &HostName) -> Result<(), StoreError> {
        self.unless_broken()?;
        lock(&self.hosts).remove(name);
        Ok(())
    }

    async fn reserve_sequence(&self, count: u64) -> Result<u64, StoreError> {
        let mut sequence = lock(&self.sequence);
        let first = *sequence + 1;
        *sequence += count;
        Ok(first)
    }
}
