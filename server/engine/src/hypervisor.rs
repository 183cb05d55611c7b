//! What the engine needs of a hypervisor. `server/libvirt` implements it over libvirt, `sim` by a model.

use std::sync::Arc;

use async_trait::async_trait;
use model::{HostName, Problem, Secret, VmAction, VmId, VmState, Way};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{Address, Chunk, DiskCopy, DomainFacts, Fingerprint, NewVolume, Survey, UserName, Volume};

/// How to reach a host. Checked fields only: no user's string ever becomes a URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostConfig {
    /// The name it is registered under.
    pub name: HostName,
    /// How the console talks to its libvirt daemon.
    pub transport: Transport,
    /// The address other hosts reach it at for migration data and for their own login (peer-to-peer).
    pub peer_address: Address,
    /// How another host's libvirt daemon logs in here (peer-to-peer).
    pub peer_transport: Transport,
    /// What one migration from here may use, in MiB/s; none is unlimited.
    pub bandwidth_mib_s: Option<u32>,
    /// Directories that this host shares with others, though libvirt can't see it: disks below one that both hosts name are
    /// not copied. Absolute paths without a slash at the end.
    pub shared_directories: Vec<String>,
}

/// How to talk to a libvirt daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The local daemon's UNIX socket, `qemu:///system`.
    Local,
    /// Plain TCP; for test hosts and trusted networks only.
    Tcp {
        /// Where.
        address: Address,
        /// 16509 by default.
        port: u16,
        /// System or session daemon.
        daemon: Daemon,
    },
    /// TCP with TLS and certificates.
    Tls {
        /// Where.
        address: Address,
        /// 16514 by default.
        port: u16,
    },
    /// ssh.
    Ssh(Ssh),
}

/// How to log in by ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    /// Where.
    pub address: Address,
    /// 22 by default.
    pub port: u16,
    /// The account there.
    pub user: UserName,
    /// How to prove to be that account.
    pub login: SshLogin,
    /// The host's key that somebody has confirmed, `SHA256:…`: accepted if the console does not know another one.
    pub fingerprint: Option<Fingerprint>,
}

impl Ssh {
    /// ssh's own port.
    pub const PORT: u16 = 22;
}

/// How to prove to be an account, by ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SshLogin {
    /// By the program `ssh` of the account that the console runs as, with its keys, its configuration and its known hosts. The only one
    /// for another host's own login.
    Program,
    /// With the keys and the agent of that account; the console keeps the known hosts.
    AccountKeys,
    /// With the console's own key.
    ConsoleKey,
    /// With a password; none until somebody has typed it.
    Password(Option<Secret>),
}

/// Which of a machine's libvirt daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daemon {
    /// The privileged one, `/system`.
    System,
    /// A user's own, `/session`.
    Session,
}

impl Transport {
    /// The address people know the host by.
    pub fn address(&self) -> String {
        match self {
            Self::Local => "local".to_owned(),
            Self::Tcp { address, .. } | Self::Tls { address, .. } => address.to_string(),
            Self::Ssh(ssh) => ssh.address.to_string(),
        }
    }
}

/// Makes connections to hosts.
#[async_trait]
pub trait Hypervisor: Send + Sync + 'static {
    /// Connects to a host, within 10 s. From then on `events` tells what changes there; it ends with [`HostEvent::Closed`].
    ///
    /// # Errors
    /// `host-unreachable` with the reason; `host-key-unknown`, `host-key-changed`, `needs-login`, `login-refused`, `not-permitted` where
    /// somebody has to do something before it is worth trying again.
    async fn connect(
        &self,
        host: &HostConfig,
        events: mpsc::UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn HostConnection>, Problem>;

    /// Knocks at a TCP port, for 1.5 s at most: whether anything keeps packets from it.
    async fn probe(&self, address: &Address, port: u16) -> Probe;
}

/// What came of knocking at a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The host took or refused the connection: packets come through, whether anything listens now or not.
    Answers,
    /// It did not answer, or something on the way said no; in the system's words.
    Silent(String),
}

/// What a host tells unasked.
#[derive(Clone, Debug, PartialEq)]
pub enum HostEvent {
    /// Something about this VM's copy changed, or it is gone: ask again.
    Changed(VmId),
    /// A migration of this VM succeeded; its final figures. Failures are not told.
    JobCompleted(VmId, Statistics),
    /// The connection is gone; no event follows.
    Closed(Problem),
}

/// An open connection to a host. Every call ends within its own time limit (5 s unless told otherwise), as `timed-out` or
/// `host-unreachable` if need be; dropping it closes the connection.
#[async_trait]
pub trait HostConnection: Send + Sync {
    /// What the host is: asked once after connecting, and now and then for its free memory.
    /// The first answer may take 30 s: libvirt starts every QEMU it has to see what it can do.
    async fn host(&self) -> Result<HostFacts, Problem>;

    /// All copies of VMs there. May take 30 s.
    async fn copies(&self) -> Result<Vec<CopyFacts>, Problem>;

    /// The copy of this VM there, none if there is none. Also asks nothing of an incoming copy that could block.
    async fn copy(&self, vm: VmId) -> Result<Option<CopyFacts>, Problem>;

    /// Starts, stops, pauses or resumes a copy. May take 30 s.
    ///
    /// # Errors
    /// `wrong-state` or `unknown-vm` if that is why, else `hypervisor`; libvirt's words are in the details.
    async fn act(&self, vm: VmId, action: VmAction) -> Result<(), Problem>;

    /// Removes the definition of a copy here that is off, as libvirt does after a migration: what else is kept of the VM (UEFI
    /// variables, the state of its TPM) stays. That there is none is no error.
    async fn undefine(&self, vm: VmId) -> Result<(), Problem>;

    /// What a VM here is made of. Never ask it of an incoming copy. May take 10 s.
    async fn domain(&self, vm: VmId) -> Result<DomainFacts, Problem>;

    /// What the host has for a VM that may be elsewhere; changes nothing. May take 10 s.
    async fn survey(&self, domain: &DomainFacts) -> Result<Survey, Problem>;

    /// What a guest here writes to its memory, in bytes a second, measured for a second (libvirt samples pages).
    async fn dirty_rate(&self, vm: VmId) -> Result<u64, Problem>;

    /// What a guest here has written to these disks since it started, in bytes.
    async fn disk_writes(&self, vm: VmId, targets: &[String]) -> Result<u64, Problem>;

    /// Takes the medium out of a drive of a VM here, now and for later starts.
    async fn eject(&self, vm: VmId, target: &str) -> Result<(), Problem>;

    /// A volume of an active pool here, after a look at what the pool really has; none if there is none. May take 30 s.
    async fn volume(&self, pool: &str, name: &str) -> Result<Option<Volume>, Problem>;

    /// The volume at this path, in whatever active pool here it is: the pool's name with it. May take 30 s.
    async fn volume_at(&self, path: &str) -> Result<Option<(String, Volume)>, Problem>;

    /// What still needs the image at this path, in words: VMs here, volumes that stand on it, and others if its pool is shared: they
    /// can't be asked. The VM that has `left` needs it only if it runs here all the same. May take 30 s.
    async fn users_of_image(&self, path: &str, left: VmId) -> Result<Vec<String>, Problem>;

    /// Makes a volume here that takes up no more than it must. May take 30 s.
    ///
    /// # Errors
    /// `hypervisor`, also where there is one of that name: it is never touched.
    async fn create_volume(&self, volume: &NewVolume) -> Result<Volume, Problem>;

    /// Deletes a volume here; that there is none is no error. May take 30 s.
    async fn delete_volume(&self, pool: &str, name: &str) -> Result<(), Problem>;

    /// Reads a volume here from its first byte to its last, holes as holes. Ends when all is sent or nobody receives.
    async fn read_volume(&self, pool: &str, name: &str, to: mpsc::Sender<Chunk>) -> Result<(), Problem>;

    /// Replaces what is in a volume here by what comes, until the sender is dropped. Ends with an error before the pool is full.
    async fn write_volume(&self, pool: &str, name: &str, from: mpsc::Receiver<Chunk>) -> Result<(), Problem>;

    /// Moves a VM from here. Returns when libvirt says it is over, which may take hours; uses a connection of its own, so that
    /// dropping this one or a slow poll does not matter. What it returns is a claim: verify it.
    ///
    /// # Errors
    /// `cancelled` if [`Self::abort`] ended it; `already-there`, `already-migrating`, `same-host` or `wrong-state` where a caller could
    /// do something about it; `peer-login` if the source's daemon could not log in at the destination, and so nothing was begun;
    /// what [`Hypervisor::connect`] says if the destination of a direct migration can't be connected to; `hypervisor` or
    /// `host-unreachable` otherwise.
    async fn migrate(&self, plan: &MigrationPlan) -> Result<(), NotMigrated>;

    /// The figures of the migration of this VM from here; none if there is no such job.
    async fn job(&self, vm: VmId) -> Result<Option<Statistics>, Problem>;

    /// The figures of the last completed migration of this VM, to or from here; none if libvirt has forgotten them.
    async fn completed_job(&self, vm: VmId) -> Result<Option<Statistics>, Problem>;

    /// Asks libvirt to abort the migration of this VM from here.
    ///
    /// # Errors
    /// `wrong-state` if there is no job (yet, or any more).
    async fn abort(&self, vm: VmId) -> Result<(), Problem>;
}

/// Why a migration did not happen, as far as those who drove it know, by what that says of the VM.
#[derive(Clone, Debug, PartialEq)]
pub enum NotMigrated {
    /// Nothing was begun: the VM is where it was, whatever the reason.
    NotBegun(Problem),
    /// libvirt says that it failed, and that the VM stayed.
    Failed(Problem),
    /// It is not known how it ended, or whether it has: the connection to the source was lost, or the console was not there.
    Lost(Problem),
}

impl NotMigrated {
    /// Why, in words.
    pub fn problem(&self) -> &Problem {
        match self {
            Self::NotBegun(problem) | Self::Failed(problem) | Self::Lost(problem) => problem,
        }
    }

    /// Why, in words.
    pub fn into_problem(self) -> Problem {
        match self {
            Self::NotBegun(problem) | Self::Failed(problem) | Self::Lost(problem) => problem,
        }
    }
}

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// libvirt's UUID of the host; two hosts of the same UUID are one.
    pub uuid: Uuid,
    /// Logical CPUs.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Memory that is free or can be freed at once (buffers, cache), in bytes.
    pub memory_free_bytes: u64,
    /// The daemon's version, e.g. `11.3.0`.
    pub libvirt_version: String,
    /// QEMU's version, e.g. `10.0.2`.
    pub hypervisor_version: String,
    /// The CPU's model as libvirt names it; none if it does not.
    pub cpu_model: Option<String>,
    /// How long a small question took to be answered, in ms.
    pub latency_ms: u32,
}

/// What is known of one copy of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFacts {
    /// The UUID.
    pub vm: VmId,
    /// The name there.
    pub name: String,
    /// What it does.
    pub state: VmState,
    /// Whether it is being received: the destination's half of a migration under way. Not a VM of its own.
    pub incoming: bool,
    /// Whether it is paused because a migration from here switched over, and waits for the verdict.
    pub outgoing: bool,
    /// Whether it is paused because a migration from here switched over, and nobody waits for the verdict any more: who drove it is
    /// gone, and this host does not know whether the VM goes on elsewhere.
    pub abandoned: bool,
    /// Whether its definition outlives a power-off; unknown (false) of an incoming copy.
    pub persistent: bool,
    /// Virtual CPUs; 0 of an incoming copy.
    pub vcpus: u32,
    /// Its memory in bytes; 0 of an incoming copy.
    pub memory_bytes: u64,
}

/// One migration, ready to be handed to the hypervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationPlan {
    /// The VM.
    pub vm: VmId,
    /// The host it goes to, with the login to be used for a direct migration.
    pub destination: HostConfig,
    /// Who drives it.
    pub way: Way,
    /// Whether memory and disks are encrypted on their way (TLS).
    pub encrypted: bool,
    /// Whether the memory goes by RDMA.
    pub rdma: bool,
    /// Memory, or the definition only.
    pub mode: model::Mode,
    /// Whether the source forgets the VM afterwards.
    pub undefine_source: bool,
    /// Whether the destination keeps the VM beyond a power-off: what it was at the source.
    pub persist_destination: bool,
    /// At most this much of the network, in MiB/s; none is unlimited.
    pub bandwidth_mib_s: Option<u32>,
    /// What the VM shall be called there; none keeps its name.
    pub new_name: Option<String>,
    /// The disks to copy (live), or whose place in the definition changes (offline). All others stay as they are.
    pub disks: Vec<DiskCopy>,
    /// Let the guest wait for every write to both disks: slower for it, but the copy catches up for certain.
    pub synchronous_writes: bool,
    /// libvirt can't see that a disk is shared, but the hosts' settings say so.
    pub trust_shared_directories: bool,
}

/// A migration job's figures, as libvirt gives them (`qemuDomainMigrationJobDataToParams`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Time since the job began, in ms.
    pub elapsed_ms: u64,
    /// Memory and disks to move, in bytes.
    pub data_total: u64,
    /// Sent so far, in bytes.
    pub data_processed: u64,
    /// Left as of now, in bytes.
    pub data_remaining: u64,
    /// Memory to move, in bytes.
    pub memory_total: u64,
    /// Memory sent so far, pages sent twice counted twice, in bytes.
    pub memory_processed: u64,
    /// Memory left as of now, in bytes.
    pub memory_remaining: u64,
    /// Disk contents to copy, in bytes; 0 without a copy of storage.
    pub disk_total: u64,
    /// Disk contents copied, in bytes.
    pub disk_processed: u64,
    /// Disk contents left, in bytes.
    pub disk_remaining: u64,
    /// What the link carries, in bytes a second; 0 when not known yet.
    pub memory_bytes_s: u64,
    /// Pages the guest changes a second; 0 until the second pass.
    pub dirty_pages_s: u64,
    /// A page in bytes; 0 when not told.
    pub page_bytes: u64,
    /// Passes over the memory so far.
    pub memory_pass: u64,
    /// While running: the pause QEMU expects if it switched over now; when completed: the pause there was. In ms.
    pub downtime_ms: Option<u64>,
}
