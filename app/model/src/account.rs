//! The people who log in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A login attempt.
#[derive(Clone, Deserialize)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The password, as typed.
    pub password: String,
}

/// A change of one's own password.
#[derive(Clone, Serialize, Deserialize)]
pub struct PasswordChange {
    /// The password as it is.
    pub current: String,
    /// The password as it shall be: 8 to 1024 characters, none of the common ones.
    pub new: String,
}

// Passwords never reach a log, not even by accident.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

impl fmt::Debug for PasswordChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

/// A session of a user, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionInfo {
    /// A handle to end it by; not the cookie.
    pub handle: String,
    /// When it began, in ms since 1970.
    pub created_at_ms: u64,
    /// When it was last used, in ms since 1970.
    pub last_seen_ms: u64,
    /// The address it was begun from.
    pub address: String,
    /// The browser's or program's own description.
    pub user_agent: String,
    /// Whether it is the one that asks.
    pub current: bool,
}
