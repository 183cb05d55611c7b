//! Why a login, or a change to users and sessions, was refused.

use std::time::Duration;

use engine::InvalidInput;
use store::StoreError;
use tower_sessions::session;

use super::password_rules::Weakness;

/// Why it was refused. `problem.rs` makes the sentences for people.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// User name or password is wrong; which of them is not said.
    #[error("user name or password is wrong")]
    WrongCredentials,
    /// The current password, given to change it, is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// Too many failures; wait so long.
    #[error("too many failures: wait {0:?}")]
    Throttled(Duration),
    /// The new password is not allowed.
    #[error("the new password is weak: {0:?}")]
    WeakPassword(Weakness),
    /// This can't be a user's name.
    #[error("{0}")]
    InvalidName(InvalidInput),
    /// There is a user of this name.
    #[error("there is a user {0} already")]
    UserExists(String),
    /// There is no user of this name.
    #[error("there is no user {0}")]
    UnknownUser(String),
    /// The user has no session with this handle.
    #[error("the user has no such session")]
    UnknownSession,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// tower-sessions failed.
    #[error("the session can't be read or kept: {0}")]
    Session(#[from] session::Error),
    /// The task that was to do it ended without doing it: the console is stopping, or has an error.
    #[error("the task was stopped")]
    Stopped,
}
