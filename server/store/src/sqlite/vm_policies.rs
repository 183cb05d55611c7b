//! The policies that VMs have of their own, in SQLite.

use async_trait::async_trait;
use model::{PolicyDefaults, VmId};

use super::{SqliteStore, fault::failed, from_json, to_json};
use crate::{StoreError, VmPolicies};

#[async_trait]
impl VmPolicies for SqliteStore {
    async fn policy_defaults(&self) -> Result<Vec<(VmId, PolicyDefaults)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT vm, defaults FROM vm_policies ORDER BY vm")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|(vm, defaults)| {
                Ok((vm.parse().map_err(|_| StoreError::other("an id is damaged"))?, from_json(defaults)?))
            })
            .collect()
    }

    async fn set_policy_defaults(&self, vm: VmId, defaults: PolicyDefaults) -> Result<(), StoreError> {
        let insert = sqlx::query("INSERT OR REPLACE INTO vm_policies (vm, defaults) VALUES (?, ?)")
            .bind(vm.to_string())
            .bind(to_json(&defaults)?);
        let mut writing = self.write().await?;
        writing.execute(insert).await?;
        writing.commit().await
    }
}
