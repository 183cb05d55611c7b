//! Sessions. A store knows the hash of a session's id only, so that its readers can't use the session.

use std::time::Duration;

use async_trait::async_trait;

use crate::StoreError;

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without being used.
    pub idle: Duration,
    /// In all.
    pub absolute: Duration,
}

impl Default for SessionLimits {
    /// 30 minutes and 12 hours: a working day (OWASP's session management sheet, for a low-risk and a working-day application).
    fn default() -> Self {
        Self { idle: Duration::from_mins(30), absolute: Duration::from_hours(12) }
    }
}

/// A session as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlite", derive(sqlx::FromRow))]
pub struct SessionRecord {
    /// SHA-256 of the session's id, in hex.
    pub id_hash: String,
    /// Whose it is.
    pub user: String,
    /// When it began, in ms since 1970.
    pub created_at: i64,
    /// When it was last used, in ms since 1970.
    pub last_seen: i64,
    /// The address it was begun from.
    pub address: String,
    /// What the browser or program called itself.
    pub user_agent: String,
}

/// Sessions, by the hash of their ids. All methods fail when the database does.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Adds a session; false if there is one of this id.
    ///
    /// # Errors
    /// Also when there is no such user.
    async fn add_session(&self, id_hash: &str, user: &str, address: &str, user_agent: &str)
    -> Result<bool, StoreError>;

    /// The session, if it is within the limits.
    async fn session(&self, id_hash: &str, limits: SessionLimits) -> Result<Option<SessionRecord>, StoreError>;

    /// A user's sessions within the limits, the last used first.
    async fn sessions_of(&self, user: &str, limits: SessionLimits) -> Result<Vec<SessionRecord>, StoreError>;

    /// Notes that a session was used, unless that was noted less than `grain` ago.
    async fn touch_session(&self, id_hash: &str, grain: Duration) -> Result<(), StoreError>;

    /// Ends a session.
    async fn remove_session(&self, id_hash: &str) -> Result<(), StoreError>;

    /// Removes the sessions that are beyond the limits.
    async fn remove_expired_sessions(&self, limits: SessionLimits) -> Result<(), StoreError>;
}
