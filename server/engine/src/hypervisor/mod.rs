//! What the engine needs of a hypervisor: connections to hosts, and the facts, plans and figures that go over them.
//!
//! `server/libvirt` implements it over libvirt, `testing/` by a model. Everything else in the engine builds on this folder, and it
//! builds on nothing of the engine.

mod address;
mod config;
mod dirty;
mod domain;
mod error;
mod facts;
mod fingerprint;
mod input;
mod known_bugs;
mod lease;
mod networks;
mod opened;
mod plan;
mod presence;
mod reason;
mod recovery;
mod references;
mod statistics;
mod survey;
mod terminal;
mod tuning;
mod usage;
mod volume;

use std::sync::Arc;

use async_trait::async_trait;
use model::{GuestFacts, HostCertificate, HostResources, TerminalKind, VmAction, VmFacts, VmId};
use tokio::sync::mpsc;

pub use address::{Address, UserName};
pub use config::{Daemon, HostConfig, Ssh, SshLogin, Transport};
pub(crate) use config::{check_bandwidth, check_limits, check_pause};
pub use dirty::{DirtyCurve, DirtyPoint};
pub use domain::{
    Disk, DiskDevice, DiskSource, DomainFacts, Folder, ImageExtras, Interface, KeptFile, KeptIn, SecretUse, Tpm,
};
pub use error::{HostError, HostErrorKind};
pub use facts::{CopyFacts, HostFacts};
pub use fingerprint::Fingerprint;
pub use input::InvalidInput;
pub(crate) use known_bugs::known_bugs;
pub use lease::Lease;
pub use networks::{AllowedNetworks, Networks, NoAddress, Resolve};
pub(crate) use opened::{Opened, deadline};
pub use plan::{DiskCopy, MigrationPlan, knows_switchover};
pub(crate) use presence::Presence;
pub use reason::StateReason;
pub(crate) use recovery::{NoRecovery, POST_COPY_CRASH, no_recovery};
pub use references::{FileReference, FileUsage, HostReferences, ListenProtocol, Listener, Neighbour};
pub use statistics::Statistics;
pub use survey::{Certificates, CpuFit, DhcpNetwork, MachineFit, Network, Pool, Provided, Survey};
pub use terminal::TerminalStream;
pub use tuning::{Throttle, Tuning};
pub use usage::{CpuTimes, Usage};
pub use volume::{Chunk, ImageUsers, NewVolume, Volume};

/// Makes connections to hosts.
#[async_trait]
pub trait Hypervisor: Send + Sync + 'static {
    /// Connects to a host, within 10 s. From then on `events` tells what changes there; it ends with [`HostEvent::Closed`].
    /// Errors call the host as `called` says: by its name, or by the address if that is all that people know of it. Errors of the
    /// connection that is made call it by its name.
    ///
    /// # Errors
    /// `host-unreachable` with the reason; `host-key-unknown`, `host-key-changed`, `needs-login`, `login-refused`,
    /// `not-permitted` where another attempt is in vain until a user or an admin acts.
    async fn connect(
        &self,
        host: &HostConfig,
        called: &str,
        events: mpsc::UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn HostConnection>, HostError>;

    /// Knocks at a TCP port, for 1.5 s at most: whether anything keeps packets from it.
    async fn probe(&self, address: &Address, port: u16) -> Probe;
}

/// What came of knocking at a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The host took or refused the connection: packets come through, whether anything listens now or not.
    Answers,
    /// It did not answer, or something between refused; in the system's words.
    Silent(String),
}

/// What a host tells unasked.
#[derive(Clone, Debug, PartialEq)]
pub enum HostEvent {
    /// Something about this VM's copy changed, or it is gone: ask again.
    Changed(VmId),
    /// This VM's copy has stopped, and why: of one without a definition nothing else remains to say it.
    Stopped(VmId, StateReason),
    /// The guest of this VM was woken up, whatever libvirt says of its state.
    WokeUp(VmId),
    /// A migration of this VM succeeded; its final figures. Failures are not told.
    JobCompleted(VmId, Statistics),
    /// The connection is gone; no event follows.
    Closed(HostError),
}

/// An open connection to a host. Every call ends within its own time limit (5 s unless told otherwise), as `timed-out` or
/// `host-unreachable` if need be; dropping it closes the connection.
#[async_trait]
pub trait HostConnection: Send + Sync {
    /// What the host is: asked once after connecting, and now and then for its free memory.
    /// The first answer may take 30 s: libvirt starts every QEMU it has to see what it can do.
    async fn host(&self) -> Result<HostFacts, HostError>;

    /// All copies of VMs there. May take 30 s.
    async fn copies(&self) -> Result<Vec<CopyFacts>, HostError>;

    /// The copy of this VM there, none if there is none. Also asks nothing of an incoming copy that could block.
    async fn copy(&self, vm: VmId) -> Result<Option<CopyFacts>, HostError>;

    /// Starts, stops, pauses, resumes or wakes up a copy. May take 30 s.
    ///
    /// # Errors
    /// `wrong-state` or `unknown-vm` if that is why, else `hypervisor`; libvirt's words are in the details.
    async fn act(&self, vm: VmId, action: VmAction) -> Result<(), HostError>;

    /// Removes the definition of a copy here that is off, as libvirt does after a migration: what else is kept of the VM (UEFI
    /// variables, the state of its TPM) stays. That there is none is no error.
    async fn undefine(&self, vm: VmId) -> Result<(), HostError>;

    /// Whether the host starts its copy when it boots. A copy that is not persistent is never started.
    async fn autostart(&self, vm: VmId) -> Result<bool, HostError>;

    /// Lets the host start its copy when it boots, or not.
    ///
    /// # Errors
    /// `hypervisor` if the copy is not persistent.
    async fn set_autostart(&self, vm: VmId, enabled: bool) -> Result<(), HostError>;

    /// What is shown of a VM here. Of an incoming copy, and of one whose memory still follows, little: libvirt would not answer.
    async fn details(&self, vm: VmId) -> Result<VmFacts, HostError>;

    /// What the agent in a guest here says: it may never answer. Only where one is connected.
    async fn guest(&self, vm: VmId) -> Result<GuestFacts, HostError>;

    /// The definition of a VM here as libvirt shows it: the live one if it runs. Without passwords.
    ///
    /// # Errors
    /// `wrong-state` of an incoming copy.
    async fn definition(&self, vm: VmId) -> Result<String, HostError>;

    /// What all VMs that run here have used, with one question. One that is busy, or whose QEMU does not answer, is left out.
    async fn usage(&self) -> Result<Vec<Usage>, HostError>;

    /// The addresses that the host's networks have given out and that have not ended, with one question a network.
    async fn leases(&self) -> Result<Vec<Lease>, HostError>;

    /// What the host has, for who looks at it; without [`HostResources::cpus_busy`]. Changes nothing, and refreshes no pool.
    async fn resources(&self) -> Result<HostResources, HostError>;

    /// How long the host's CPUs were busy since it booted.
    ///
    /// # Errors
    /// `not-supported` if it does not say.
    async fn cpu_times(&self) -> Result<CpuTimes, HostError>;

    /// The host's certificates, and the console's for it, as far as they can be read. May take 5 s; an answer is given again for minutes.
    async fn certificates(&self) -> Result<Vec<HostCertificate>, HostError>;

    /// What a VM here is made of. Never ask it of an incoming copy. May take 10 s.
    async fn domain(&self, vm: VmId) -> Result<DomainFacts, HostError>;

    /// What the host has for a VM that may be elsewhere; changes nothing. May take 10 s.
    async fn survey(&self, domain: &DomainFacts) -> Result<Survey, HostError>;

    /// What a guest here changes of its memory within 1, 2 and 4 s (libvirt samples pages): takes 7 s, of an idle guest 1 s. Slows the
    /// guest down by nothing that it would notice.
    async fn dirty_curve(&self, vm: VmId) -> Result<DirtyCurve, HostError>;

    /// What a guest here has written to these disks since it started, in bytes.
    async fn disk_writes(&self, vm: VmId, targets: &[String]) -> Result<u64, HostError>;

    /// Takes the medium out of a drive of a VM here, now and for later starts.
    async fn eject(&self, vm: VmId, target: &str) -> Result<(), HostError>;

    /// A volume of an active pool here, after a look at what the pool really has; none if there is none. May take 30 s.
    async fn volume(&self, pool: &str, name: &str) -> Result<Option<Volume>, HostError>;

    /// The volume at this path, in whatever active pool here it is: the pool's name with it. May take 30 s.
    async fn volume_at(&self, path: &str) -> Result<Option<(String, Volume)>, HostError>;

    /// What still needs the image at this path. If a VM has `left`, it needs it only if it runs here all the same. May take 30 s.
    async fn users_of_image(&self, path: &str, left: Option<VmId>) -> Result<ImageUsers, HostError>;

    /// Makes a volume here that takes up no more than it must. May take 30 s.
    ///
    /// # Errors
    /// `hypervisor`, also where there is one of that name: it is never touched.
    async fn create_volume(&self, volume: &NewVolume) -> Result<Volume, HostError>;

    /// Deletes a volume here; that there is none is no error. May take 30 s.
    async fn delete_volume(&self, pool: &str, name: &str) -> Result<(), HostError>;

    /// Reads a volume here from its first byte to its last, holes as holes. Ends when all is sent or the receiver is gone.
    async fn read_volume(&self, pool: &str, name: &str, to: mpsc::Sender<Chunk>) -> Result<(), HostError>;

    /// Replaces what is in a volume here by what comes, until the sender is dropped. Ends with an error before the pool is full.
    async fn write_volume(&self, pool: &str, name: &str, from: mpsc::Receiver<Chunk>) -> Result<(), HostError>;

    /// Moves a VM from here. Returns when libvirt says it is over, which may take hours; uses a connection of its own, so that
    /// dropping this one or a slow poll does not matter. What it returns is a claim: verify it.
    ///
    /// # Errors
    /// `cancelled` if [`Self::abort`] ended it; `already-there`, `already-migrating`, `same-host` or `wrong-state` where a caller
    /// could do something about it; `peer-login` if the source's daemon could not log in at the destination, and so nothing was
    /// begun; what [`Hypervisor::connect`] says if the destination of a direct migration can't be connected to; `hypervisor` or
    /// `host-unreachable` otherwise.
    async fn migrate(&self, plan: &MigrationPlan) -> Result<(), NotMigrated>;

    /// Goes on with a migration of this VM from here by post-copy that broke off, by the plan that it was begun with, once both hosts reach
    /// each other again. Returns when libvirt says it is over. Never to a destination of libvirt 11.2 or 11.3, which crashes then.
    ///
    /// # Errors
    /// `wrong-state` if it has not broken off; else as [`Self::migrate`].
    async fn recover_post_copy(&self, plan: &MigrationPlan) -> Result<(), NotMigrated>;

    /// The figures of the migration of this VM from here; none if there is no such job.
    async fn job(&self, vm: VmId) -> Result<Option<Statistics>, HostError>;

    /// The figures of the last completed migration of this VM, to or from here; none if libvirt has forgotten them.
    async fn completed_job(&self, vm: VmId) -> Result<Option<Statistics>, HostError>;

    /// Changes a migration of this VM from here while it runs.
    ///
    /// # Errors
    /// `wrong-state` if there is no such job, or it can't be changed so in its state; `not-supported` if it was not prepared for that.
    async fn tune(&self, vm: VmId, tuning: Tuning) -> Result<(), HostError>;

    /// Opens the serial console or the screen of a VM that is active here. It uses a connection of its own. The stream ends with the VM's
    /// QEMU process, which may be because the VM has moved, with the connection, or when either of its halves is dropped. May take 15 s.
    ///
    /// # Errors
    /// `in-use` if another client has the serial console open; with `take_over` that client loses it instead. `not-supported` if the VM has
    /// no such terminal, or the console can't reach it; `wrong-state` if it is not active.
    async fn open_terminal(&self, vm: VmId, kind: TerminalKind, take_over: bool) -> Result<TerminalStream, HostError>;

    /// Asks libvirt to abort the migration of this VM from here.
    ///
    /// # Errors
    /// `wrong-state` if there is no job (yet, or any more).
    async fn abort(&self, vm: VmId) -> Result<(), HostError>;
}

/// Why a migration did not happen, as far as those who drove it know, by what that says of the VM.
#[derive(Clone, Debug, PartialEq)]
pub enum NotMigrated {
    /// Nothing was begun: the VM is where it was, whatever the reason.
    NotBegun(HostError),
    /// libvirt says that it failed, and that the VM stayed.
    Failed(HostError),
    /// It is not known how it ended, or whether it has: the connection to the source was lost, or the console was not there.
    Lost(HostError),
}

impl NotMigrated {
    /// Why.
    pub fn error(&self) -> &HostError {
        match self {
            Self::NotBegun(error) | Self::Failed(error) | Self::Lost(error) => error,
        }
    }

    /// Why.
    pub fn into_error(self) -> HostError {
        match self {
            Self::NotBegun(error) | Self::Failed(error) | Self::Lost(error) => error,
        }
    }
}
