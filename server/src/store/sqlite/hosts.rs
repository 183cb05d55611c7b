//! The hosts that were registered at run time.

use engine::StoreError;
use model::{HostName, HostSettings};

use super::{SqliteStore, failed};

impl SqliteStore {
    pub(super) async fn all_hosts(&self) -> Result<Vec<HostSettings>, StoreError> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT settings FROM hosts ORDER BY name")
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| serde_json::from_str(row).map_err(|error| StoreError::Failed(error.to_string())))
            .collect()
    }

    pub(super) async fn replace_host(&self, host: &HostSettings, before: Option<&HostName>) -> Result<(), StoreError> {
        let settings = serde_json::to_string(host).map_err(|error| StoreError::Failed(error.to_string()))?;
        let mut transaction = self.write().await?;
        if let Some(before) = before {
            sqlx::query("DELETE FROM hosts WHERE name = ?")
                .bind(before.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        sqlx::query("INSERT OR REPLACE INTO hosts (name, settings) VALUES (?, ?)")
            .bind(host.name.as_str())
            .bind(settings)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    pub(super) async fn forget_host(&self, name: &HostName) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM hosts WHERE name = ?")
            .bind(name.as_str())
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }
}
