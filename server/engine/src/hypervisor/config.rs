//! How a host is reached: checked fields, from which URIs and commands are built.

use model::{HostBudget, HostName, PolicyDefaults, Secret, Steering};

use super::{Address, Fingerprint, InvalidInput, UserName};

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
    /// The policy of migrations from here that choose none.
    pub policy_defaults: PolicyDefaults,
    /// Directories that this host shares with others, though libvirt can't see it: disks below one that both hosts name are
    /// not copied. Absolute paths without a slash at the end.
    pub shared_directories: Vec<String>,
    /// What plans leave free of it, and what they use of its links.
    pub budget: HostBudget,
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
    /// The host's key that a user has confirmed, `SHA256:…`: accepted if the console does not know another one.
    pub fingerprint: Option<Fingerprint>,
}

impl Ssh {
    /// ssh's own port.
    pub const PORT: u16 = 22;
}

/// How to prove to be an account, by ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SshLogin {
    /// By the program `ssh` of the account that the console runs as, with its keys, its configuration and its known hosts. The
    /// only one for another host's own login.
    Program,
    /// With the keys and the agent of that account; the console keeps the known hosts.
    AccountKeys,
    /// With the console's own key.
    ConsoleKey,
    /// With a password; none until a user has typed it.
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
        self.host_address().map_or_else(|| "local".to_owned(), ToString::to_string)
    }

    /// The address that is connected to; none for a local socket.
    pub fn host_address(&self) -> Option<&Address> {
        match self {
            Self::Local => None,
            Self::Tcp { address, .. } | Self::Tls { address, .. } => Some(address),
            Self::Ssh(ssh) => Some(&ssh.address),
        }
    }
}

/// The largest bandwidth that can be asked for, in MiB/s: 8 Tbit/s.
const LARGEST_BANDWIDTH_MIB_S: u32 = Steering::MOST_BANDWIDTH_MIB_S;

/// Checks that a limit, in MiB/s, lets a migration move at all and is one that libvirt understands.
///
/// # Errors
/// It is none.
pub(crate) fn check_bandwidth(limit_mib_s: u32) -> Result<(), InvalidInput> {
    match limit_mib_s {
        1..=LARGEST_BANDWIDTH_MIB_S => Ok(()),
        _ => Err(InvalidInput::new("The bandwidth limit is out of range.")
            .with_fix(format!("Give 1 to {LARGEST_BANDWIDTH_MIB_S} MiB/s, or leave it out."))
            .with_field("bandwidth_mib_s")),
    }
}

/// Checks that a guest may be paused for so long, in ms, and that QEMU understands it.
///
/// # Errors
/// It may not.
pub(crate) fn check_pause(longest_ms: u32) -> Result<(), InvalidInput> {
    match longest_ms {
        1..=Steering::MOST_PAUSE_MS => Ok(()),
        _ => Err(InvalidInput::new("The longest pause is out of range.")
            .with_fix(format!("Give 1 to {} ms.", Steering::MOST_PAUSE_MS))
            .with_field("longest_pause_ms")),
    }
}

/// Checks the limits of a policy.
///
/// # Errors
/// One is out of range.
pub(crate) fn check_limits(
    PolicyDefaults { longest_pause_ms, budget_s, .. }: PolicyDefaults,
) -> Result<(), InvalidInput> {
    longest_pause_ms.map_or(Ok(()), check_pause)?;
    match budget_s {
        None | Some(1..=Steering::MOST_BUDGET_S) => Ok(()),
        Some(_) => Err(InvalidInput::new("The budget is out of range.")
            .with_fix(format!("Give 1 to {} s, or leave it out.", Steering::MOST_BUDGET_S))
            .with_field("budget_s")),
    }
}
