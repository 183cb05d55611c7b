//! One host, as the inventory keeps it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Weak},
};

use model::{ConnectionState, Host, HostName, HostOrigin, Maintenance, Migration, VmId, VmState};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::hypervisor::{CopyFacts, HostConfig, HostConnection, HostError, HostFacts, Lease, Ssh, SshLogin, Transport};

/// Migrations that may leave a host at once, and arrive at one: a libvirt daemon runs 20 calls at a time, of which each
/// migration takes one, and KubeVirt's 2 proved slow for evacuations.
const AT_ONCE: usize = 4;

/// A host.
pub(crate) struct HostEntry {
    /// As it is registered: without a password.
    pub(crate) config: HostConfig,
    pub(crate) origin: HostOrigin,
    /// Another entry of the same name has another number: what was asked of one says nothing of the other.
    pub(crate) number: u64,
    pub(crate) connection: Option<Arc<dyn HostConnection>>,
    pub(crate) facts: Option<HostFacts>,
    /// Permits for migrations: away from here, and to here.
    pub(crate) outgoing: Arc<Semaphore>,
    pub(crate) incoming: Arc<Semaphore>,
    /// What a user typed, in place of the login that is registered.
    pub(crate) login: Option<LoginOverride>,
    /// Who watches it now.
    pub(super) watch: Watch,
    /// Whether it is about to be changed or removed, so that nothing may begin here.
    pub(super) leaving: bool,
    /// Held by whoever is about to begin a migration with it.
    pub(super) held: Weak<()>,
    pub(super) link: Link,
    /// Why its connection was lost, or could not be made, the latest first: since when, and what was said.
    pub(crate) errors: VecDeque<(u64, HostError)>,
    pub(super) copies: BTreeMap<VmId, CopyFacts>,
    /// That it is emptied or worked on.
    pub(crate) maintenance: Option<Maintenance>,
    /// What its networks have given out, in order.
    pub(super) leases: Vec<Lease>,
}

/// How the connection to a host is.
pub(super) enum Link {
    /// The host is tried for the first time.
    Connecting,
    Connected,
    Unreachable {
        /// Since when, in ms since 1970.
        since_ms: u64,
        error: HostError,
    },
}

impl Link {
    pub(super) fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }

    /// As people see it.
    fn shown(&self) -> ConnectionState {
        match self {
            Self::Connecting => ConnectionState::Connecting,
            Self::Connected => ConnectionState::Connected,
            Self::Unreachable { since_ms, error } => {
                ConnectionState::Unreachable { since_ms: *since_ms, problem: error.clone().into() }
            }
        }
    }
}

/// A login that a user typed, in place of the one that is registered.
#[derive(Clone)]
pub(crate) struct LoginOverride {
    /// How the host is reached with it.
    pub(crate) transport: Transport,
    /// How long it counts if no migration needs it; none is until the console stops.
    pub(crate) until: Option<Instant>,
}

/// The right to report what a host does: a host's watcher holds it, and it ends when another watcher takes over or the host is
/// removed.
#[derive(Clone)]
pub(crate) struct Watch {
    pub(crate) host: HostName,
    /// Cancelled under the inventory's lock only, so that what is said afterwards is not heard.
    pub(crate) ended: CancellationToken,
}

impl Watch {
    pub(super) fn new(host: &HostName) -> Self {
        Self { host: host.clone(), ended: CancellationToken::new() }
    }
}

impl HostEntry {
    pub(super) fn new(config: HostConfig, origin: HostOrigin, number: u64) -> Self {
        Self {
            watch: Watch::new(&config.name),
            config: config.without_password(),
            origin,
            number,
            connection: None,
            facts: None,
            outgoing: Arc::new(Semaphore::new(AT_ONCE)),
            incoming: Arc::new(Semaphore::new(AT_ONCE)),
            login: None,
            leaving: false,
            held: Weak::new(),
            link: Link::Connecting,
            errors: VecDeque::new(),
            copies: BTreeMap::new(),
            maintenance: None,
            leases: Vec::new(),
        }
    }

    /// How it is reached now: with the login that was typed, if there is one.
    pub(crate) fn with_login(&self) -> HostConfig {
        self.reached_by(self.login.as_ref().map(|login| &login.transport))
    }

    /// The same, but with a login that was typed for one migration, if there is one.
    pub(crate) fn for_migration(&self, login: Option<&Transport>) -> HostConfig {
        login.map_or_else(|| self.with_login(), |login| self.reached_by(Some(login)))
    }

    fn reached_by(&self, login: Option<&Transport>) -> HostConfig {
        HostConfig { transport: login.unwrap_or(&self.config.transport).clone(), ..self.config.clone() }
    }

    /// The same, if it is any use to try.
    ///
    /// # Errors
    /// `needs-login` if it wants a password and none has been typed.
    pub(crate) fn connect_config(&self) -> Result<HostConfig, HostError> {
        let config = self.with_login();
        match &config.transport {
            Transport::Ssh(ssh) if ssh.login == SshLogin::Password(None) => Err(HostError::needs_login(&config.name)),
            _ => Ok(config),
        }
    }

    /// The login that was typed for this account, if there is one.
    pub(crate) fn login_for(&self, account: &Ssh) -> Option<LoginOverride> {
        let is_same = |typed: &&LoginOverride| match &typed.transport {
            Transport::Ssh(ssh) => {
                (&ssh.address, ssh.port, &ssh.user) == (&account.address, account.port, &account.user)
            }
            _ => false,
        };
        self.login.as_ref().filter(is_same).cloned()
    }

    /// Whether a migration with it is about to begin.
    pub(super) fn is_held(&self) -> bool {
        self.held.strong_count() > 0
    }

    /// As people see it, with its VMs and those of them that are active, and what evacuations have reserved, in bytes.
    pub(super) fn shown(&self, (vms, vms_active): (u32, u32), memory_reserved_bytes: u64) -> Host {
        let facts = self.facts.as_ref();
        Host {
            name: self.config.name.clone(),
            address: self.config.transport.address(),
            origin: self.origin,
            connection: self.link.shown(),
            latency_ms: facts.map(|facts| facts.latency_ms),
            cpu_model: facts.and_then(|facts| facts.cpu_model.clone()),
            cpus: facts.map_or(0, |facts| facts.cpus),
            memory_bytes: facts.map_or(0, |facts| facts.memory_bytes),
            memory_free_bytes: facts.map_or(0, |facts| facts.memory_free_bytes),
            memory_reserved_bytes,
            vms,
            vms_active,
            libvirt_version: facts.map(|facts| facts.libvirt_version.clone()),
            hypervisor_version: facts.map(|facts| facts.hypervisor_version.clone()),
            bandwidth_mib_s: self.config.bandwidth_mib_s,
            policy_defaults: self.config.policy_defaults,
            maintenance: self.maintenance.clone(),
        }
    }

    /// Which copy is the VM: the highest. `state` is what it is shown to do.
    pub(super) fn rank(&self, copy: &CopyFacts, state: VmState, open: Option<&Migration>) -> [bool; 5] {
        let answers = self.link.is_connected();
        let runs = state == VmState::Running;
        [
            // While it moves the VM is at the source for as long as anything is; the row must not jump to and fro.
            open.is_some_and(|open| self.config.name == open.source) && copy.state.is_active(),
            runs && answers,
            copy.state.is_active(),
            copy.state.has_process(),
            answers,
        ]
    }
}
