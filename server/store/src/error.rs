//! Why a store did not do what it was asked for.

use model::MigrationId;

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The VM has a migration that has not ended; only one may be open.
    #[error("the VM has an open migration already: {0}")]
    Open(MigrationId),
    /// The database failed, or holds what this version can't read.
    #[error("the store failed: {0}")]
    Failed(String),
}
