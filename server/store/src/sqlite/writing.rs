//! A transaction that writes.

use std::ops::{Deref, DerefMut};

use sqlx::{
    Sqlite, SqliteConnection,
    pool::PoolConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteQueryResult},
};

use super::{SqliteStore, fault::failed};
use crate::{StoreError, health::Condition};

/// A transaction that writes. Dropped before it is committed, it is rolled back by closing its connection.
///
/// Such a connection may be of no use any more. SQLite ends a transaction by itself when the disk is full or reports errors, which
/// sqlx's own transactions don't notice: they refuse the next `BEGIN` on that connection for ever. And a connection that was opened
/// while the file could only be read is never able to write.
pub(super) struct Writing {
    connection: PoolConnection<Sqlite>,
    condition: Condition,
    committed: bool,
}

impl SqliteStore {
    /// Begins a transaction that writes: it takes the write lock at once, since one that only asks for it later can be refused it.
    pub(super) async fn write(&self) -> Result<Writing, StoreError> {
        let note = |error| noted(&self.condition, error);
        let connection = self.writer.acquire().await.map_err(note)?;
        let mut writing = Writing { connection, condition: self.condition.clone(), committed: false };
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *writing.connection).await.map_err(note)?;
        Ok(writing)
    }
}

impl Writing {
    /// Runs a statement that returns no rows.
    pub(super) async fn execute(
        &mut self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<SqliteQueryResult, StoreError> {
        query.execute(&mut *self.connection).await.map_err(|error| self.failed(error))
    }

    /// The error of a statement of this transaction.
    pub(super) fn failed(&self, error: sqlx::Error) -> StoreError {
        noted(&self.condition, error)
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let committed = sqlx::raw_sql("COMMIT").execute(&mut *self.connection).await;
        committed.map_err(|error| self.failed(error))?;
        self.committed = true;
        self.condition.written();
        Ok(())
    }
}

fn noted(condition: &Condition, error: sqlx::Error) -> StoreError {
    let error = failed(error);
    if let StoreError::Failed { fault, .. } = error {
        condition.failed(fault);
    }
    error
}

impl Deref for Writing {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Writing {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.committed {
            self.connection.close_on_drop();
        }
    }
}
