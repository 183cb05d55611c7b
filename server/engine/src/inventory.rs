//! What the console knows: hosts, the copies of VMs on them, the current migrations; and the one place that tells of changes.
//!
//! Facts come in from the hosts' watchers and the runners; what people see (a VM is its active copy) is derived from them
//! here, and whatever became different is published. Everything happens under one lock, so that a snapshot and the number of
//! the last update in it always belong together.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{
    Change, Code, Connection as Link, Copy, Host, HostName, HostOrigin, Migration, MigrationId, Problem, Snapshot,
    Update, Vm, VmId, VmState,
};

use crate::{Connection, CopyFacts, HostConfig, HostFacts, clock::Clock, feed::Feed};

/// Ended migrations a snapshot shows.
const RECENT: usize = 50;

/// A registered host.
pub(crate) struct HostEntry {
    pub(crate) config: HostConfig,
    pub(crate) connection: Option<Arc<dyn Connection>>,
    pub(crate) facts: Option<HostFacts>,
    link: Link,
    copies: BTreeMap<VmId, CopyFacts>,
}

/// Everything the console knows.
pub(crate) struct Inventory {
    clock: Clock,
    hosts: BTreeMap<HostName, HostEntry>,
    /// As last published.
    published_hosts: BTreeMap<HostName, Host>,
    /// As last published.
    vms: BTreeMap<VmId, Vm>,
    migrations: BTreeMap<MigrationId, Migration>,
    open: BTreeMap<VmId, MigrationId>,
    pub(crate) feed: Feed,
}

impl Inventory {
    pub(crate) fn new(clock: Clock, hosts: Vec<HostConfig>, feed: Feed) -> Self {
        let entry = |config: HostConfig| HostEntry {
            config,
            connection: None,
            facts: None,
            link: Link::Connecting,
            copies: BTreeMap::new(),
        };
        let mut inventory = Self {
            clock,
            hosts: hosts.into_iter().map(|config| (config.name.clone(), entry(config))).collect(),
            published_hosts: BTreeMap::new(),
            vms: BTreeMap::new(),
            migrations: BTreeMap::new(),
            open: BTreeMap::new(),
            feed,
        };
        inventory.publish_hosts();
        inventory
    }

    /// What pages start from.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut vms: Vec<Vm> = self.vms.values().cloned().collect();
        vms.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        Snapshot {
            sequence: self.feed.last(),
            hosts: self.published_hosts.values().cloned().collect(),
            vms,
            migrations: self.migrations.values().rev().cloned().collect(),
        }
    }

    /// A snapshot as an update, for who missed something.
    pub(crate) fn snapshot_update(&self) -> Update {
        let snapshot = self.snapshot();
        Update { sequence: snapshot.sequence, at_ms: self.clock.now_ms(), change: Change::Snapshot(snapshot) }
    }

    pub(crate) fn host(&self, name: &HostName) -> Option<&HostEntry> {
        self.hosts.get(name)
    }

    pub(crate) fn hosts(&self) -> impl Iterator<Item = &HostEntry> {
        self.hosts.values()
    }

    /// The host as people see it.
    pub(crate) fn shown_host(&self, name: &HostName) -> Option<&Host> {
        self.published_hosts.get(name)
    }

    /// The connection to a host, or why there is none.
    pub(crate) fn connection(&self, name: &HostName) -> Result<Arc<dyn Connection>, Problem> {
        let entry = self.hosts.get(name).ok_or_else(|| unknown_host(name.as_str()))?;
        match (&entry.connection, &entry.link) {
            (Some(connection), _) => Ok(Arc::clone(connection)),
            (None, Link::Unreachable { problem, .. }) => Err(problem.clone()),
            (None, _) => Err(Problem::new(Code::HostUnreachable, format!("{name} has not answered yet."))
                .with_fix("Try again in a few seconds.")),
        }
    }

    /// Whether every host was tried at least once.
    pub(crate) fn is_ready(&self) -> bool {
        self.hosts.values().all(|entry| entry.link != Link::Connecting)
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

    /// A host answered: what it is and has replaces what was known.
    pub(crate) fn connected(
        &mut self,
        name: &HostName,
        connection: Arc<dyn Connection>,
        facts: HostFacts,
        copies: Vec<CopyFacts>,
    ) {
        let Some(entry) = self.hosts.get_mut(name) else { return };
        entry.connection = Some(connection);
        entry.facts = Some(facts);
        entry.link = Link::Connected;
        self.replace_copies(name, copies);
    }

    /// A host does not answer. What it had is kept, as unknown.
    pub(crate) fn unreachable(&mut self, name: &HostName, problem: Problem) {
        let now = self.clock.now_ms();
        let Some(entry) = self.hosts.get_mut(name) else { return };
        entry.connection = None;
        let since_ms = match entry.link {
            Link::Unreachable { since_ms, .. } => since_ms,
            _ => now,
        };
        entry.link = Link::Unreachable { since_ms, problem };
        let affected: Vec<VmId> = entry.copies.keys().copied().collect();
        self.publish(affected);
    }

    /// All copies a host has.
    pub(crate) fn replace_copies(&mut self, name: &HostName, copies: Vec<CopyFacts>) {
        let Some(entry) = self.hosts.get_mut(name) else { return };
        let now: BTreeMap<VmId, CopyFacts> = copies.into_iter().map(|copy| (copy.vm, copy)).collect();
        let affected: BTreeSet<VmId> = entry.copies.keys().chain(now.keys()).copied().collect();
        entry.copies = now;
        self.publish(affected);
    }

    /// One copy changed, or is gone.
    pub(crate) fn set_copy(&mut self, name: &HostName, vm: VmId, copy: Option<CopyFacts>) {
        let Some(entry) = self.hosts.get_mut(name) else { return };
        match copy {
            Some(copy) => entry.copies.insert(vm, copy),
            None => entry.copies.remove(&vm),
        };
        self.publish([vm]);
    }

    /// A host's facts, free memory above all.
    pub(crate) fn set_facts(&mut self, name: &HostName, facts: HostFacts) {
        let Some(entry) = self.hosts.get_mut(name) else { return };
        entry.facts = Some(facts);
        self.publish_hosts();
    }

    pub(crate) fn copy(&self, host: &HostName, vm: VmId) -> Option<&CopyFacts> {
        self.hosts.get(host)?.copies.get(&vm)
    }

    /// Claims the VM for a migration: the one place where two at once are told apart.
    pub(crate) fn claim(&mut self, vm: VmId, migration: MigrationId) -> Result<(), MigrationId> {
        match self.open.get(&vm) {
            Some(open) => Err(*open),
            None => {
                self.open.insert(vm, migration);
                Ok(())
            }
        }
    }

    /// Gives a claim back that came to nothing.
    pub(crate) fn release(&mut self, vm: VmId) {
        self.open.remove(&vm);
    }

    pub(crate) fn migration(&self, id: MigrationId) -> Option<&Migration> {
        self.migrations.get(&id)
    }

    /// Ended migrations of an earlier run of the console, for the pages.
    pub(crate) fn remember(&mut self, migrations: Vec<Migration>) {
        self.migrations.extend(migrations.into_iter().map(|migration| (migration.id, migration)));
    }

    /// A migration's new state. Once it has ended, the VM is free again.
    pub(crate) fn set_migration(&mut self, migration: Migration) {
        let (vm, ended) = (migration.vm, migration.phase.has_ended());
        if ended && self.open.get(&vm) == Some(&migration.id) {
            self.open.remove(&vm);
        }
        let begins_or_ends = ended || !self.migrations.contains_key(&migration.id);
        self.migrations.insert(migration.id, migration.clone());
        self.tell(Change::Migration(Box::new(migration)));
        if begins_or_ends {
            self.forget_old_migrations();
            self.publish([vm]);
        }
    }

    fn forget_old_migrations(&mut self) {
        let ended: Vec<MigrationId> =
            self.migrations.values().filter(|migration| migration.phase.has_ended()).map(|m| m.id).collect();
        for id in ended.iter().rev().skip(RECENT) {
            self.migrations.remove(id);
        }
    }

    fn tell(&mut self, change: Change) {
        self.feed.publish(self.clock.now_ms(), change);
    }

    /// Tells of whatever became different: these VMs, and the hosts.
    fn publish(&mut self, affected: impl IntoIterator<Item = VmId>) {
        for id in affected {
            match self.derive(id) {
                Some(vm) if self.vms.get(&id) != Some(&vm) => {
                    self.vms.insert(id, vm.clone());
                    self.tell(Change::Vm(vm));
                }
                None if self.vms.remove(&id).is_some() => self.tell(Change::VmGone(id)),
                _ => {}
            }
        }
        self.publish_hosts();
    }

    fn publish_hosts(&mut self) {
        let mut counts: BTreeMap<&HostName, (u32, u32)> = BTreeMap::new();
        for vm in self.vms.values() {
            let (vms, active) = counts.entry(&vm.host).or_default();
            *vms += 1;
            *active += u32::from(vm.state.is_active());
        }
        let shown: Vec<Host> = self
            .hosts
            .values()
            .map(|entry| entry.shown(counts.get(&entry.config.name).copied().unwrap_or_default()))
            .collect();
        for host in shown {
            if self.published_hosts.get(&host.name) != Some(&host) {
                self.published_hosts.insert(host.name.clone(), host.clone());
                self.tell(Change::Host(host));
            }
        }
    }

    /// The VM, from its copies: the active one speaks for it. None if no host has one, or only one that is still arriving.
    fn derive(&self, id: VmId) -> Option<Vm> {
        let open = self.open.get(&id).and_then(|migration| self.migrations.get(migration));
        let mut copies: Vec<(&HostEntry, &CopyFacts)> =
            self.hosts.values().filter_map(|entry| Some((entry, entry.copies.get(&id)?))).collect();
        copies.retain(|(_, copy)| !copy.incoming);
        copies.sort_by_key(|(entry, copy)| std::cmp::Reverse(rank(entry, copy, open)));
        let (at, copy) = copies.first()?;
        let between = |name: &HostName| open.is_some_and(|open| *name == open.source || *name == open.destination);
        let other_copies = copies[1..]
            .iter()
            // While it moves, what its two hosts have is the migration's affair, which asks both at the end.
            .filter(|(entry, _)| !between(&entry.config.name))
            .map(|(entry, copy)| Copy { host: entry.config.name.clone(), state: entry.state_of(copy) })
            .collect();
        Some(Vm {
            id,
            name: copy.name.clone(),
            host: at.config.name.clone(),
            state: if copy.outgoing { VmState::Running } else { at.state_of(copy) },
            vcpus: copy.vcpus,
            memory_bytes: copy.memory_bytes,
            persistent: copy.persistent,
            other_copies,
            migration: self.open.get(&id).copied(),
        })
    }
}

impl HostEntry {
    /// A copy's state; of a host that does not answer nobody knows.
    fn state_of(&self, copy: &CopyFacts) -> VmState {
        if self.link == Link::Connected { copy.state } else { VmState::Unknown }
    }

    fn shown(&self, (vms, vms_active): (u32, u32)) -> Host {
        let facts = self.facts.as_ref();
        Host {
            name: self.config.name.clone(),
            address: self.config.transport.address(),
            origin: HostOrigin::Configured,
            connection: self.link.clone(),
            latency_ms: facts.map(|facts| facts.latency_ms),
            cpu_model: facts.and_then(|facts| facts.cpu_model.clone()),
            cpus: facts.map_or(0, |facts| facts.cpus),
            memory_bytes: facts.map_or(0, |facts| facts.memory_bytes),
            memory_free_bytes: facts.map_or(0, |facts| facts.memory_free_bytes),
            vms,
            vms_active,
            libvirt_version: facts.map(|facts| facts.libvirt_version.clone()),
            hypervisor_version: facts.map(|facts| facts.hypervisor_version.clone()),
            bandwidth_mib_s: self.config.bandwidth_mib_s,
        }
    }
}

/// Which copy is the VM: the highest.
fn rank(entry: &HostEntry, copy: &CopyFacts, open: Option<&Migration>) -> (bool, bool, bool, bool) {
    let answers = entry.link == Link::Connected;
    let runs = copy.state == VmState::Running;
    (
        // While it moves the VM is at the source for as long as anything is; the row must not jump to and fro.
        open.is_some_and(|open| entry.config.name == open.source) && copy.state.is_active(),
        runs && answers,
        copy.state.is_active(),
        answers,
    )
}

/// No host is registered under this name or address.
pub(crate) fn unknown_host(name: &str) -> Problem {
    Problem::new(Code::UnknownHost, format!("No host called {name:?} is registered."))
        .with_fix("Use the name or address of a registered host.")
}
