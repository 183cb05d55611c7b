//! Logging in at a host by libssh: as whom, with what, and what it means if the host's key or the login is refused.

use std::{env, path::PathBuf};

use engine::{Fingerprint, Ssh, SshLogin, Transport};
use model::{Code, HostName, Problem, Secret};
use ssh::KnownHosts;
use virt::sys;

use crate::{auth::Answers, error::LibvirtError, hypervisor::SshFiles, uri};

/// How to see a host's key without ssh.
const COMPARE: &str = "Compare it with what the host itself shows: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

/// A login by libssh.
///
/// Only what is meant to be tried is tried: each key that a host refuses is one of the few attempts that it allows (MaxAuthTries), and a
/// password is not for hosts that want a key.
pub(crate) struct Login {
    host: HostName,
    ssh: Ssh,
    known_hosts: KnownHosts,
    /// As libvirt names them.
    methods: &'static str,
    key: Option<PathBuf>,
    secret: Option<Secret>,
}

impl Login {
    /// The login that this transport wants; none if it does without libssh.
    pub(crate) fn of(host: &HostName, transport: &Transport, files: &SshFiles) -> Option<Self> {
        let Transport::Ssh(ssh) = transport else { return None };
        let (methods, key, secret) = match &ssh.login {
            SshLogin::Program => return None,
            SshLogin::AccountKeys => match account_key() {
                Some(key) => ("agent,privkey", Some(key), None),
                None => ("agent", None, None),
            },
            SshLogin::ConsoleKey => ("privkey", Some(files.console_key.clone()), files.passphrase.clone()),
            // The same to people: hosts that let PAM ask call it keyboard-interactive.
            SshLogin::Password(password) => ("password,keyboard-interactive", None, password.clone()),
        };
        let known_hosts = KnownHosts::at(files.known_hosts.clone());
        Some(Self { host: host.clone(), ssh: ssh.clone(), known_hosts, methods, key, secret })
    }

    /// Looks whether it is worth trying.
    ///
    /// # Errors
    /// `needs-login` without a password; `host-key-changed` if somebody confirmed another key than the one that is known, which stays what
    /// it is, whatever anybody sends.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let host = &self.host;
        if self.ssh.login == SshLogin::Password(None) {
            return Err(Problem::new(Code::NeedsLogin, format!("{host} wants a password, and vmferry has none."))
                .with_fix(format!("Log in to {host}. vmferry keeps passwords in memory only.")));
        }
        let known = self.known_hosts.of(&self.ssh.address, self.ssh.port)?;
        match &self.ssh.fingerprint {
            Some(confirmed) if !known.is_empty() && !known.contains(confirmed) => {
                Err(self.key_changed(&known, confirmed))
            }
            _ => Ok(()),
        }
    }

    /// What to connect to.
    pub(crate) fn uri(&self) -> String {
        uri::libssh(&self.ssh, self.known_hosts.file(), self.methods, self.key.as_deref())
    }

    /// What to answer on the way in.
    pub(crate) fn answers(&self) -> Answers {
        Answers::new(self.ssh.fingerprint.clone(), self.secret.clone())
    }

    /// What libssh's error means if it is about the host's key.
    pub(crate) fn key_refused(&self, error: &LibvirtError) -> Option<Problem> {
        if error.domain != sys::VIR_FROM_LIBSSH {
            return None;
        }
        let (host, shown) = (&self.host, ssh::in_words_of_libssh(&error.message)?);
        let problem = match (error.number, &self.ssh.fingerprint) {
            (sys::VIR_ERR_AUTH_FAILED, _) => {
                self.key_changed(&self.known_hosts.of(&self.ssh.address, self.ssh.port).unwrap_or_default(), &shown)
            }
            (_, Some(confirmed)) => Problem::new(
                Code::HostKeyChanged,
                format!("{host} shows the ssh key {shown}, but {confirmed} was confirmed."),
            )
            .with_fix(format!("{COMPARE}. If the host shows neither, somebody may be posing as {host}.")),
            (_, None) => {
                Problem::new(Code::HostKeyUnknown, format!("The ssh key of {host} is not known yet: {shown}."))
                    .with_fix(format!("{COMPARE}. If it is the same, confirm it."))
            }
        };
        Some(problem.with_fingerprint(shown.as_str()).with_details(&error.message))
    }

    /// Whether the login worked, but not what libvirt started on the host to talk to its daemon. libssh keeps to itself what that said.
    pub(crate) fn is_over(error: &LibvirtError) -> bool {
        error.domain == sys::VIR_FROM_LIBSSH && error.message.contains("Remote command terminated with non-zero code")
    }

    /// The daemon runs, and lets the account only look.
    pub(crate) fn not_permitted(&self, error: &LibvirtError) -> Problem {
        let (host, user) = (&self.host, self.ssh.user.as_str());
        Problem::new(Code::NotPermitted, format!("The account {user} on {host} may not use libvirt there."))
            .with_fix(format!(
                "Put it into the group that may: usermod --append --groups libvirt {user}. Or log in as another, such as root."
            ))
            .with_details(&error.message)
    }

    fn key_changed(&self, known: &[Fingerprint], shown: &Fingerprint) -> Problem {
        let known = match known {
            [] => "another in this machine's own list (/etc/ssh/ssh_known_hosts)".to_owned(),
            known => known.iter().map(Fingerprint::as_str).collect::<Vec<_>>().join(" or "),
        };
        let (host, address) = (&self.host, &self.ssh.address);
        Problem::new(Code::HostKeyChanged, format!("The ssh key of {host} is {shown}, but was {known}."))
            .with_fix(format!(
                "Somebody may be posing as {host}. {COMPARE}. Only if the new key is the host's own, let vmferry forget the old one: remove \
                 the host and add it again, or run `vmferry known-hosts forget {address}` on the machine that vmferry runs on."
            ))
            .with_fingerprint(shown.as_str())
    }
}

/// The key of the account that the console runs as, by its usual names. libvirt would look for it in an order of its own, and fail if
/// there is none, though an agent may have one.
fn account_key() -> Option<PathBuf> {
    let directory = env::home_dir()?.join(".ssh");
    ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| directory.join(name)).into_iter().find(|key| key.exists())
}
