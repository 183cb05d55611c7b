//! Users and the hashes of their passwords.

use async_trait::async_trait;

use crate::{Action, StoreError};

/// Users, by name, and the hashes of their passwords (PHC strings). All methods fail when the database does.
#[async_trait]
pub trait Users: Send + Sync + 'static {
    /// Adds a user; false if there is one of this name.
    async fn add_user(&self, name: &str, password_hash: &str) -> Result<bool, StoreError>;

    /// Replaces the hash of a password by another one of the same password, unless the password was changed meanwhile.
    async fn improve_password_hash(&self, name: &str, from: &str, to: &str) -> Result<(), StoreError>;

    /// Sets a user's password hash, ends all their sessions but `keep` (an id's hash), and adds `(actor, action)` to the audit log:
    /// all of it or nothing. Returns the hashes of the ids of the sessions it ended; none if there is no such user.
    async fn set_password(
        &self,
        name: &str,
        password_hash: &str,
        keep: Option<&str>,
        entry: (&str, Action<'_>),
    ) -> Result<Option<Vec<String>>, StoreError>;

    /// The hash of a user's password; none if there is no such user.
    async fn password_hash(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Removes a user, their sessions and their known networks, and adds `(actor, action)` to the audit log: all of it or nothing.
    /// Returns the hashes of the ids of the sessions it ended; none if there is no such user.
    async fn remove_user(&self, name: &str, entry: (&str, Action<'_>)) -> Result<Option<Vec<String>>, StoreError>;

    /// All users' names, sorted.
    async fn users(&self) -> Result<Vec<String>, StoreError>;
}
