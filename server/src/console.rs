//! The port, implemented with engine, store and auth: a file a noun, as in `server/port`.

mod account;
mod evacuations;
mod hosts;
mod keys;
mod login;
mod migrations;
mod selections;
mod terminals;
#[cfg(test)]
mod tests;
mod updates;
mod vms;

use std::sync::Arc;

use engine::{AllowedNetworks, Engine, Networks};
use libvirt::SystemResolver;
use model::Problem;
use port::Principal;
use store::{Action, Audit};

use crate::auth::{Auth, store_failed};

pub use keys::Keys;
use selections::Kept;

/// Everything a person or program can ask for, on real hosts. A clone is the same console. Every user is an administrator: a [`Principal`] may do everything.
#[derive(Clone)]
pub struct ServerConsole {
    engine: Arc<Engine>,
    auth: Auth,
    audit: Arc<dyn Audit>,
    keys: Keys,
    allowed: Allowed,
    selections: Arc<Kept>,
}

/// Which hosts users may name.
#[derive(Clone)]
pub struct Allowed {
    /// Whether they may be registered that are reached by plain TCP.
    pub tcp: bool,
    /// Where they may be.
    pub networks: Arc<Networks>,
}

impl Default for Allowed {
    fn default() -> Self {
        Self { tcp: false, networks: Arc::new(Networks::new(AllowedNetworks::default(), &[], SystemResolver)) }
    }
}

impl ServerConsole {
    /// Puts the parts together.
    pub fn new(engine: Arc<Engine>, auth: Auth, audit: Arc<dyn Audit>, keys: Keys, allowed: Allowed) -> Self {
        Self { engine, auth, audit, keys, allowed, selections: Arc::default() }
    }

    /// Writes down what a user asks for before it is done: nothing happens without an entry, even if the caller leaves meanwhile.
    async fn audit(&self, who: &Principal, action: Action<'_>) -> Result<(), Problem> {
        self.audit.audit(who.user(), action).await.map_err(store_failed)
    }
}
