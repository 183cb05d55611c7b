//! Hosts, in SQLite. They are few and searched by name only, so that one document each is enough.

use async_trait::async_trait;
use model::{HostName, HostSettings};

use super::{SqliteStore, fault::failed, from_json, to_json};
use crate::{Hosts, StoreError};

#[async_trait]
impl Hosts for SqliteStore {
    async fn hosts(&self) -> Result<Vec<HostSettings>, StoreError> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT settings FROM hosts ORDER BY name")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.iter().map(|row| from_json(row)).collect()
    }

    async fn put_host(&self, host: &HostSettings, before: Option<&HostName>) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        if let Some(before) = before {
            writing.execute(sqlx::query("DELETE FROM hosts WHERE name = ?").bind(before.as_str())).await?;
        }
        let insert = sqlx::query("INSERT OR REPLACE INTO hosts (name, settings) VALUES (?, ?)")
            .bind(host.name.as_str())
            .bind(to_json(host)?);
        writing.execute(insert).await?;
        writing.commit().await
    }

    async fn remove_host(&self, name: &HostName) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        writing.execute(sqlx::query("DELETE FROM hosts WHERE name = ?").bind(name.as_str())).await?;
        writing.commit().await
    }
}
