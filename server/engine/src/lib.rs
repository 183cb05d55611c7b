//! The engine: migrations from intent to verdict.
//!
//! It knows no web, no libvirt and no SQL; it takes time from tokio only, so that tests can pause it. What it needs of the
//! world it asks of two traits, [`Hypervisor`] and [`Store`].

mod address;
mod agree;
mod begin;
mod check;
mod clock;
mod drive;
mod engine;
mod facts;
mod feed;
mod fingerprint;
mod hosts;
mod hypervisor;
mod inventory;
mod preflight;
mod progress;
mod record;
mod registration;
mod runner;
mod settle;
mod storage;
mod store;
mod verify;
mod watcher;

#[cfg(any(test, feature = "sim"))]
pub mod sim;

pub use address::{Address, UserName};
pub use engine::Engine;
pub use facts::{
    Certificates, Chunk, CpuFit, Disk, DiskCopy, DiskDevice, DiskSource, DomainFacts, Interface, MachineFit, Network,
    NewVolume, Pool, SecretUse, Survey, Tpm, Volume,
};
pub use fingerprint::Fingerprint;
pub use hosts::{HostCredentials, Reached};
pub use hypervisor::{
    CopyFacts, Daemon, HostConfig, HostConnection, HostEvent, HostFacts, Hypervisor, MigrationPlan, NotMigrated, Probe,
    Ssh, SshLogin, Statistics, Transport,
};
pub use store::{Store, StoreError};

#[cfg(test)]
mod tests;
