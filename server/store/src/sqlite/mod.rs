//! The store in a SQLite file. A file here for each noun; the schema is in `schema/`, whose files are never edited once released.

mod audit;
mod hosts;
mod known_networks;
mod login_failures;
mod migrations;
mod sessions;
#[cfg(test)]
mod tests;
mod users;

use std::{
    fs::{DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{
    Sqlite, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Store, StoreError};

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
        sqlx::migrate!("src/sqlite/schema").run(&pool).await.map_err(|error| StoreError::Failed(error.to_string()))?;
        Ok(Self { pool })
    }

    /// A transaction that writes: it takes the write lock at once, since one that only asks for it later can be refused it.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn close(&self) {
        self.pool.close().await;
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

/// A time as the database keeps it: in ms since 1970, signed.
fn to_ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Failed(format!("a record is damaged: {error}")))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()))
}
