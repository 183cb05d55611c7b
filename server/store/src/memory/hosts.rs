//! Hosts, in memory.

use async_trait::async_trait;
use model::{HostName, HostSettings};

use super::MemoryStore;
use crate::{Hosts, StoreError};

#[async_trait]
impl Hosts for MemoryStore {
    async fn hosts(&self) -> Result<Vec<HostSettings>, StoreError> {
        Ok(self.tables().hosts.values().cloned().collect())
    }

    async fn put_host(&self, host: &HostSettings, before: Option<&HostName>) -> Result<(), StoreError> {
        self.unless_broken()?;
        let hosts = &mut self.tables().hosts;
        before.map(|before| hosts.remove(before));
        hosts.insert(host.name.clone(), host.clone());
        Ok(())
    }

    async fn remove_host(&self, name: &HostName) -> Result<(), StoreError> {
        self.unless_broken()?;
        self.tables().hosts.remove(name);
        Ok(())
    }
}
