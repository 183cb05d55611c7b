//! What kind of failure an error of SQLite is, by its result code (<https://www.sqlite.org/rescode.html>).

use sqlx::migrate::MigrateError;

use crate::{StoreError, StoreFault};

/// The file for the memory that connections share could not be made larger: the disk is full.
const IOERR_SHMSIZE: i32 = 4874;
/// The file system says that the file is damaged.
const IOERR_CORRUPTFS: i32 = 8458;
/// A checksum is wrong.
const IOERR_DATA: i32 = 8202;

/// The error as callers get it.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    StoreError::Failed { fault: fault(&error), words: error.to_string() }
}

/// The same, of an upgrade of the schema.
pub(super) fn not_upgraded(error: MigrateError) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        other => StoreError::other(other.to_string()),
    }
}

/// Says what is no database error.
pub(super) fn damaged(words: impl Into<String>) -> StoreError {
    StoreError::Failed { fault: StoreFault::Damaged, words: words.into() }
}

fn fault(error: &sqlx::Error) -> StoreFault {
    match error {
        sqlx::Error::Database(error) => {
            error.code().and_then(|code| code.parse().ok()).map_or(StoreFault::Other, fault_of_code)
        }
        sqlx::Error::PoolTimedOut => StoreFault::Busy,
        sqlx::Error::Io(error) => error.into(),
        _ => StoreFault::Other,
    }
}

/// By the extended result code, whose lowest byte is the primary one.
fn fault_of_code(extended: i32) -> StoreFault {
    match (extended, extended & 0xff) {
        (IOERR_SHMSIZE, _) | (_, 13) => StoreFault::Full,
        (IOERR_CORRUPTFS | IOERR_DATA, _) | (_, 11 | 26) => StoreFault::Damaged,
        (_, 8) => StoreFault::ReadOnly,
        (_, 5 | 6) => StoreFault::Busy,
        // I/O error, can't open, no permission, no large files.
        (_, 10 | 14 | 3 | 22) => StoreFault::Io,
        _ => StoreFault::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_codes_count_before_primary_ones() {
        assert_eq!(fault_of_code(13), StoreFault::Full, "FULL");
        assert_eq!(fault_of_code(IOERR_SHMSIZE), StoreFault::Full);
        assert_eq!(fault_of_code(778), StoreFault::Io, "IOERR_WRITE");
        assert_eq!(fault_of_code(1032), StoreFault::ReadOnly, "READONLY_DBMOVED");
        assert_eq!(fault_of_code(IOERR_CORRUPTFS), StoreFault::Damaged);
        assert_eq!(fault_of_code(779), StoreFault::Damaged, "CORRUPT_INDEX");
        assert_eq!(fault_of_code(517), StoreFault::Busy, "BUSY_SNAPSHOT");
        assert_eq!(fault_of_code(2067), StoreFault::Other, "CONSTRAINT_UNIQUE");
    }
}
