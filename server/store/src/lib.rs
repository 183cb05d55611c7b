//! What outlives a restart: store traits by noun, and the stores that implement all of them.
//!
//! Callers hold the traits that they need: the engine an [`EngineStore`], `server/src/auth` an [`AuthStore`], the console an
//! [`Audit`]. [`SqliteStore`] (feature `sqlite`) is what the server runs on, [`MemoryStore`] (feature `memory`) what tests run on.
//! `contract/` checks both against the same contract; a third database adds a module here and a line there.

mod audit;
mod clock;
#[cfg(test)]
mod contract;
mod directory;
mod error;
mod evacuations;
mod health;
mod hosts;
mod known_networks;
mod login_failures;
mod migrations;
mod sessions;
mod users;
mod vm_policies;

use async_trait::async_trait;

#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use audit::{Action, Audit, AuditEntry, AuditFilter};
pub use directory::{DirectoryError, DirectoryLock, LockHolder};
pub use error::{StoreError, StoreFault};
pub use evacuations::Evacuations;
pub use health::Health;
pub use hosts::Hosts;
pub use known_networks::KnownNetworks;
pub use login_failures::{Attempt, Counter, LoginFailures};
#[cfg(feature = "memory")]
pub use memory::MemoryStore;
pub use migrations::Migrations;
pub use sessions::{SessionLimits, SessionRecord, Sessions};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use users::Users;
pub use vm_policies::VmPolicies;

/// What the engine keeps.
pub trait EngineStore: Migrations + Evacuations + Hosts + VmPolicies + Health {}
impl<S: Migrations + Evacuations + Hosts + VmPolicies + Health> EngineStore for S {}

/// What is kept about who may log in.
pub trait AuthStore: Users + Sessions + LoginFailures + KnownNetworks + Audit + Health {}
impl<S: Users + Sessions + LoginFailures + KnownNetworks + Audit + Health> AuthStore for S {}

/// Everything that is kept.
#[async_trait]
pub trait Store: EngineStore + AuthStore {
    /// Closes the database; nothing can be kept or read after it. What was written is kept even without this.
    async fn close(&self);
}
