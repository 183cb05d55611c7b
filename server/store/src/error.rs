//! Why a store did not do what it was asked for.

use std::io;

use model::{MigrationId, Phase};
use strum::IntoStaticStr;

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The VM has a migration that has not ended; only one may be open.
    #[error("the VM has an open migration already: {0}")]
    Open(MigrationId),
    /// The history that was to be written has a change of phase that can't be, or the record another phase than its history tells.
    #[error("a migration can't go from {} to {}", from.as_str(), to.as_str())]
    Transition {
        /// The phase it would leave.
        from: Phase,
        /// The phase it would enter.
        to: Phase,
    },
    /// The database failed.
    #[error("the store failed ({}): {words}", <&str>::from(*fault))]
    Failed {
        /// What kind of failure it is.
        fault: StoreFault,
        /// The words of the database, for the log.
        words: String,
    },
}

/// How a database fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum StoreFault {
    /// There is no room on its disk.
    Full,
    /// Its file can be read, but not written.
    ReadOnly,
    /// Its file is not a database, or not a sound one.
    Damaged,
    /// Another program keeps it locked.
    Busy,
    /// Its file can't be opened, or the disk reports errors.
    Io,
    /// It holds what this version can't read, or was asked for what it can't do. No write shows this.
    Other,
}

impl StoreError {
    pub(crate) fn other(words: impl Into<String>) -> Self {
        Self::Failed { fault: StoreFault::Other, words: words.into() }
    }
}

impl From<&io::Error> for StoreFault {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            _ => Self::Io,
        }
    }
}
