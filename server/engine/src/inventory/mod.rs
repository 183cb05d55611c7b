//! What the console knows: hosts, the copies of VMs on them, the current migrations; and the one place that tells of changes.
//!
//! Facts come in from the hosts' watchers and the runners; what people see (a VM is its active copy) is derived from them
//! here, and whatever became different is published. Everything happens under one lock, so that a snapshot and the number of
//! the last update in it always belong together.

mod addresses;
mod evacuations;
mod feed;
mod holders;
mod host;
mod hosts;
mod migrations;
mod peer_logins;
mod policy_defaults;
mod reservations;
mod scope;
mod shown;
mod sleep;
mod started;
mod summary;
mod tally;
mod viewer;
mod watched;

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

pub(crate) use feed::{Feed, RESERVED};
use holders::Holders;
use host::Link;
pub(crate) use host::{HostEntry, LoginOverride, Watch};
use model::{
    Change, EvacuationId, Host, HostName, Migration, MigrationId, PolicyDefaults, StoreOutage, Update, Vm, VmId,
};
use peer_logins::PeerLogins;
pub(crate) use reservations::Reservation;
use summary::Summarised;
use tally::Tally;
use tokio::sync::watch;
pub(crate) use viewer::{Viewer, subscribe};

use crate::{
    clock::Clock,
    hypervisor::{CopyFacts, HostConnection, HostError, StateReason},
};

/// The part of a VM that moves in the inventory: neither the VM nor its two hosts may be meddled with.
pub(crate) struct Claim {
    pub(crate) migration: MigrationId,
    pub(crate) source: HostName,
    pub(crate) destination: HostName,
    /// Why the source's copy has stopped, if it has.
    stopped: Option<StateReason>,
}

/// Everything the console knows.
pub(crate) struct Inventory {
    clock: Clock,
    hosts: BTreeMap<HostName, HostEntry>,
    holders: Holders,
    /// As last published.
    published_hosts: BTreeMap<HostName, Host>,
    /// As last published.
    vms: BTreeMap<VmId, Vm>,
    migrations: BTreeMap<MigrationId, Migration>,
    open: BTreeMap<VmId, Claim>,
    /// The number of the latest host entry.
    entries: u64,
    /// Those that VMs have of their own.
    policy_defaults: BTreeMap<VmId, PolicyDefaults>,
    addresses: addresses::Told,
    started: started::AllStarted,
    store_outage: Option<StoreOutage>,
    /// The number of the last change of any evacuation.
    evacuations: u64,
    /// What open evacuations have reserved.
    reservations: BTreeMap<EvacuationId, Vec<Reservation>>,
    tally: Tally,
    summarised: Summarised,
    pub(crate) peer_logins: PeerLogins,
    feed: Feed,
    /// Tells whenever a host has connected.
    arrivals: watch::Sender<()>,
}

impl Inventory {
    pub(crate) fn new(clock: Clock, feed: Feed) -> Self {
        Self {
            clock,
            hosts: BTreeMap::new(),
            holders: Holders::default(),
            published_hosts: BTreeMap::new(),
            vms: BTreeMap::new(),
            migrations: BTreeMap::new(),
            open: BTreeMap::new(),
            entries: 0,
            policy_defaults: BTreeMap::new(),
            addresses: addresses::Told::new(),
            started: started::AllStarted::new(),
            store_outage: None,
            // Another than any of an earlier run, whose last changes a program may have missed.
            evacuations: feed.last(),
            reservations: BTreeMap::new(),
            tally: Tally::default(),
            summarised: Summarised::default(),
            peer_logins: PeerLogins::default(),
            feed,
            arrivals: watch::Sender::new(()),
        }
    }

    /// Changes as an update, as of now.
    fn update(&self, changes: Vec<Change>) -> Update {
        Update { sequence: self.feed.last(), at_ms: self.clock.now_ms(), changes }
    }

    pub(crate) fn host(&self, name: &HostName) -> Option<&HostEntry> {
        self.hosts.get(name)
    }

    pub(crate) fn hosts(&self) -> impl Iterator<Item = &HostEntry> {
        self.hosts.values()
    }

    /// Who watches the hosts now.
    pub(crate) fn watches(&self) -> Vec<Watch> {
        self.hosts.values().map(|entry| entry.watch.clone()).collect()
    }

    /// Tells, from now on, whenever anything has changed.
    pub(crate) fn listen(&self) -> watch::Receiver<u64> {
        self.feed.listen()
    }

    /// Tells, from now on, whenever a host has connected.
    pub(crate) fn arrivals(&self) -> watch::Receiver<()> {
        self.arrivals.subscribe()
    }

    /// The host as people see it.
    pub(crate) fn shown_host(&self, name: &HostName) -> Option<&Host> {
        self.published_hosts.get(name)
    }

    /// The connection to a host, or why there is none.
    pub(crate) fn connection(&self, name: &HostName) -> Result<Arc<dyn HostConnection>, HostError> {
        let entry = self.hosts.get(name).ok_or_else(|| HostError::unknown_host(name.as_str()))?;
        match (&entry.connection, &entry.link) {
            (Some(connection), _) => Ok(Arc::clone(connection)),
            (None, Link::Unreachable { error, .. }) => Err(error.clone()),
            (None, _) => Err(HostError::not_answered_yet(name)),
        }
    }

    /// Whether every host was tried at least once.
    pub(crate) fn is_ready(&self) -> bool {
        self.hosts.values().all(|entry| !matches!(entry.link, Link::Connecting))
    }

    pub(crate) fn vm(&self, id: VmId) -> Option<&Vm> {
        self.vms.get(&id)
    }

    pub(crate) fn vms(&self) -> impl Iterator<Item = &Vm> {
        self.vms.values()
    }

    /// A VM other than this one that has this name on this host.
    pub(crate) fn namesake(&self, vm: VmId, name: &str, host: &HostName) -> Option<VmId> {
        let copies = &self.hosts.get(host)?.copies;
        copies.values().find(|copy| copy.name == name && copy.vm != vm).map(|copy| copy.vm)
    }

    /// All copies a host has.
    pub(crate) fn replace_copies(&mut self, name: &HostName, copies: Vec<CopyFacts>) {
        let Some(entry) = self.hosts.get_mut(name) else { return };
        let now: BTreeMap<VmId, CopyFacts> = copies.into_iter().map(|copy| (copy.vm, copy)).collect();
        let affected: BTreeSet<VmId> = entry.copies.keys().chain(now.keys()).copied().collect();
        affected.iter().for_each(|vm| self.holders.set(*vm, name, now.contains_key(vm)));
        entry.copies = now;
        self.publish(affected);
        self.publish_host(name);
    }

    /// One copy changed, or is gone.
    pub(crate) fn set_copy(&mut self, name: &HostName, vm: VmId, copy: Option<CopyFacts>) {
        let Some(entry) = self.hosts.get_mut(name) else { return };
        self.holders.set(vm, name, copy.is_some());
        match copy {
            Some(copy) => entry.copies.insert(vm, copy),
            None => entry.copies.remove(&vm),
        };
        self.publish([vm]);
    }

    pub(crate) fn copy(&self, host: &HostName, vm: VmId) -> Option<&CopyFacts> {
        self.hosts.get(host)?.copies.get(&vm)
    }

    /// A copy has stopped. Kept of a VM that is being moved, at its source.
    pub(crate) fn stopped(&mut self, host: &HostName, vm: VmId, reason: StateReason) {
        if let Some(claim) = self.open.get_mut(&vm).filter(|claim| claim.source == *host) {
            claim.stopped = Some(reason);
        } else if self.vms.get(&vm).is_some_and(|vm| vm.host == *host) {
            // It may run again before its state is asked for.
            self.started.remove(&vm);
        }
    }

    /// Why the copy of a VM that is being moved was last said to have stopped at this host; none if it was not.
    pub(crate) fn stop_reason(&self, host: &HostName, vm: VmId) -> Option<StateReason> {
        self.open.get(&vm).filter(|claim| claim.source == *host)?.stopped
    }

    /// Claims the VM and its two hosts for a migration: the one place where two at once are told apart.
    pub(crate) fn claim(&mut self, migration: &Migration) -> Result<(), MigrationId> {
        match self.open.entry(migration.vm) {
            Entry::Occupied(open) => Err(open.get().migration),
            Entry::Vacant(free) => {
                let Migration { id, source, destination, .. } = migration.clone();
                free.insert(Claim { migration: id, source, destination, stopped: None });
                Ok(())
            }
        }
    }

    /// The migration that has claimed the VM.
    pub(crate) fn open_migration(&self, vm: VmId) -> Option<MigrationId> {
        self.open.get(&vm).map(|claim| claim.migration)
    }

    /// Gives a claim back that came to nothing, or that is not of a migration under way.
    pub(crate) fn release(&mut self, vm: VmId) {
        self.open.remove(&vm);
        self.publish([vm]);
    }

    /// The store can't be written, or can be again.
    pub(crate) fn set_store_outage(&mut self, outage: Option<StoreOutage>) {
        if self.store_outage != outage {
            self.store_outage = outage;
            self.feed.change();
        }
    }
}
