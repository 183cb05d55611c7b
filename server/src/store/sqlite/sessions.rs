//! Sessions. The store knows the hash of a session's id only.

use std::time::Duration;

use engine::StoreError;

use super::{SqliteStore, failed, now_ms};

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct SessionRow {
    /// SHA-256 of the session's id, in hex.
    pub id_hash: String,
    /// Whose it is.
    pub user: String,
    /// When it began, in ms since 1970.
    pub created_at: i64,
    /// When it was last used, in ms since 1970.
    pub last_seen: i64,
    /// The address it was begun from.
    pub address: String,
    /// What the browser or program called itself.
    pub user_agent: String,
}

impl SqliteStore {
    /// Adds a session; false if there is one of this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_session(
        &self,
        id_hash: &str,
        user: &str,
        address: &str,
        user_agent: &str,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "INSERT INTO sessions (id_hash, user, created_at, last_seen, address, user_agent) \
             VALUES (?1, ?2, ?3, ?3, ?4, ?5) ON CONFLICT (id_hash) DO NOTHING",
        )
        .bind(id_hash)
        .bind(user)
        .bind(now_ms())
        .bind(address)
        .bind(user_agent)
        .execute(&self.pool)
        .await
        .map_err(failed)?;
        Ok(done.rows_affected() == 1)
    }

    /// The session, if neither limit has passed: not used for `idle`, or begun more than `absolute` ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session(
        &self,
        id_hash: &str,
        idle: Duration,
        absolute: Duration,
    ) -> Result<Option<SessionRow>, StoreError> {
        let (idle, absolute) = (before(idle), before(absolute));
        sqlx::query_as("SELECT * FROM sessions WHERE id_hash = ? AND last_seen > ? AND created_at > ?")
            .bind(id_hash)
            .bind(idle)
            .bind(absolute)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)
    }

    /// A user's sessions within both limits, the last used first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(
        &self,
        user: &str,
        idle: Duration,
        absolute: Duration,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let (idle, absolute) = (before(idle), before(absolute));
        sqlx::query_as(
            "SELECT * FROM sessions WHERE user = ? AND last_seen > ? AND created_at > ? ORDER BY last_seen DESC",
        )
        .bind(user)
        .bind(idle)
        .bind(absolute)
        .fetch_all(&self.pool)
        .await
        .map_err(failed)
    }

    /// Notes that a session was used, unless that was noted less than `grain` ago.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn touch_session(&self, id_hash: &str, grain: Duration) -> Result<(), StoreError> {
        let earlier = before(grain);
        let is_due: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sessions WHERE id_hash = ? AND last_seen < ?)")
                .bind(id_hash)
                .bind(earlier)
                .fetch_one(&self.pool)
                .await
                .map_err(failed)?;
        // An update takes the write lock even if it changes nothing.
        if !is_due {
            return Ok(());
        }
        sqlx::query("UPDATE sessions SET last_seen = ? WHERE id_hash = ? AND last_seen < ?")
            .bind(now_ms())
            .bind(id_hash)
            .bind(earlier)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_session(&self, id_hash: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE id_hash = ?")
            .bind(id_hash)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Removes the sessions that a limit has ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_expired_sessions(&self, idle: Duration, absolute: Duration) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM sessions WHERE last_seen <= ? OR created_at <= ?")
            .bind(before(idle))
            .bind(before(absolute))
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }
}

/// So long ago, in ms since 1970.
fn before(ago: Duration) -> i64 {
    now_ms().saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;

    #[tokio::test]
    async fn a_use_that_was_just_noted_is_not_written() {
        let directory = TestDirectory::new();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        store.add_user("ada", "hash").await.unwrap();
        store.add_session("id", "ada", "192.0.2.1", "test").await.unwrap();
        let writer = store.write().await.unwrap();
        store.touch_session("id", Duration::from_hours(1)).await.unwrap();
        drop(writer);
        let last_seen = || async { store.sessions_of("ada", Duration::MAX, Duration::MAX).await.unwrap()[0].last_seen };
        let before = last_seen().await;
        while now_ms() == before {
            tokio::task::yield_now().await;
        }
        store.touch_session("id", Duration::ZERO).await.unwrap();
        assert!(last_seen().await > before);
    }
}
