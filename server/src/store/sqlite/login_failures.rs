//! What the login throttle remembers.

use std::time::Duration;

use engine::StoreError;
use sqlx::SqliteConnection;

use super::{SqliteStore, failed, now_ms};

/// What became of asking for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It may be made, and was counted as a failure until [`SqliteStore::forget_attempts`] says otherwise.
    Counted,
    /// It may not be made before so long.
    Wait(Duration),
}

/// What failures are counted for.
#[derive(Clone, Debug)]
pub struct Counter {
    /// An account, or an address.
    pub key: String,
    /// How long to wait after so many failures.
    pub pause: fn(u32) -> Duration,
}

impl SqliteStore {
    /// Asks for an attempt, which counts for each of the counters.
    ///
    /// It is counted before it is made, so that many at once get no further than one after the other.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn attempt(&self, counters: &[Counter], forgotten_after: Duration) -> Result<Attempt, StoreError> {
        let now = now_ms();
        let forgotten = now.saturating_sub(ms(forgotten_after));
        // Whoever is refused must not hold up those who write.
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        if let Some(wait) = wait(&mut connection, counters, now, forgotten).await? {
            return Ok(Attempt::Wait(wait));
        }
        drop(connection);
        let mut transaction = self.write().await?;
        // Others may have been counted before the lock was there.
        if let Some(wait) = wait(&mut transaction, counters, now, forgotten).await? {
            return Ok(Attempt::Wait(wait));
        }
        sqlx::query("DELETE FROM login_failures WHERE last < ?")
            .bind(forgotten)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        for Counter { key, .. } in counters {
            sqlx::query(
                "INSERT INTO login_failures (key, failures, last) VALUES (?1, 1, ?2) \
                 ON CONFLICT (key) DO UPDATE SET failures = min(failures + 1, 1000), last = ?2",
            )
            .bind(key)
            .bind(now)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(Attempt::Counted)
    }

    /// Forgets all failures under `account`, and takes back the last one under `address`: the attempt succeeded.
    ///
    /// Those under the address stay, else one's own account would be the way to guess at others'.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_attempts(&self, account: &str, address: Option<&str>) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM login_failures WHERE key = ?")
            .bind(account)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query("UPDATE login_failures SET failures = failures - 1 WHERE key = ?")
            .bind(address)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
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
    for Counter { key, pause } in counters {
        let row: Option<(u32, i64)> =
            sqlx::query_as("SELECT failures, last FROM login_failures WHERE key = ? AND last >= ?")
                .bind(key)
                .bind(forgotten)
                .fetch_optional(&mut *connection)
                .await
                .map_err(failed)?;
        if let Some((failures, last)) = row {
            // A clock that was set back must not lock anybody out for longer than the pause.
            let pause = ms(pause(failures));
            longest = longest.max((last.saturating_add(pause) - now).min(pause));
        }
    }
    Ok((longest > 0).then(|| Duration::from_millis(longest.unsigned_abs())))
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn whoever_is_refused_holds_up_nobody() {
        let directory = TestDirectory::new();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        let counters = [Counter { key: "login ada".into(), pause: |_| HOUR }];
        assert_eq!(store.attempt(&counters, HOUR).await.unwrap(), Attempt::Counted);
        let writer = store.write().await.unwrap();
        assert!(matches!(store.attempt(&counters, HOUR).await, Ok(Attempt::Wait(_))));
        drop(writer);
    }
}
