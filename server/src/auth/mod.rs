//! Users, passwords, sessions, and the throttle for failed logins. A file a subject; only this module makes a `Principal`.

mod common_passwords;
mod cookie_sessions;
mod error;
mod hasher;
mod login;
mod password_rules;
mod passwords;
mod problem;
mod sessions;
#[cfg(test)]
mod tests;
mod throttle;
mod users;

use std::sync::Arc;

pub use cookie_sessions::{COOKIE, CookieSessions, PLAIN_COOKIE};
pub use error::AuthError;
pub use hasher::HashCost;
pub use password_rules::Weakness;
pub(crate) use problem::store_failed;
pub use store::SessionLimits;
use store::{AuthStore, StoreError};

use hasher::Hasher;
use throttle::Throttle;
use tower_sessions::session;

/// The actor in the audit log of what is done on the command line; no user can have this name.
pub(crate) const COMMAND_LINE: &str = "(command line)";

/// Users, their passwords and their sessions.
#[derive(Clone)]
pub struct Auth {
    store: Arc<dyn AuthStore>,
    hasher: Arc<Hasher>,
    throttle: Throttle,
    sessions: CookieSessions,
}

impl Auth {
    /// Keeps users and sessions in `store`.
    pub fn new(store: Arc<dyn AuthStore>, cost: HashCost, limits: SessionLimits) -> Self {
        Self {
            hasher: Arc::new(Hasher::new(cost)),
            throttle: Throttle::new(store.clone(), store.clone()),
            sessions: CookieSessions::new(store.clone(), limits),
            store,
        }
    }
    /// A failure of tower-sessions, which passes on the words of the store's, but not what kind it is.
    fn session_failed(&self, error: session::Error) -> AuthError {
        match *self.store.condition().borrow() {
            Some(fault) => StoreError::Failed { fault, words: error.to_string() }.into(),
            None => error.into(),
        }
    }
}
