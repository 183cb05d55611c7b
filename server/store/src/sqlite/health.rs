//! Whether the file can be written.

use async_trait::async_trait;
use tokio::sync::watch;

use super::SqliteStore;
use crate::{Health, StoreError, StoreFault};

#[async_trait]
impl Health for SqliteStore {
    fn condition(&self) -> watch::Receiver<Option<StoreFault>> {
        self.condition.watch()
    }

    async fn try_to_write(&self) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        writing.execute(sqlx::query("UPDATE sequence SET next = next")).await?;
        writing.commit().await
    }
}
