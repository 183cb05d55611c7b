//! What the work on storage needs of the migration that it is done for.

use async_trait::async_trait;
use model::Migration;

use crate::{error::Error, hypervisor::Statistics};

/// Where the work on storage is written down and shown, and where it hears of a cancel. Implemented by `migration/active.rs`.
/// What is made on a host is told at once, so that the next console finds it, whatever happens to this one.
#[async_trait]
pub(crate) trait StorageJournal: Send + Sync {
    /// The migration as it is now.
    fn record(&self) -> &Migration;

    /// Adds an entry to the migration's history.
    async fn write(&mut self, text: String);

    /// A volume was made for the copy of a disk.
    async fn volume_created(&mut self, target: &str, path: &str, text: String);

    /// The volume that was made for the copy of a disk is gone.
    async fn volume_removed(&mut self, target: &str, text: String);

    /// The destination did not stop writing to this volume: its storage hangs.
    fn volume_hangs(&mut self, pool: &str, volume: &str);

    /// Whether the destination may still be writing to this volume.
    fn does_volume_hang(&self, pool: &str, volume: &str) -> bool;

    /// Shows the figures of a copy that the console makes itself.
    async fn show(&mut self, figures: &Statistics);

    /// Waits until the migration is to be cancelled. Dropping the future loses no command.
    async fn cancelled(&mut self);

    /// Whether the work may go on.
    ///
    /// # Errors
    /// [`Error::Cancelled`]
    async fn unless_cancelled(&mut self) -> Result<(), Error>;
}
