//! Known networks, in SQLite.

use async_trait::async_trait;

use super::{SqliteStore, fault::failed};
use crate::{KnownNetworks, StoreError};

#[async_trait]
impl KnownNetworks for SqliteStore {
    async fn add_known_network(&self, user: &str, network: &str) -> Result<(), StoreError> {
        let insert = sqlx::query("INSERT INTO known_networks (user, network) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(user)
            .bind(network);
        let mut writing = self.write().await?;
        writing.execute(insert).await?;
        writing.commit().await
    }

    async fn is_known_network(&self, user: &str, network: &str) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM known_networks WHERE user = ? AND network = ?)")
            .bind(user)
            .bind(network)
            .fetch_one(&self.readers)
            .await
            .map_err(failed)
    }
}
