//! The engine: migrations from intent to verdict.
//!
//! It knows no web, no libvirt and no SQL; it takes time from tokio only, so that tests can pause it. What it needs of the
//! world it asks of two traits, [`Hypervisor`] and [`store::EngineStore`].

mod clock;
mod commands;
mod context;
mod details;
mod engine;
mod error;
mod evacuation;
mod explain;
mod host_details;
mod hosts;
mod hypervisor;
mod inventory;
mod limits;
mod lock;
mod migration;
mod precopy;
mod preflight;
mod records;
mod storage;
mod tasks;
mod terminal;
mod traces;
mod usage;

#[cfg(any(test, feature = "sim"))]
pub mod testing;

pub use engine::Engine;
pub use error::Error;
pub use evacuation::Hooks;
pub use hosts::{Attempt, HostCredentials, HostToReach};
pub use hypervisor::{
    Address, AllowedNetworks, Certificates, Chunk, CopyFacts, CpuFit, CpuTimes, Daemon, DhcpNetwork, DirtyCurve,
    DirtyPoint, Disk, DiskCopy, DiskDevice, DiskSource, DomainFacts, FileReference, FileUsage, Fingerprint, Folder,
    HostConfig, HostConnection, HostError, HostErrorKind, HostEvent, HostFacts, HostReferences, Hypervisor,
    ImageExtras, ImageUsers, Interface, InvalidInput, KeptFile, KeptIn, Lease, ListenProtocol, Listener, MachineFit,
    MigrationPlan, Neighbour, Network, Networks, NewVolume, NoAddress, NotMigrated, Pool, Probe, Provided, Resolve,
    SecretUse, Ssh, SshLogin, StateReason, Statistics, Survey, TerminalStream, Throttle, Tpm, Transport, Tuning, Usage,
    UserName, Volume, knows_switchover,
};

#[cfg(test)]
mod tests;
