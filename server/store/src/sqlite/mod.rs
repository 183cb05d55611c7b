//! The store in a SQLite file. A file here for each noun; the schema is in `schema/`, whose files are never edited once released.

mod audit;
mod evacuations;
mod fault;
mod health;
mod hosts;
mod known_networks;
mod login_failures;
mod migrations;
mod sessions;
#[cfg(test)]
mod tests;
mod users;
mod vm_policies;
mod writing;

use std::{
    fs::{OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use async_trait::async_trait;
use fault::{damaged, failed, not_upgraded};
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Store, StoreError, directory, health::Condition};

/// The file in a console's directory.
const FILE: &str = "vmferry.db";
/// What makes the schema, one upgrade after the other.
static SCHEMA: Migrator = sqlx::migrate!("src/sqlite/schema");

/// Connections that read, beside the one that writes.
const READERS: u32 = 3;
/// How long the writer waits for another program to unlock the file.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How long who wants to write waits for those before them.
const TURN_LIMIT: Duration = Duration::from_secs(10);

/// Everything that is kept, in one SQLite file.
///
/// One connection writes, since SQLite lets only one write at a time, and is opened again after a failure. The others only read and
/// stay open, so that SQLite need not make the files beside the database again while the disk is full: pages can be read meanwhile.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    condition: Condition,
}

impl SqliteStore {
    /// Opens `vmferry.db` in the directory; makes both, for their owner alone, where they are missing.
    ///
    /// # Errors
    /// When the file can't be made, opened, or brought up to date.
    pub async fn open(directory: &Path) -> Result<Self, StoreError> {
        let file = directory.join(FILE);
        private(directory, &file).map_err(|error| StoreError::Failed {
            fault: (&error).into(),
            words: format!("{}: {error}", file.display()),
        })?;
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .foreign_keys(true)
            .busy_timeout(BUSY_LIMIT)
            .journal_mode(SqliteJournalMode::Wal)
            // The intent to migrate has to survive a power cut, too.
            .synchronous(SqliteSynchronous::Full);
        let writer = pool(1).connect_with(options.clone()).await.map_err(failed)?;
        check(&writer).await?;
        SCHEMA.run(&writer).await.map_err(not_upgraded)?;
        let readers = pool(READERS).connect_with(options.pragma("query_only", "ON")).await.map_err(failed)?;
        Ok(Self { writer, readers, condition: Condition::default() })
    }

    /// Whether the file in the directory has today's schema, so that to open it changes nothing of that: a console that runs knows only
    /// the schema that it has started with. Writes nothing.
    ///
    /// # Errors
    /// When the file can't be read.
    pub async fn is_up_to_date(directory: &Path) -> Result<bool, StoreError> {
        let file = directory.join(FILE);
        if !file.exists() {
            return Ok(false);
        }
        let options = SqliteConnectOptions::new().filename(&file).busy_timeout(BUSY_LIMIT).pragma("query_only", "ON");
        let mut reader = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        let is_begun = "SELECT count(*) FROM sqlite_schema WHERE name = '_sqlx_migrations'";
        let is_begun: i64 = sqlx::query_scalar(is_begun).fetch_one(&mut reader).await.map_err(failed)?;
        let done: Vec<i64> = match is_begun {
            0 => Vec::new(),
            _ => {
                let done = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success");
                done.fetch_all(&mut reader).await.map_err(failed)?
            }
        };
        reader.close().await.map_err(failed)?;
        Ok(SCHEMA.iter().all(|upgrade| done.contains(&upgrade.version)))
    }
}

/// Connections that are kept for as long as they work.
fn pool(most: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(most).acquire_timeout(TURN_LIMIT).idle_timeout(None).max_lifetime(None)
}

/// Reads the whole file, so that damage is found before anything relies on it (measured: 1 s for 100,000 migrations, 560 MiB).
///
/// # Errors
/// [`StoreFault::Damaged`](crate::StoreFault::Damaged)
async fn check(writer: &SqlitePool) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(writer).await.map_err(failed)?;
    if found == "ok" { Ok(()) } else { Err(damaged(found)) }
}

#[async_trait]
impl Store for SqliteStore {
    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Makes directory and file readable by their owner alone. SQLite gives its other files the mode of the first.
fn private(directory: &Path, file: &Path) -> io::Result<()> {
    directory::make(directory)?;
    OpenOptions::new().append(true).create(true).mode(0o600).open(file)?;
    std::fs::set_permissions(file, Permissions::from_mode(0o600))
}

/// A time as the database keeps it: in ms since 1970, signed.
fn to_ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::other(format!("a record is damaged: {error}")))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::other(error.to_string()))
}
