//! Hosts in maintenance, and what evacuations look at.

use model::{HostName, Maintenance, Migration, VmId};

use super::Inventory;
use crate::hypervisor::{CopyFacts, HostFacts};

impl Inventory {
    /// The host is in this stage of maintenance, or (none) in use.
    pub(crate) fn set_maintenance(&mut self, name: &HostName, maintenance: Option<Maintenance>) {
        let Some(entry) = self.hosts.get_mut(name) else { return };
        entry.maintenance = maintenance;
        self.publish_host(name);
    }

    /// The host's stage of maintenance; none in ordinary use.
    pub(crate) fn maintenance(&self, name: &HostName) -> Option<&Maintenance> {
        self.hosts.get(name)?.maintenance.as_ref()
    }

    /// The hosts that are not in ordinary use.
    pub(crate) fn in_maintenance(&self) -> impl Iterator<Item = (&HostName, &Maintenance)> {
        self.hosts.values().filter_map(|entry| Some((&entry.config.name, entry.maintenance.as_ref()?)))
    }

    /// The migrations that have not ended.
    pub(crate) fn open_migrations(&self) -> impl Iterator<Item = &Migration> {
        self.open.values().filter_map(|claim| self.migrations.get(&claim.migration))
    }

    /// All copies that a host has, as it last said.
    pub(crate) fn copies(&self, name: &HostName) -> impl Iterator<Item = (VmId, &CopyFacts)> {
        self.hosts.get(name).into_iter().flat_map(|entry| entry.copies.iter().map(|(vm, copy)| (*vm, copy)))
    }

    /// What a host has told of itself just now.
    pub(crate) fn set_facts(&mut self, name: &HostName, facts: HostFacts) {
        let Some(entry) = self.hosts.get_mut(name) else { return };
        entry.facts = Some(facts);
        self.publish_host(name);
    }

    /// Whether the VM's latest migration needs attention.
    pub(crate) fn is_in_doubt(&self, vm: VmId) -> bool {
        self.in_doubt(vm).is_some()
    }

    /// Something of an evacuation has changed.
    pub(crate) fn evacuations_changed(&mut self) {
        self.evacuations = self.feed.change();
    }
}
