//! Which change of the inventory came last, and which was the last of each thing. Numbers only: what is sent to a subscriber is looked up
//! when it is sent, so that a slow one misses nothing and delays no other.

use std::collections::BTreeMap;

use model::{HostName, MigrationId, VmId};
use tokio::sync::watch;

/// Numbers reserved at every start: more than a console can use up before the next one.
pub(crate) const RESERVED: u64 = 1 << 32;

/// Numbers changes, and tells all subscribers of each.
pub(crate) struct Feed {
    last: watch::Sender<u64>,
    hosts: BTreeMap<HostName, u64>,
    vms: BTreeMap<VmId, u64>,
    migrations: BTreeMap<MigrationId, Changed>,
    /// The last change of any VM.
    any_vm: u64,
}

/// When a migration changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Changed {
    /// Something else than its progress.
    pub(crate) whole: u64,
    /// Anything.
    pub(crate) any: u64,
}

impl Feed {
    /// A feed whose first change gets the number `first`.
    pub(crate) fn new(first: u64) -> Self {
        Self {
            last: watch::Sender::new(first - 1),
            hosts: BTreeMap::new(),
            vms: BTreeMap::new(),
            migrations: BTreeMap::new(),
            any_vm: first - 1,
        }
    }

    /// The number of the latest change.
    pub(crate) fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// The number of the latest change, from now on.
    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// Something changed that has no number of its own.
    pub(crate) fn change(&mut self) -> u64 {
        self.last.send_modify(|last| *last += 1);
        self.last()
    }

    pub(crate) fn host(&mut self, name: &HostName) {
        let number = self.change();
        self.hosts.insert(name.clone(), number);
    }

    pub(crate) fn host_gone(&mut self, name: &HostName) {
        self.change();
        self.hosts.remove(name);
    }

    pub(crate) fn vm(&mut self, id: VmId) {
        self.any_vm = self.change();
        self.vms.insert(id, self.any_vm);
    }

    /// Something changed that lists of VMs look at, and no VM.
    pub(crate) fn vms(&mut self) {
        self.any_vm = self.change();
    }

    pub(crate) fn vm_gone(&mut self, id: VmId) {
        self.any_vm = self.change();
        self.vms.remove(&id);
    }

    /// A migration changed; `progress_only` if nothing but that did.
    pub(crate) fn migration(&mut self, id: MigrationId, progress_only: bool) {
        let number = self.change();
        let changed = self.migrations.entry(id).or_default();
        changed.any = number;
        if !progress_only {
            changed.whole = number;
        }
    }

    pub(crate) fn migration_forgotten(&mut self, id: MigrationId) {
        self.migrations.remove(&id);
    }

    /// The last change of a host; 0 if it never changed.
    pub(crate) fn of_host(&self, name: &HostName) -> u64 {
        self.hosts.get(name).copied().unwrap_or_default()
    }

    /// The last change of a VM.
    pub(crate) fn of_vm(&self, id: VmId) -> u64 {
        self.vms.get(&id).copied().unwrap_or_default()
    }

    /// The last changes of a migration.
    pub(crate) fn of_migration(&self, id: MigrationId) -> Changed {
        self.migrations.get(&id).copied().unwrap_or_default()
    }

    /// The last change of any VM.
    pub(crate) fn of_vms(&self) -> u64 {
        self.any_vm
    }
}
