//! Where users have logged in from.

use engine::StoreError;

use super::{SqliteStore, failed};

impl SqliteStore {
    /// Remembers that a user has logged in from a network.
    ///
    /// # Errors
    /// When the database fails, or there is no such user.
    pub async fn add_known_network(&self, user: &str, network: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO known_networks (user, network) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(user)
            .bind(network)
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Whether a user has ever logged in from a network.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_known_network(&self, user: &str, network: &str) -> Result<bool, StoreError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM known_networks WHERE user = ? AND network = ?)")
            .bind(user)
            .bind(network)
            .fetch_one(&self.pool)
            .await
            .map_err(failed)
    }
}
