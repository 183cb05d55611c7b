//! Migrations and the sequence numbers of the update stream.

use async_trait::async_trait;
use engine::{Store, StoreError};
use model::{HostName, HostSettings, Migration, MigrationEvent, MigrationId};

use super::{Action, SqliteStore, failed, from_json, to_json};

#[async_trait]
impl Store for SqliteStore {
    async fn insert(&self, migration: &Migration) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let open: Option<String> = sqlx::query_scalar("SELECT id FROM migrations WHERE vm = ? AND open")
            .bind(migration.vm.to_string())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        // The write lock is held: nobody comes between this look and the insert. The index keeps it true for other versions.
        if let Some(id) = open {
            return Err(StoreError::Open(id.parse().map_err(|_| StoreError::Failed("an id is damaged".into()))?));
        }
        sqlx::query("INSERT INTO migrations (id, vm, open, json) VALUES (?, ?, ?, ?)")
            .bind(migration.id.to_string())
            .bind(migration.vm.to_string())
            .bind(!migration.phase.has_ended())
            .bind(to_json(migration)?)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        Action::MigrationStarted(migration).write(&mut transaction, &migration.requested_by).await?;
        transaction.commit().await.map_err(failed)
    }

    async fn update(&self, migration: &Migration, event: Option<&MigrationEvent>) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        let was_open: bool = sqlx::query_scalar("SELECT open FROM migrations WHERE id = ?")
            .bind(migration.id.to_string())
            .fetch_one(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query("UPDATE migrations SET open = ?, json = ? WHERE id = ?")
            .bind(!migration.phase.has_ended())
            .bind(to_json(migration)?)
            .bind(migration.id.to_string())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if let Some(event) = event {
            sqlx::query("INSERT INTO migration_events (migration, json) VALUES (?, ?)")
                .bind(migration.id.to_string())
                .bind(to_json(event)?)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        if was_open && migration.phase.has_ended() {
            Action::MigrationEnded(migration).write(&mut transaction, &migration.requested_by).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    async fn migration(&self, id: MigrationId) -> Result<Option<Migration>, StoreError> {
        let json: Option<String> = sqlx::query_scalar("SELECT json FROM migrations WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        json.map(|json| from_json(&json)).transpose()
    }

    async fn events(&self, id: MigrationId) -> Result<Vec<MigrationEvent>, StoreError> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT json FROM migration_events WHERE migration = ? ORDER BY number")
                .bind(id.to_string())
                .fetch_all(&self.pool)
                .await
                .map_err(failed)?;
        rows.iter().map(|json| from_json(json)).collect()
    }

    async fn migrations(&self, before: Option<MigrationId>, limit: u32) -> Result<Vec<Migration>, StoreError> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT json FROM migrations WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2")
                .bind(before.map(|id| id.to_string()))
                .bind(limit)
                .fetch_all(&self.pool)
                .await
                .map_err(failed)?;
        rows.iter().map(|json| from_json(json)).collect()
    }

    async fn open_migrations(&self) -> Result<Vec<Migration>, StoreError> {
        let rows: Vec<String> = sqlx::query_scalar("SELECT json FROM migrations WHERE open ORDER BY id")
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(|json| from_json(json)).collect()
    }

    async fn hosts(&self) -> Result<Vec<HostSettings>, StoreError> {
        self.all_hosts().await
    }

    async fn put_host(&self, host: &HostSettings, before: Option<&HostName>) -> Result<(), StoreError> {
        self.replace_host(host, before).await
    }

    async fn remove_host(&self, name: &HostName) -> Result<(), StoreError> {
        self.forget_host(name).await
    }

    async fn reserve_sequence(&self, count: u64) -> Result<u64, StoreError> {
        let count = i64::try_from(count).map_err(|_| StoreError::Failed("too many numbers at once".into()))?;
        let first: i64 = sqlx::query_scalar("UPDATE sequence SET next = next + ?1 RETURNING next - ?1")
            .bind(count)
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        u64::try_from(first).map_err(|_| StoreError::Failed("the sequence is damaged".into()))
    }
}
