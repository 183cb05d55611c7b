//! The engine: migrations from intent to verdict.
//!
//! It knows no web, no libvirt and no SQL; it takes time from tokio only, so that tests can pause it. What it needs of the
//! world it asks of two traits, [`Hypervisor`] and [`Store`].

mod address;
mod hypervisor;
mod store;

pub use address::{Address, UserName};
pub use hypervisor::{
    Connection, CopyFacts, Daemon, HostConfig, HostEvent, HostFacts, Hypervisor, MigrationPlan, Statistics, Transport,
};
pub use store::{Store, StoreError};
