//! Why the console could not use ssh. `problem.rs` has the sentences for people.

use std::{io, path::PathBuf};

use engine::{Address, Fingerprint, NoAddress, UserName};

/// Why a host's key is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostKeyError {
    /// No key of the host is known, and none was confirmed.
    #[error("the host key of {host} is not known: {shown}")]
    Unknown {
        /// What people call the host: its registered name, or its address.
        host: String,
        /// The key that the host shows.
        shown: Fingerprint,
    },
    /// No key of the host is known, and another one was confirmed.
    #[error("the host key of {host} is {shown}, and {confirmed} was confirmed")]
    NotConfirmed {
        /// What people call the host.
        host: String,
        /// The key that was confirmed.
        confirmed: Fingerprint,
        /// The key that the host shows.
        shown: Fingerprint,
    },
    /// Other keys of the host are known.
    #[error("the host key of {host} has changed to {shown}")]
    Changed {
        /// What people call the host.
        host: String,
        /// Where it is reached.
        address: Address,
        /// The port of its sshd.
        port: u16,
        /// The known keys; empty if they are in this machine's own list, which the console does not read.
        known: Vec<Fingerprint>,
        /// The key that the host shows, or that was confirmed.
        shown: Fingerprint,
    },
}

/// The file of known hosts can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{} can't be {action}: {source}", file.display())]
pub struct KnownHostsError {
    /// The file.
    pub(crate) file: PathBuf,
    /// What was tried, as a participle: made, read or written.
    pub(crate) action: &'static str,
    /// Why not.
    pub(crate) source: io::Error,
}

/// Why the console's own key can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleKeyError {
    /// No passphrase is configured to encrypt it with.
    #[error("there is no passphrase to encrypt the key with")]
    NoPassphrase,
    /// It is encrypted with another passphrase.
    #[error("{} has another passphrase: {reason}", file.display())]
    WrongPassphrase {
        /// Its file.
        file: PathBuf,
        /// Why it could not be decrypted.
        reason: String,
    },
    /// Its file can't be read or made, or is not an encrypted key.
    #[error("{} can't be {action}: {reason}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What was tried, as a participle: made, read or used.
        action: &'static str,
        /// Why not.
        reason: String,
    },
}

/// Why a command could not be run on a host, or failed there.
#[derive(Debug, thiserror::Error)]
pub enum SshError {
    /// No password was given to log in with.
    #[error("there is no password of {} at {address}", user.as_str())]
    NoPassword {
        /// The host.
        address: Address,
        /// The account.
        user: UserName,
    },
    /// The host's key is not accepted.
    #[error(transparent)]
    HostKey(#[from] HostKeyError),
    /// The known keys can't be read.
    #[error(transparent)]
    KnownHosts(#[from] KnownHostsError),
    /// sshd takes no passwords.
    #[error("{address} takes no passwords")]
    PasswordsDisabled {
        /// The host.
        address: Address,
    },
    /// The password is wrong, or not enough.
    #[error("{address} refuses the password of {}", user.as_str())]
    PasswordRefused {
        /// The host.
        address: Address,
        /// The account.
        user: UserName,
    },
    /// Host and console have no algorithm in common.
    #[error("{address} has no algorithm in common: {reason}")]
    NoCommonAlgorithm {
        /// The host.
        address: Address,
        /// The ssh library's words.
        reason: String,
    },
    /// The name can't be resolved, or stands for an address that hosts may not be at. Nothing was connected to.
    #[error("no address of {address}: {reason}")]
    NoAddress {
        /// The host.
        address: Address,
        /// Why.
        reason: NoAddress,
    },
    /// There is no connection, or it broke.
    #[error("no ssh connection to {address} port {port}: {reason}")]
    NotConnected {
        /// The host.
        address: Address,
        /// The port of its sshd.
        port: u16,
        /// The ssh library's words.
        reason: String,
    },
    /// The host took too long.
    #[error("{address} did not answer within {seconds} s")]
    TimedOut {
        /// The host.
        address: Address,
        /// How long the console waited, in seconds.
        seconds: u64,
    },
    /// The command failed.
    #[error("a command on {address} failed: {reason}")]
    Command {
        /// The host.
        address: Address,
        /// The account.
        user: UserName,
        /// Why.
        reason: CommandFailure,
        /// What the command printed.
        output: String,
    },
}

impl SshError {
    /// Whether the host refused the password.
    pub fn is_login_refused(&self) -> bool {
        matches!(self, Self::PasswordsDisabled { .. } | Self::PasswordRefused { .. })
    }
}

/// Why the command that adds or removes the console's key failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandFailure {
    /// The host lacks virt-ssh-helper.
    #[error("there is no virt-ssh-helper")]
    NoHelper,
    /// The file of authorized keys can't be changed.
    #[error("the file of authorized keys can't be written")]
    NotWritten,
    /// The key is in a line that vmferry did not write.
    #[error("the key is in another line")]
    OtherLine,
    /// The account has no shell that can run it.
    #[error("the account has no usable shell")]
    NoShell,
}
