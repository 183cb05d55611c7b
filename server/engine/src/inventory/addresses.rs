//! The IP addresses of VMs, as far as they are known without asking each guest: for the search.

use std::collections::BTreeMap;

use model::{Vm, VmId};

use super::{Inventory, Watch};
use crate::hypervisor::Lease;

/// What was told of VMs whose page was open: by the agents in them, and by their hosts.
pub(super) type Told = BTreeMap<VmId, Vec<String>>;

impl Inventory {
    /// What a host's networks have given out.
    pub(crate) fn set_leases(&mut self, watch: &Watch, mut leases: Vec<Lease>) {
        leases.sort();
        let Some(entry) = self.watched(watch).filter(|entry| entry.leases != leases) else { return };
        entry.leases = leases;
        self.feed.vms();
    }

    /// What was told of a VM whose page is open.
    pub(crate) fn set_addresses(&mut self, vm: VmId, addresses: Vec<String>) {
        let known = self.addresses.get(&vm).map(Vec::as_slice).unwrap_or_default();
        if self.vms.contains_key(&vm) && *known != addresses {
            self.addresses.insert(vm, addresses);
            self.feed.vms();
        }
    }

    /// Whether a VM has an address that begins so, of those that its host has given out, or that were told when its page was open. What
    /// is off has none.
    pub(super) fn has_address(&self, vm: &Vm, beginning: &str) -> bool {
        let begins =
            |address: &str| address.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning));
        vm.state.has_process()
            && (self.leased(vm).any(begins)
                || self.addresses.get(&vm.id).into_iter().flatten().any(|told| begins(told)))
    }

    fn leased(&self, vm: &Vm) -> impl Iterator<Item = &str> {
        let entry = self.hosts.get(&vm.host);
        let leases = entry.map(|entry| entry.leases.as_slice()).unwrap_or_default();
        let copy = entry.and_then(|entry| entry.copies.get(&vm.id));
        let macs = copy.map(|copy| copy.macs.as_slice()).unwrap_or_default();
        macs.iter().flat_map(move |mac| {
            let from = leases.partition_point(|lease| lease.mac < *mac);
            leases[from..].iter().take_while(move |lease| lease.mac == *mac).map(|lease| lease.address.as_str())
        })
    }
}
