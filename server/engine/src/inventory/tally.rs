//! What is counted of VMs, kept whenever one becomes different. A walk over 10,000 of them at each change of one was seven tenths of what
//! the console of a fleet used of its CPU.

use std::collections::{BTreeMap, BTreeSet};

use model::{HostName, Vm, VmId};

/// What hosts have, and which VMs are remarkable.
#[derive(Default)]
pub(super) struct Tally {
    /// How many VMs each host has, and how many of them are active.
    on: BTreeMap<HostName, (u32, u32)>,
    /// VMs that run on several hosts, and those with twins.
    remarkable: BTreeSet<VmId>,
}

impl Tally {
    /// The VMs of a host, and those of them that are active.
    pub(super) fn of(&self, host: &HostName) -> (u32, u32) {
        self.on.get(host).copied().unwrap_or_default()
    }

    /// VMs that run on several hosts, and those with twins.
    pub(super) fn remarkable(&self) -> impl Iterator<Item = &VmId> {
        self.remarkable.iter()
    }

    /// A VM is listed from now on.
    pub(super) fn add(&mut self, vm: &Vm) {
        for vm in each(vm) {
            let (vms, active) = self.on.entry(vm.host.clone()).or_default();
            *vms += 1;
            *active += u32::from(vm.state.is_active());
        }
        if !vm.twins.is_empty() || vm.runs_twice() {
            self.remarkable.insert(vm.id);
        }
    }

    /// A VM that was listed like this is not any more.
    pub(super) fn remove(&mut self, vm: &Vm) {
        for vm in each(vm) {
            let Some((vms, active)) = self.on.get_mut(&vm.host) else { continue };
            *vms -= 1;
            *active -= u32::from(vm.state.is_active());
            if *vms == 0 {
                self.on.remove(&vm.host);
            }
        }
        self.remarkable.remove(&vm.id);
    }
}

/// A VM, and others with its UUID.
pub(super) fn each(vm: &Vm) -> impl Iterator<Item = &Vm> {
    std::iter::once(vm).chain(&vm.twins)
}
