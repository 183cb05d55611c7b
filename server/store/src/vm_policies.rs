//! The policies that VMs have of their own.

use async_trait::async_trait;
use model::{PolicyDefaults, VmId};

use crate::StoreError;

/// The policies of migrations that choose none, of VMs that have their own. All methods fail when the database does.
#[async_trait]
pub trait VmPolicies: Send + Sync + 'static {
    /// All of them.
    async fn policy_defaults(&self) -> Result<Vec<(VmId, PolicyDefaults)>, StoreError>;

    /// Those of a VM from now on.
    async fn set_policy_defaults(&self, vm: VmId, defaults: PolicyDefaults) -> Result<(), StoreError>;
}
