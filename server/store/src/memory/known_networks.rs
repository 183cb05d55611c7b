//! Known networks, in memory.

use async_trait::async_trait;

use super::{MemoryStore, user_exists};
use crate::{KnownNetworks, StoreError};

#[async_trait]
impl KnownNetworks for MemoryStore {
    async fn add_known_network(&self, user: &str, network: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        user_exists(&tables, user)?;
        tables.known_networks.insert((user.to_owned(), network.to_owned()));
        Ok(())
    }

    async fn is_known_network(&self, user: &str, network: &str) -> Result<bool, StoreError> {
        Ok(self.tables().known_networks.contains(&(user.to_owned(), network.to_owned())))
    }
}
