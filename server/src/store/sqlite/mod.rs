//! The store in a SQLite file. One file here for each thing that is kept.

mod audit;
mod hosts;
mod known_networks;
mod login_failures;
mod migrations;
mod sessions;
mod users;

use std::{
    fs::{DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use engine::StoreError;
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use audit::Action;
pub use login_failures::{Attempt, Counter};
pub use sessions::SessionRow;

/// Connections to the file: one writes at a time, others read meanwhile.
const CONNECTIONS: u32 = 4;
/// How long one writer waits for another.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Everything that is kept, in one SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Opens `vmferry.db` in the directory; makes both, for their owner alone, where they are missing.
    ///
    /// # Errors
    /// When the file can't be made, opened, or brought up to date.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        let file = directory.join("vmferry.db");
        private(directory, &file)
            .map_err(|error| StoreError::Failed(format!("{} can't be used: {error}", directory.display())))?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .foreign_keys(true)
            .busy_timeout(BUSY_LIMIT)
            .journal_mode(SqliteJournalMode::Wal)
            // The intent to migrate has to survive a power cut, too.
            .synchronous(SqliteSynchronous::Full);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await.map_err(failed)?;
        sqlx::migrate!("src/store/sqlite/migrations")
            .run(&pool)
            .await
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { pool })
    }

    /// Closes the file. What was written is in it even without this.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// A transaction that writes: it takes the write lock at once, since one that only asks for it later can be refused it.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)
    }
}

/// Makes directory and file readable by their owner alone. SQLite gives its other files the mode of the first.
fn private(directory: &Path, file: &Path) -> io::Result<()> {
    if !directory.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    std::fs::set_permissions(file, Permissions::from_mode(0o600))
}

fn failed(error: sqlx::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

/// Now, in ms since 1970.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Failed(format!("a record is damaged: {error}")))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{store::story, test_directory::TestDirectory};

    #[tokio::test]
    async fn keeps_migrations_as_the_engine_expects() {
        let directory = TestDirectory::new();
        story::tell(|| async { SqliteStore::open(directory.path()).await.unwrap() }).await;
    }

    #[tokio::test]
    async fn is_nobody_elses_to_read() {
        let directory = TestDirectory::new();
        let inner = directory.path().join("data");
        SqliteStore::open(&inner).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&inner), 0o700);
        for entry in std::fs::read_dir(&inner).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}
