//! Users, in SQLite.

use async_trait::async_trait;

use super::{SqliteStore, audit, failed};
use crate::{Action, StoreError, Users, clock::now_ms};

#[async_trait]
impl Users for SqliteStore {
    async fn add_user(&self, name: &str, password_hash: &str) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO users (name, password_hash, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(password_hash)
        .bind(now_ms())
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }

    async fn improve_password_hash(&self, name: &str, from: &str, to: &str) -> Result<(), StoreError> {
        // Only that one: the password may have been changed meanwhile.
        sqlx::query("UPDATE users SET password_hash = ? WHERE name = ? AND password_hash = ?")
            .bind(to)
            .bind(name)
            .bind(from)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }

    async fn set_password(
        &self,
        name: &str,
        password_hash: &str,
        keep: Option<&str>,
        (actor, action): (&str, Action<'_>),
    ) -> Result<Option<Vec<String>>, StoreError> {
        let mut transaction = self.write().await?;
        let done = sqlx::query("UPDATE users SET password_hash = ? WHERE name = ?")
            .bind(password_hash)
            .bind(name)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let ended = sqlx::query_scalar("DELETE FROM sessions WHERE user = ? AND id_hash IS NOT ? RETURNING id_hash")
            .bind(name)
            .bind(keep)
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
        audit::write(&mut transaction, actor, action).await?;
        transaction.commit().await.map_err(failed)?;
        Ok(Some(ended))
    }

    async fn password_hash(&self, name: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT password_hash FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)
    }

    async fn remove_user(&self, name: &str) -> Result<bool, StoreError> {
        let done =
            sqlx::query("DELETE FROM users WHERE name = ?").bind(name).execute(&self.pool).await.map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }

    async fn users(&self) -> Result<Vec<String>, StoreError> {
        sqlx::query_scalar("SELECT name FROM users ORDER BY name").fetch_all(&self.pool).await.map_err(failed)
    }
}
