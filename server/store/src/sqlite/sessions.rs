//! Sessions, in SQLite.

use std::time::Duration;

use async_trait::async_trait;

use super::{SqliteStore, fault::failed};
use crate::{
    SessionLimits, SessionRecord, Sessions, StoreError,
    clock::{ms_ago, now_ms},
};

#[async_trait]
impl Sessions for SqliteStore {
    async fn add_session(
        &self,
        id_hash: &str,
        user: &str,
        address: &str,
        user_agent: &str,
    ) -> Result<bool, StoreError> {
        let insert = sqlx::query(
            "INSERT INTO sessions (id_hash, user, created_at, last_seen, address, user_agent) \
             VALUES (?1, ?2, ?3, ?3, ?4, ?5) ON CONFLICT (id_hash) DO NOTHING",
        );
        let insert = insert.bind(id_hash).bind(user).bind(now_ms()).bind(address).bind(user_agent);
        let mut writing = self.write().await?;
        let done = writing.execute(insert).await?;
        writing.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    async fn session(&self, id_hash: &str, limits: SessionLimits) -> Result<Option<SessionRecord>, StoreError> {
        sqlx::query_as("SELECT * FROM sessions WHERE id_hash = ? AND last_seen > ? AND created_at > ?")
            .bind(id_hash)
            .bind(ms_ago(limits.idle))
            .bind(ms_ago(limits.absolute))
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)
    }

    async fn sessions_of(&self, user: &str, limits: SessionLimits) -> Result<Vec<SessionRecord>, StoreError> {
        sqlx::query_as(
            "SELECT * FROM sessions WHERE user = ? AND last_seen > ? AND created_at > ? ORDER BY last_seen DESC",
        )
        .bind(user)
        .bind(ms_ago(limits.idle))
        .bind(ms_ago(limits.absolute))
        .fetch_all(&self.readers)
        .await
        .map_err(failed)
    }

    async fn touch_session(&self, id_hash: &str, grain: Duration) -> Result<(), StoreError> {
        let earlier = ms_ago(grain);
        let is_due: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions WHERE id_hash = ? AND last_seen < ?)")
                .bind(id_hash)
                .bind(earlier)
                .fetch_one(&self.readers)
                .await
                .map_err(failed)?;
        // An update takes the write lock even if it changes nothing.
        if !is_due {
            return Ok(());
        }
        let update = sqlx::query("UPDATE sessions SET last_seen = ? WHERE id_hash = ? AND last_seen < ?");
        let mut writing = self.write().await?;
        writing.execute(update.bind(now_ms()).bind(id_hash).bind(earlier)).await?;
        writing.commit().await
    }

    async fn remove_session(&self, id_hash: &str) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        writing.execute(sqlx::query("DELETE FROM sessions WHERE id_hash = ?").bind(id_hash)).await?;
        writing.commit().await
    }

    async fn remove_expired_sessions(&self, limits: SessionLimits) -> Result<(), StoreError> {
        let delete = sqlx::query("DELETE FROM sessions WHERE last_seen <= ? OR created_at <= ?");
        let mut writing = self.write().await?;
        writing.execute(delete.bind(ms_ago(limits.idle)).bind(ms_ago(limits.absolute))).await?;
        writing.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Users;

    const FOREVER: SessionLimits = SessionLimits { idle: Duration::MAX, absolute: Duration::MAX };

    #[tokio::test]
    async fn a_use_that_was_just_noted_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        store.add_user("ada", "hash").await.unwrap();
        store.add_session("id", "ada", "192.0.2.1", "test").await.unwrap();
        let writer = store.write().await.unwrap();
        store.touch_session("id", Duration::from_hours(1)).await.unwrap();
        drop(writer);
        let last_seen = || async { store.session("id", FOREVER).await.unwrap().unwrap().last_seen };
        let before = last_seen().await;
        while now_ms() == before {
            tokio::task::yield_now().await;
        }
        store.touch_session("id", Duration::ZERO).await.unwrap();
        assert!(last_seen().await > before);
    }
}
