//! The hosts that were registered at run time.

use async_trait::async_trait;
use model::{HostName, HostSettings};

use crate::StoreError;

/// The hosts that were registered at run time, as they were written. Never a secret. All methods fail when the database does.
#[async_trait]
pub trait Hosts: Send + Sync + 'static {
    /// All of them, by name.
    async fn hosts(&self) -> Result<Vec<HostSettings>, StoreError>;

    /// Adds a host or replaces the one of this name; removes the one called `before`, if there is one.
    async fn put_host(&self, host: &HostSettings, before: Option<&HostName>) -> Result<(), StoreError>;

    /// Removes a host, if there is one of this name.
    async fn remove_host(&self, name: &HostName) -> Result<(), StoreError>;
}
