//! Which hosts have a copy of a VM: to ask each of 200 hosts at every event was a tenth of what the console of a fleet used of its CPU.

use std::collections::{BTreeMap, BTreeSet};

use model::{HostName, VmId};

/// The hosts of each VM, by name.
#[derive(Default)]
pub(super) struct Holders(BTreeMap<VmId, BTreeSet<HostName>>);

impl Holders {
    /// The hosts that have a copy of the VM.
    pub(super) fn of(&self, vm: VmId) -> impl Iterator<Item = &HostName> {
        self.0.get(&vm).into_iter().flatten()
    }

    /// The host has a copy, or none any more.
    pub(super) fn set(&mut self, vm: VmId, host: &HostName, has_it: bool) {
        let hosts = self.0.entry(vm).or_default();
        if has_it && !hosts.contains(host) {
            hosts.insert(host.clone());
        } else if !has_it {
            hosts.remove(host);
        }
        if hosts.is_empty() {
            self.0.remove(&vm);
        }
    }
}
