//! The account of the user who asks.

use async_trait::async_trait;
use model::{PasswordChange, Problem, SessionInfo};

use crate::Principal;

/// The account of the user who asks.
#[async_trait]
pub trait Account: Send + Sync {
    /// Changes the user's own password and ends the user's other sessions.
    ///
    /// # Errors
    /// `wrong-credentials` if the current one is wrong, `weak-password`, `throttled`.
    async fn change_password(&self, who: &Principal, change: PasswordChange) -> Result<(), Problem>;

    /// The user's own sessions, the last used first.
    async fn sessions(&self, who: &Principal) -> Result<Vec<SessionInfo>, Problem>;

    /// Ends one of the user's own sessions.
    ///
    /// # Errors
    /// `not-found`.
    async fn end_session(&self, who: &Principal, handle: &str) -> Result<(), Problem>;
}
