//! The policy of migrations that choose none.

use model::{MigrationOptions, PolicyDefaults, VmId};

use super::Inventory;

impl Inventory {
    /// Fills in what was not chosen for a migration of this VM: with its own defaults, or else those of its host.
    pub(crate) fn with_policy_defaults(&self, vm: VmId, options: MigrationOptions) -> MigrationOptions {
        let Some(vm) = self.vms.get(&vm) else { return options };
        vm.effective_policy_defaults(self.shown_host(&vm.host)).fill_in(options)
    }

    /// These are the VM's own from now on.
    pub(crate) fn set_policy_defaults(&mut self, vm: VmId, defaults: PolicyDefaults) {
        self.policy_defaults.insert(vm, defaults);
        self.publish([vm]);
    }
}
