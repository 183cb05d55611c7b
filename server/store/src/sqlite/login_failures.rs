//! Failed logins, in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{SqliteStore, fault::failed};
use crate::{
    Attempt, Counter, LoginFailures, StoreError,
    clock::{ms_ago, now_ms},
    login_failures::MOST_FAILURES,
};

#[async_trait]
impl LoginFailures for SqliteStore {
    async fn attempt(&self, counters: &[Counter], forgotten_after: Duration) -> Result<Attempt, StoreError> {
        let now = now_ms();
        let forgotten = ms_ago(forgotten_after);
        // A refused attempt takes no write lock, so that guessing does not hold up those who write.
        let mut connection = self.readers.acquire().await.map_err(failed)?;
        if let Some(wait) = wait(&mut connection, counters, now, forgotten).await? {
            return Ok(Attempt::Wait(wait));
        }
        drop(connection);
        let mut writing = self.write().await?;
        // Others may have been counted before the lock was there.
        if let Some(wait) = wait(&mut writing, counters, now, forgotten).await? {
            return Ok(Attempt::Wait(wait));
        }
        writing.execute(sqlx::query("DELETE FROM login_failures WHERE last < ?").bind(forgotten)).await?;
        for Counter { key, .. } in counters {
            let count = sqlx::query(
                "INSERT INTO login_failures (key, failures, last) VALUES (?1, 1, ?2) \
                 ON CONFLICT (key) DO UPDATE SET failures = min(failures + 1, ?3), last = ?2",
            );
            writing.execute(count.bind(key).bind(now).bind(MOST_FAILURES)).await?;
        }
        writing.commit().await?;
        Ok(Attempt::Counted)
    }

    async fn forget_attempts(&self, account: &str, address: Option<&str>) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        writing.execute(sqlx::query("DELETE FROM login_failures WHERE key = ?").bind(account)).await?;
        let fewer = sqlx::query("UPDATE login_failures SET failures = failures - 1 WHERE key = ?").bind(address);
        writing.execute(fewer).await?;
        writing.commit().await
    }
}

/// How long the counters make an attempt wait, if they do. What was counted before `forgotten` counts no more.
async fn wait(
    connection: &mut SqliteConnection,
    counters: &[Counter],
    now: i64,
    forgotten: i64,
) -> Result<Option<Duration>, StoreError> {
    let mut longest = 0;
    for counter in counters {
        let row: Option<(u32, i64)> =
            sqlx::query_as("SELECT failures, last FROM login_failures WHERE key = ? AND last >= ?")
                .bind(&counter.key)
                .bind(forgotten)
                .fetch_optional(&mut *connection)
                .await
                .map_err(failed)?;
        if let Some((failures, last)) = row {
            longest = longest.max(counter.wait_ms(failures, last, now));
        }
    }
    Ok((longest > 0).then(|| Duration::from_millis(longest.unsigned_abs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_refused_attempt_does_not_wait_for_writers() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        let counters = [Counter { key: "login ada".into(), pause: |_| HOUR }];
        assert_eq!(store.attempt(&counters, HOUR).await.unwrap(), Attempt::Counted);
        let writer = store.write().await.unwrap();
        assert!(matches!(store.attempt(&counters, HOUR).await, Ok(Attempt::Wait(_))));
        drop(writer);
    }
}
