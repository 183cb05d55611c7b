//! Users, in SQLite.

use async_trait::async_trait;

use super::{SqliteStore, audit, fault::failed, writing::Writing};
use crate::{Action, StoreError, Users, clock::now_ms};

#[async_trait]
impl Users for SqliteStore {
    async fn add_user(&self, name: &str, password_hash: &str) -> Result<bool, StoreError> {
        let insert = sqlx::query(
            "INSERT INTO users (name, password_hash, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
        );
        let mut writing = self.write().await?;
        let done = writing.execute(insert.bind(name).bind(password_hash).bind(now_ms())).await?;
        writing.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    async fn improve_password_hash(&self, name: &str, from: &str, to: &str) -> Result<(), StoreError> {
        // Only that one: the password may have been changed meanwhile.
        let update = sqlx::query("UPDATE users SET password_hash = ? WHERE name = ? AND password_hash = ?");
        let mut writing = self.write().await?;
        writing.execute(update.bind(to).bind(name).bind(from)).await?;
        writing.commit().await
    }

    async fn set_password(
        &self,
        name: &str,
        password_hash: &str,
        keep: Option<&str>,
        (actor, action): (&str, Action<'_>),
    ) -> Result<Option<Vec<String>>, StoreError> {
        let mut writing = self.write().await?;
        let update = sqlx::query("UPDATE users SET password_hash = ? WHERE name = ?").bind(password_hash).bind(name);
        if writing.execute(update).await?.rows_affected() == 0 {
            return Ok(None);
        }
        let ended = end_sessions(&mut writing, name, keep).await?;
        audit::write(&mut writing, actor, action).await?;
        writing.commit().await?;
        Ok(Some(ended))
    }

    async fn password_hash(&self, name: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT password_hash FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)
    }

    async fn remove_user(
        &self,
        name: &str,
        (actor, action): (&str, Action<'_>),
    ) -> Result<Option<Vec<String>>, StoreError> {
        let mut writing = self.write().await?;
        let ended = end_sessions(&mut writing, name, None).await?;
        let delete = sqlx::query("DELETE FROM users WHERE name = ?").bind(name);
        if writing.execute(delete).await?.rows_affected() == 0 {
            return Ok(None);
        }
        audit::write(&mut writing, actor, action).await?;
        writing.commit().await?;
        Ok(Some(ended))
    }

    async fn users(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT name FROM users ORDER BY name").fetch_all(&self.readers).await.map_err(failed)
    }
}

/// Ends all sessions of a user but `keep`, and returns their ids' hashes.
async fn end_sessions(writing: &mut Writing, name: &str, keep: Option<&str>) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar("DELETE FROM sessions WHERE user = ? AND id_hash IS NOT ? RETURNING id_hash")
        .bind(name)
        .bind(keep)
        .fetch_all(&mut **writing)
        .await
        .map_err(|error| writing.failed(error))
}
