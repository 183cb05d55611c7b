//! A store in memory, for tests: the same contract as the database, with faults to order. A file here for each noun.

mod audit;
mod evacuations;
mod health;
mod hosts;
mod known_networks;
mod login_failures;
mod migrations;
mod sessions;
mod users;
mod vm_policies;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use model::{
    Evacuation, EvacuationEvent, EvacuationId, HookEvent, HookEventId, HostName, HostSettings, Maintenance, Migration,
    MigrationEvent, MigrationId, PlacementRules, PolicyDefaults, TracePoint, VmId,
};
use tokio::sync::{RwLock, RwLockWriteGuard};

use crate::{AuditEntry, SessionRecord, Store, StoreError, StoreFault, health::Condition};

/// A store in memory. Share it (`Arc`) to open it again as after a restart.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
    /// Why nothing of the engine can be written.
    fault: Mutex<Option<StoreFault>>,
    condition: Condition,
    /// New migrations wait for this.
    gate: RwLock<()>,
}

/// Everything, under one lock: each method is a transaction.
#[derive(Debug, Default)]
struct Tables {
    migrations: BTreeMap<MigrationId, (Migration, Vec<MigrationEvent>)>,
    traces: BTreeMap<MigrationId, Vec<TracePoint>>,
    /// How many sequence numbers are reserved.
    sequence: u64,
    hosts: BTreeMap<HostName, HostSettings>,
    vm_policies: BTreeMap<VmId, PolicyDefaults>,
    evacuations: BTreeMap<EvacuationId, (Evacuation, Vec<EvacuationEvent>)>,
    maintenance: BTreeMap<HostName, Maintenance>,
    hooks_to_tell: BTreeMap<HookEventId, HookEvent>,
    placement_rules: PlacementRules,
    /// Hashes of passwords by user.
    users: BTreeMap<String, String>,
    sessions: BTreeMap<String, SessionRecord>,
    known_networks: BTreeSet<(String, String)>,
    /// How many failures, and when the last was, by key.
    login_failures: BTreeMap<String, (u32, i64)>,
    audit: Vec<AuditEntry>,
}

impl MemoryStore {
    /// From now on no migration and no host can be changed, as when a disk is full; or they can again.
    pub fn set_broken(&self, broken: bool) {
        self.set_fault(broken.then_some(StoreFault::Full));
    }

    /// The same, for any reason.
    pub fn set_fault(&self, fault: Option<StoreFault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// New migrations wait until what this returns is dropped, as when the database is locked.
    pub async fn hold_inserts(&self) -> RwLockWriteGuard<'_, ()> {
        self.gate.write().await
    }

    /// What every write of the engine begins with.
    fn unless_broken(&self) -> Result<(), StoreError> {
        let fault = *self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Some(fault) => {
                self.condition.failed(fault);
                Err(StoreError::Failed { fault, words: "broken on purpose".to_owned() })
            }
            None => {
                self.condition.written();
                Ok(())
            }
        }
    }

    /// A panic elsewhere does not make what is inside wrong: every change to it is whole.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn close(&self) {}
}

/// As the foreign keys of the database do.
fn user_exists(tables: &Tables, user: &str) -> Result<(), StoreError> {
    match tables.users.contains_key(user) {
        true => Ok(()),
        false => Err(StoreError::other(format!("there is no user {user}"))),
    }
}
