//! Whether anything can be changed, in memory.

use async_trait::async_trait;
use tokio::sync::watch;

use super::MemoryStore;
use crate::{Health, StoreError, StoreFault};

#[async_trait]
impl Health for MemoryStore {
    fn condition(&self) -> watch::Receiver<Option<StoreFault>> {
        self.condition.watch()
    }

    async fn try_to_write(&self) -> Result<(), StoreError> {
        self.unless_broken()
    }
}
