//! How a host is reached, as it is written in the configuration, in a form, in a request.
//!
//! Nothing here is checked yet. `engine::HostConfig::checked` makes of it what URIs are built from.

use serde::{Deserialize, Serialize};

use crate::{HostName, Policy, PolicyDefaults, Secret};

/// How to reach a host. There is no field for a URI, and none for a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostSettings {
    /// The name it is registered under.
    pub name: HostName,
    /// How the console talks to its libvirt daemon.
    pub transport: TransportKind,
    /// Where it is: a name or an IP address. None of a local one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// 22 for ssh, 16514 for TLS, 16509 for TCP by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The account there, for ssh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// How to prove to be that account, for ssh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<SshLoginKind>,
    /// Which of the machine's daemons, for TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daemon: Option<DaemonKind>,
    /// Where other hosts reach it, if at another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_address: Option<String>,
    /// How other hosts log in there, if otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_transport: Option<TransportKind>,
    /// The port other hosts log in at. Left out: the console's if they log in as it does, else the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_port: Option<u16>,
    /// The account other hosts log in as by ssh. Left out: the console's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_user: Option<String>,
    /// What one migration from there may use, in MiB/s, 1 to 1,000,000; none is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_mib_s: Option<u32>,
    /// The policy of migrations from there that choose none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The longest pause that this policy may allow, in ms, 1 to 2,000,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_pause_ms: Option<u32>,
    /// How long a migration of this policy may go on without converging, in s, 1 to 604,800.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_s: Option<u32>,
    /// Directories that it shares with other hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_directories: Vec<String>,
    /// Memory that plans leave free there, in MiB; none leaves nothing free on purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_reserve_mib: Option<u32>,
    /// What all migrations of a plan away from there may use together, in MiB/s, 1 to 1,000,000; none is what earlier ones had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing_mib_s: Option<u32>,
    /// The same of those to there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming_mib_s: Option<u32>,
}

/// What plans leave free of a host, and what they use of its links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostBudget {
    /// Memory that plans leave free there, in MiB; none leaves nothing free on purpose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reserve_mib: Option<u32>,
    /// What all migrations of a plan away from there may use together, in MiB/s, 1 to 1,000,000; none is what earlier ones had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outgoing_mib_s: Option<u32>,
    /// The same of those to there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incoming_mib_s: Option<u32>,
}

impl HostSettings {
    /// The policy of migrations from there that choose none.
    pub fn policy_defaults(&self) -> PolicyDefaults {
        PolicyDefaults { policy: self.policy, longest_pause_ms: self.longest_pause_ms, budget_s: self.budget_s }
    }

    /// What plans leave free of it, and what they use of its links.
    pub fn budget(&self) -> HostBudget {
        let Self { memory_reserve_mib, outgoing_mib_s, incoming_mib_s, .. } = *self;
        HostBudget { memory_reserve_mib, outgoing_mib_s, incoming_mib_s }
    }
}

/// How a connection is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransportKind {
    /// The machine's own socket.
    Local,
    /// Plain TCP.
    Tcp,
    /// TCP with TLS and certificates.
    Tls,
    /// ssh.
    Ssh,
}

/// How to prove to be an account, by ssh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SshLoginKind {
    /// By the program `ssh` of the account that the console runs as, with its keys, its configuration and its known hosts.
    Program,
    /// With the keys and the agent of that account; the console keeps the known hosts.
    AccountKeys,
    /// With the console's own key.
    ConsoleKey,
    /// With a password that is typed.
    Password,
}

/// Which of a machine's libvirt daemons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DaemonKind {
    /// The privileged one.
    System,
    /// A user's own.
    Session,
}

/// What a user types to log in at a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostLogin {
    /// The account there; the registered one if left out, `root` where the host is not registered.
    pub user: Option<String>,
    /// Its password; left out, the keys of the account that the console runs as are tried.
    pub password: Option<Secret>,
    /// The host's key, if the console does not know it yet: `SHA256:…`, as OpenSSH shows it.
    pub fingerprint: Option<String>,
    /// Keep the password in memory until the console stops, not only for as long as a migration needs it.
    pub keep_until_restart: bool,
}

/// A host to be registered or changed, and how to log in there for the first time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewHost {
    /// How to reach it.
    pub settings: HostSettings,
    /// What was typed.
    #[serde(default)]
    pub login: HostLogin,
}

/// What came of trying to reach a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostTest {
    /// libvirt's version there, e.g. `11.3.0`.
    pub libvirt_version: String,
    /// QEMU's version there, e.g. `10.0.2`.
    pub hypervisor_version: String,
    /// The CPU's model as libvirt names it.
    pub cpu_model: Option<String>,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// VMs it has.
    pub vms: u32,
    /// How long a small question takes to be answered, in ms.
    pub latency_ms: u32,
}

/// A registered host, as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegisteredHost {
    /// How it is reached.
    pub settings: HostSettings,
    /// Where it was registered.
    pub origin: HostOrigin,
    /// The host's ssh key that the console knows: `SHA256:…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// Where a host was registered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostOrigin {
    /// In the configuration file, where it is changed, too.
    #[default]
    Configured,
    /// By a user, at run time.
    Added,
    /// Nowhere: it is here for as long as a migration needs it.
    Temporary,
}
