//! Where users have logged in from.

use async_trait::async_trait;

use crate::StoreError;

/// The networks that users have logged in from: an IPv4 address or an IPv6 /64, as text. All methods fail when the database does.
#[async_trait]
pub trait KnownNetworks: Send + Sync + 'static {
    /// Remembers that a user has logged in from a network.
    ///
    /// # Errors
    /// Also when there is no such user.
    async fn add_known_network(&self, user: &str, network: &str) -> Result<(), StoreError>;

    /// Whether a user has ever logged in from a network.
    async fn is_known_network(&self, user: &str, network: &str) -> Result<bool, StoreError>;
}
