//! What people see follows from what hosts have: a VM is its active copy. Whatever became different is told.

use std::collections::BTreeSet;

use model::{Copy, HostName, Migration, Phase, Vm, VmId, VmState};

use super::{HostEntry, Inventory, tally::each};
use crate::hypervisor::CopyFacts;

impl Inventory {
    /// Tells of whatever became different: these VMs, and the hosts that have them or had them.
    pub(super) fn publish(&mut self, affected: impl IntoIterator<Item = VmId>) {
        let mut hosts = BTreeSet::new();
        for id in affected {
            let now = self.derive(id);
            if let Some(vm) = &now {
                let before = self.vms.get(&id).map(|before| before.state);
                self.note_start(before, vm);
            }
            if self.vms.get(&id) == now.as_ref() {
                continue;
            }
            let before = match &now {
                Some(vm) => self.vms.insert(id, vm.clone()),
                None => self.vms.remove(&id),
            };
            match now {
                Some(_) => self.feed.vm(id),
                None => {
                    self.addresses.remove(&id);
                    self.started.remove(&id);
                    self.feed.vm_gone(id);
                }
            }
            before.iter().for_each(|vm| self.tally.remove(vm));
            now.iter().for_each(|vm| self.tally.add(vm));
            hosts.extend(before.iter().chain(&now).flat_map(each).map(|vm| vm.host.clone()));
        }
        hosts.iter().for_each(|name| self.publish_host(name));
    }

    /// Tells of a host, if it became different.
    pub(super) fn publish_host(&mut self, name: &HostName) {
        let Some(entry) = self.hosts.get(name) else {
            if self.published_hosts.remove(name).is_some() {
                self.feed.host_gone(name);
            }
            return;
        };
        let host = entry.shown(self.tally.of(name), self.memory_reserved(name));
        if self.published_hosts.get(name) != Some(&host) {
            self.feed.host(name);
            self.published_hosts.insert(name.clone(), host);
        }
    }

    /// A copy's state; unknown if its host does not answer.
    fn state_of(&self, entry: &HostEntry, copy: &CopyFacts) -> VmState {
        if entry.link.is_connected() { self.shown_state(&entry.config.name, copy) } else { VmState::Unknown }
    }

    /// The VM, from its copies: the active one speaks for it. None if no host has one, or only one that is still arriving.
    fn derive(&self, id: VmId) -> Option<Vm> {
        let claim = self.open.get(&id);
        let open = claim.and_then(|claim| self.migrations.get(&claim.migration));
        let entries = self.holders.of(id).filter_map(|name| self.hosts.get(name));
        let mut copies: Vec<At<'_>> = entries.filter_map(|entry| Some((entry, entry.copies.get(&id)?))).collect();
        copies.retain(|(_, copy)| !copy.incoming);
        copies.sort_by_key(|(entry, copy)| {
            std::cmp::Reverse(entry.rank(copy, self.shown_state(&entry.config.name, copy), open))
        });
        let mut machines: Vec<Vec<At<'_>>> = Vec::new();
        for copy in copies {
            match machines.iter_mut().find(|machine| self.is_same(machine[0], copy)) {
                Some(machine) => machine.push(copy),
                None => machines.push(vec![copy]),
            }
        }
        let mut vms = machines.iter().map(|copies| self.shown(copies, open)).collect::<Vec<_>>().into_iter();
        let vm = vms.next()?;
        Some(Vm { migration: claim.map(|claim| claim.migration), twins: vms.collect(), ..vm })
    }

    /// Whether two copies with one UUID are one VM. It can be another: a definition that was copied by hand has the UUID of the first
    /// unless it is taken out. Another name is another VM, and so are disks none of which is the other's while both may write to them,
    /// unless a migration says otherwise: one of this console's may have changed both.
    fn is_same(&self, (at, copy): At<'_>, (other_at, other): At<'_>) -> bool {
        if self.is_moved((at, copy), (other_at, other), |_| true) {
            return true;
        }
        let both_may_write = [copy, other].iter().all(|copy| copy.state.may_write() && !copy.outgoing);
        copy.name == other.name && !(both_may_write && share_no_disk(copy, other))
    }

    /// Whether a migration of this console, of those that count, was to bring one copy to where the other is.
    fn is_moved(&self, one: At<'_>, other: At<'_>, counts: impl Fn(&Migration) -> bool) -> bool {
        let is_of = |migration: &Migration, from: At<'_>, to: At<'_>| {
            (&migration.source, &migration.destination) == (&from.0.config.name, &to.0.config.name)
                && migration.vm_name == from.1.name
                && migration.options.new_name.as_ref().unwrap_or(&migration.vm_name) == &to.1.name
        };
        self.migrations
            .values()
            .filter(|migration| migration.vm == one.1.vm && counts(migration))
            .any(|migration| is_of(migration, one, other) || is_of(migration, other, one))
    }

    /// Whether a copy elsewhere has other disks than the VM, and no migration of this console that succeeded says why: it may be another
    /// VM's only definition.
    pub(crate) fn may_be_another(&self, vm: &Vm, host: &HostName, there: &CopyFacts) -> bool {
        let (Some(at), Some(there_at)) = (self.hosts.get(&vm.host), self.hosts.get(host)) else { return false };
        let Some(copy) = at.copies.get(&vm.id) else { return false };
        let has_succeeded = |migration: &Migration| migration.phase == Phase::Succeeded;
        have_other_disks(copy, there) && !self.is_moved((at, copy), (there_at, there), has_succeeded)
    }

    /// A VM by its copies, the highest first.
    fn shown(&self, copies: &[At<'_>], open: Option<&Migration>) -> Vm {
        let (at, copy) = copies[0];
        let between = |name: &HostName| open.is_some_and(|open| *name == open.source || *name == open.destination);
        let other_copies = copies[1..]
            .iter()
            // While it moves, what its two hosts have is the migration's affair, which asks both at the end. Two copies that run are
            // everybody's.
            .filter(|(entry, other)| !between(&entry.config.name) || (!may_switch_over(open) && both_run(copy, other)))
            .map(|(entry, copy)| Copy { host: entry.config.name.clone(), state: self.state_of(entry, copy) })
            .collect();
        Vm {
            id: copy.vm,
            name: copy.name.clone(),
            title: copy.title.clone(),
            tags: copy.tags.clone(),
            host: at.config.name.clone(),
            state: if copy.outgoing { VmState::Running } else { self.state_of(at, copy) },
            vcpus: copy.vcpus,
            vcpus_max: copy.vcpus_max,
            memory_bytes: copy.memory_bytes,
            memory_now_bytes: copy.memory_now_bytes,
            persistent: copy.persistent,
            other_copies,
            twins: Vec::new(),
            migration: None,
            policy_defaults: self.policy_defaults.get(&copy.vm).copied().unwrap_or_default(),
        }
    }
}

/// A copy, and the host that it is on.
type At<'a> = (&'a HostEntry, &'a CopyFacts);

/// Whether the VM may be going from one of the migration's hosts to the other just now: their events need not arrive in order.
fn may_switch_over(open: Option<&Migration>) -> bool {
    open.is_some_and(|open| !matches!(open.phase, Phase::Queued | Phase::Checking | Phase::Verifying))
}

/// Whether both have disks, and none of them is the other's. One without any proves nothing.
fn share_no_disk(one: &CopyFacts, other: &CopyFacts) -> bool {
    let (Some(one), Some(other)) = (&one.disks, &other.disks) else { return false };
    !one.is_empty() && !other.is_empty() && one.iter().all(|disk| !other.contains(disk))
}

/// Whether the disks of both are known, and others.
fn have_other_disks(one: &CopyFacts, other: &CopyFacts) -> bool {
    one.disks.as_ref().zip(other.disks.as_ref()).is_some_and(|(one, other)| one != other)
}

fn both_run(one: &CopyFacts, other: &CopyFacts) -> bool {
    [one, other].iter().all(|copy| copy.state == VmState::Running && !copy.outgoing)
}
