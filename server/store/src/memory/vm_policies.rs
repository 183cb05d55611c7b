//! The policies that VMs have of their own, in memory.

use async_trait::async_trait;
use model::{PolicyDefaults, VmId};

use super::MemoryStore;
use crate::{StoreError, VmPolicies};

#[async_trait]
impl VmPolicies for MemoryStore {
    async fn policy_defaults(&self) -> Result<Vec<(VmId, PolicyDefaults)>, StoreError> {
        Ok(self.tables().vm_policies.iter().map(|(vm, defaults)| (*vm, *defaults)).collect())
    }

    async fn set_policy_defaults(&self, vm: VmId, defaults: PolicyDefaults) -> Result<(), StoreError> {
        self.unless_broken()?;
        self.tables().vm_policies.insert(vm, defaults);
        Ok(())
    }
}
