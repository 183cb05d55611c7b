//! The sentences for this crate's errors, and their codes for programs.

use engine::{Fingerprint, HostError, HostErrorKind, Ssh};

use model::{Code, Problem};

use crate::error::{CommandFailure, ConsoleKeyError, HostKeyError, KnownHostsError, SshError};

/// How an admin sees a host's key without ssh.
const COMPARE: &str = "Compare it with what the host itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

impl From<HostKeyError> for Problem {
    fn from(error: HostKeyError) -> Self {
        match error {
            HostKeyError::Unknown { host, shown } => {
                Self::new(Code::HostKeyUnknown, format!("The ssh key of {host} is not known yet: {shown}."))
                    .with_fix(format!("{COMPARE}. If it is the same, confirm it."))
                    .with_fingerprint(shown.as_str())
            }
            HostKeyError::NotConfirmed { host, confirmed, shown } => Self::new(
                Code::HostKeyChanged,
                format!("{host} shows the ssh key {shown}, but {confirmed} was confirmed."),
            )
            .with_fix(format!("{COMPARE}. If the host shows neither, another machine may be impersonating {host}."))
            .with_fingerprint(shown.as_str()),
            HostKeyError::Changed { host, address, port, known, shown } => {
                let known = match known.as_slice() {
                    [] => "another in this machine's own list (/etc/ssh/ssh_known_hosts)".to_owned(),
                    known => known.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(" or "),
                };
                let port = if port == Ssh::PORT { String::new() } else { format!(" --port {port}") };
                Self::new(Code::HostKeyChanged, format!("The ssh key of {host} is {shown}, but was {known}."))
                    .with_fix(format!(
                        "Another machine may be impersonating {host}. {COMPARE}. Only if the new key is the host's own, let vmferry \
                         forget the old one: remove the host and add it again, or run `vmferry known-hosts forget {address}{port}` \
                         on the machine that vmferry runs on."
                    ))
                    .with_fingerprint(shown.as_str())
            }
        }
    }
}

impl From<KnownHostsError> for Problem {
    fn from(error: KnownHostsError) -> Self {
        let KnownHostsError { file, action, source } = error;
        Self::new(Code::Internal, format!("The file of known ssh hosts can't be {action}."))
            .with_fix(format!("Check the owner and the permissions of {}.", file.display()))
            .with_details(source.to_string())
    }
}

impl From<ConsoleKeyError> for Problem {
    fn from(error: ConsoleKeyError) -> Self {
        match error {
            ConsoleKeyError::NoPassphrase => {
                Self::new(Code::NotSupported, "vmferry has no passphrase to encrypt its own ssh key with.").with_fix(
                    "Write a long one into a file that only vmferry's account can read, name the file in the configuration as \
                     key_passphrase_file, and start vmferry again. Or give the service the systemd credential key-passphrase.",
                )
            }
            ConsoleKeyError::WrongPassphrase { file, reason } => {
                Self::new(Code::NotSupported, "vmferry's own ssh key is encrypted with another passphrase.")
                    .with_fix(format!(
                        "Give vmferry the passphrase that {} was made with. If it is lost, remove the file, and set the key up \
                         again on every host.",
                        file.display()
                    ))
                    .with_details(reason)
            }
            ConsoleKeyError::File { file, action, reason } => {
                Self::new(Code::Internal, format!("vmferry's own ssh key can't be {action}."))
                    .with_fix(format!("Check the owner and the permissions of {}.", file.display()))
                    .with_details(reason)
            }
        }
    }
}

impl From<SshError> for Problem {
    fn from(error: SshError) -> Self {
        match error {
            SshError::HostKey(error) => error.into(),
            SshError::KnownHosts(error) => error.into(),
            SshError::NoPassword { address, user } => {
                let user = user.as_str();
                Self::new(Code::NeedsLogin, format!("{address} asks for a password, and vmferry has none."))
                    .with_fix(format!("Give the password of {user} on {address}."))
            }
            SshError::PasswordsDisabled { address } => {
                Self::new(Code::LoginRefused, format!("{address} does not take passwords."))
                    .with_fix("Let its sshd take them (PasswordAuthentication yes), at least until the key is there.")
            }
            SshError::PasswordRefused { address, user } => Self::new(
                Code::LoginRefused,
                format!("{address} does not accept the password of {}.", user.as_str()),
            )
            .with_fix(
                "Check whether account and password are right, and whether the host lets this account log in with a password.",
            ),
            SshError::NoCommonAlgorithm { address, reason } => Self::new(
                Code::NotSupported,
                format!("{address} offers no ssh algorithm that vmferry supports."),
            )
            .with_fix(
                "Give it an ed25519 host key (`ssh-keygen -A`), and check which algorithms its sshd_config allows.",
            )
            .with_details(reason),
            SshError::NoAddress { address, reason } => Self::new(
                Code::HostUnreachable,
                format!("vmferry does not connect to {address}: it has no address, or none that hosts may have."),
            )
            .with_fix(
                "Correct the address of the host, or the name resolution of the machine that vmferry runs on. Which networks hosts may \
                 be in is allowed_networks in the console's configuration.",
            )
            .with_details(reason.to_string()),
            SshError::NotConnected { address, port, reason } => Self::new(
                Code::HostUnreachable,
                format!("{address} does not answer: no ssh connection at port {port}."),
            )
            .with_fix(
                "Check whether the host is switched on, whether sshd runs there, and the network between vmferry and the host.",
            )
            .with_details(reason),
            SshError::TimedOut { address, seconds } => Self::new(
                Code::HostUnreachable,
                format!("{address} does not answer: no answer within {seconds} s."),
            )
            .with_fix("Check whether the host hangs, and whether a firewall drops its ssh port."),
            SshError::Command { address, user, reason, output } => {
                command_failed(&address.to_string(), user.as_str(), reason).with_details(output)
            }
        }
    }
}

fn command_failed(address: &str, user: &str, reason: CommandFailure) -> Problem {
    match reason {
        CommandFailure::NoHelper => Problem::new(
            Code::NotSupported,
            format!("{address} has no virt-ssh-helper, the only program that vmferry's key may run there."),
        )
        .with_fix("Install libvirt 6.8 or newer there, or log in with a password."),
        CommandFailure::NotWritten => Problem::new(
            Code::NotPermitted,
            format!("The file of authorized keys of {user} on {address} can't be changed."),
        )
        .with_fix(format!(
            "Check the owner and the permissions of ~{user}/.ssh/authorized_keys there, and the free space."
        )),
        CommandFailure::OtherLine => Problem::new(
            Code::NotPermitted,
            format!(
                "vmferry's key is in the authorized keys of {user} on {address} in a line that vmferry did not write."
            ),
        )
        .with_fix(format!(
            "Find the lines that end in vmferry in ~{user}/.ssh/authorized_keys there, and remove them by hand."
        )),
        CommandFailure::NoShell => Problem::new(
            Code::NotPermitted,
            format!("{user} may not run a shell on {address}, or it is one that vmferry can't use (csh)."),
        )
        .with_fix("Log in with another account, or with a password."),
    }
}

/// The same words, of the kind that the engine decides by.
fn host_error(kind: HostErrorKind, Problem { sentence, fix, details, fingerprint, .. }: Problem) -> HostError {
    HostError { kind, sentence, fix, details, fingerprint }
}

impl From<HostKeyError> for HostError {
    fn from(error: HostKeyError) -> Self {
        let kind = match &error {
            HostKeyError::Unknown { .. } => HostErrorKind::HostKeyUnknown,
            HostKeyError::NotConfirmed { .. } | HostKeyError::Changed { .. } => HostErrorKind::HostKeyChanged,
        };
        host_error(kind, error.into())
    }
}

impl From<KnownHostsError> for HostError {
    fn from(error: KnownHostsError) -> Self {
        host_error(HostErrorKind::Internal, error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// One of each kind.
    fn all() -> Vec<SshError> {
        let (address, user) = (|| "192.0.2.7".parse().unwrap(), || "root".parse().unwrap());
        let shown = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
        let reason = String::new;
        let known_hosts =
            KnownHostsError { file: "known_hosts".into(), action: "read", source: io::ErrorKind::NotFound.into() };
        vec![
            SshError::NoPassword { address: address(), user: user() },
            SshError::HostKey(HostKeyError::Unknown { host: "alpha".into(), shown }),
            SshError::KnownHosts(known_hosts),
            SshError::PasswordsDisabled { address: address() },
            SshError::PasswordRefused { address: address(), user: user() },
            SshError::NoCommonAlgorithm { address: address(), reason: reason() },
            SshError::NotConnected { address: address(), port: 22, reason: reason() },
            SshError::TimedOut { address: address(), seconds: 10 },
            SshError::Command { address: address(), user: user(), reason: CommandFailure::NoShell, output: reason() },
        ]
    }

    #[test]
    fn what_counts_as_a_refused_login_is_told_as_one() {
        for error in all() {
            let (counts, words) = (error.is_login_refused(), error.to_string());
            assert_eq!(counts, Problem::from(error).code == Code::LoginRefused, "{words}");
        }
    }
}
