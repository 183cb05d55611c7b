//! What the login throttle remembers.

use std::time::Duration;

use engine::StoreError;

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
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM login_failures WHERE last < ?")
            .bind(forgotten)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        let mut wait = 0;
        for Counter { key, pause } in counters {
            let row: Option<(u32, i64)> = sqlx::query_as("SELECT failures, last FROM login_failures WHERE key = ?")
                .bind(key)
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
            if let Some((failures, last)) = row {
                // A clock that was set back must not lock anybody out for longer than the pause.
                let pause = ms(pause(failures));
                wait = wait.max((last.saturating_add(pause) - now).min(pause));
            }
        }
        if wait > 0 {
            return Ok(Attempt::Wait(Duration::from_millis(wait.unsigned_abs())));
        }
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

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
