//! What the work on storage needs of the migration that it is done for.

use async_trait::async_trait;
use model::{HostName, LeftoverKind, Migration};

use crate::{
    error::Error,
    hypervisor::{Statistics, Volume},
};

/// Where the work on storage is written down and shown, and where it hears of a cancel. Implemented by `migration/active.rs`.
/// What is made on a host is told before and afterwards, so that it is found whatever dies meanwhile.
#[async_trait]
pub(crate) trait StorageJournal: Send + Sync {
    /// The migration as it is now.
    fn record(&self) -> &Migration;

    /// Adds an entry to the migration's history.
    async fn write(&mut self, text: String);

    /// This may come to be on a host from now on. Returns when the store knows of it.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if a cancel arrives before: then it must not come to be.
    async fn expect(&mut self, host: &HostName, what: LeftoverKind) -> Result<(), Error>;

    /// It has not come to be, or is gone.
    async fn forget(&mut self, host: &HostName, what: &LeftoverKind, text: Option<String>);

    /// A volume was made for the copy of a disk. Returns when the store knows of it.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if a cancel arrives before: then nothing may be written to the volume.
    async fn volume_created(&mut self, target: &str, made: &Volume, text: String) -> Result<(), Error>;

    /// The copy of a disk is proven to be the same: the old image may be removed once the VM has moved. Returns when the store knows
    /// of it.
    ///
    /// # Errors
    /// [`Error::Cancelled`] if a cancel arrives before.
    async fn copy_proven(&mut self, target: &str, text: String) -> Result<(), Error>;

    /// The destination did not stop writing to or reading this volume: its storage hangs.
    fn volume_hangs(&mut self, pool: &str, volume: &str);

    /// Shows the figures of a copy that the console makes itself.
    async fn show(&mut self, figures: &Statistics);

    /// Whether the figures that were shown have changed within the limit for that.
    ///
    /// # Errors
    /// Why the copy is given up.
    fn unless_stalled(&self) -> Result<(), Error>;

    /// Waits until the migration is to be cancelled. Dropping the future loses no command.
    async fn cancelled(&mut self);

    /// Whether the work may go on.
    ///
    /// # Errors
    /// [`Error::Cancelled`]
    async fn unless_cancelled(&mut self) -> Result<(), Error>;
}
