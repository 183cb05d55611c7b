//! Since when VMs run, as far as the console has seen. No call of libvirt tells it, and an agent in the guest only of the guest's system.

use std::collections::BTreeMap;

use model::{Started, Vm, VmId, VmState};

use super::Inventory;

/// What was seen of VMs that have a process. A VM keeps it when it migrates.
pub(super) type AllStarted = BTreeMap<VmId, Started>;

impl Inventory {
    /// Since when a VM has a process.
    pub(crate) fn started(&self, vm: VmId) -> Option<Started> {
        self.started.get(&vm).copied()
    }

    /// Looks whether a VM has started or ended. One whose host does not answer may have ended and started meanwhile; one that moves is
    /// still the same.
    pub(super) fn note_start(&mut self, before: Option<VmState>, now: &Vm) {
        if now.state.has_process() {
            let seen = before == Some(VmState::ShutOff);
            let started = Started { at_ms: self.clock.now_ms(), seen };
            self.started.entry(now.id).or_insert(started);
        } else if now.migration.is_none() {
            self.started.remove(&now.id);
        }
    }
}
