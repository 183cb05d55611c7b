//! A login at a host by libvirt's libssh transport: the account and methods, the checks before it, and what its errors mean.

use std::{env, path::PathBuf};

use engine::{Fingerprint, Ssh, SshLogin, Transport};
use engine::{HostError, HostErrorKind};
use model::Secret;
use ssh::{HostKeyError, KnownHosts};
use virt::sys;

use super::{SshFiles, auth::Answers, ssh_config, uri};
use crate::error::LibvirtError;

/// A login by libssh.
///
/// It uses only the method that was chosen: each key that a host refuses counts as one of the few attempts that it
/// allows (MaxAuthTries), and a password is not sent to a host that is to be reached by key.
pub(crate) struct LibsshLogin {
    /// What errors call the host.
    host: String,
    ssh: Ssh,
    known_hosts: KnownHosts,
    /// The methods that libvirt may use, as its URI parameter `sshauth` names them.
    methods: &'static str,
    key: Option<PathBuf>,
    secret: Option<Secret>,
}

impl LibsshLogin {
    /// The login for this transport; none if the transport does not use libssh.
    pub(crate) fn of(host: &str, transport: &Transport, files: &SshFiles) -> Option<Self> {
        let Transport::Ssh(ssh) = transport else { return None };
        let (methods, key, secret) = match &ssh.login {
            SshLogin::Program => return None,
            SshLogin::AccountKeys => match account_key() {
                Some(key) => ("agent,privkey", Some(key), None),
                None => ("agent", None, None),
            },
            SshLogin::ConsoleKey => ("privkey", Some(files.console_key.clone()), files.passphrase.clone()),
            // Users see no difference: hosts where PAM asks for the password call it keyboard-interactive.
            SshLogin::Password(password) => ("password,keyboard-interactive", None, password.clone()),
        };
        let known_hosts = KnownHosts::at(files.known_hosts.clone());
        Some(Self { host: host.to_owned(), ssh: ssh.clone(), known_hosts, methods, key, secret })
    }

    /// Checks what can be checked before the host is asked.
    ///
    /// # Errors
    /// `needs-login` without a password; `host-key-changed` if the confirmed key is not the known one (a request never
    /// replaces a known key); `host-unreachable` if libssh would not check host keys at all.
    pub(crate) fn check(&self) -> Result<(), HostError> {
        let host = &self.host;
        if self.ssh.login == SshLogin::Password(None) {
            return Err(HostError::new(
                HostErrorKind::NeedsLogin,
                format!("{host} asks for a password, and vmferry has none."),
            )
            .with_fix(format!("Log in to {host}. vmferry keeps passwords in memory only.")));
        }
        if let Some(file) = ssh_config::file_without_host_key_check(&self.ssh.address.to_string()) {
            let sentence =
                format!("vmferry does not log in to {host}: the ssh configuration turns host key checking off.");
            return Err(HostError::new(HostErrorKind::Unreachable, sentence).with_fix(format!(
                "Remove StrictHostKeyChecking from {}, or run vmferry under an account of its own.",
                file.display()
            )));
        }
        let known = self.known_hosts.of(&self.ssh.address, self.ssh.port)?;
        match &self.ssh.fingerprint {
            Some(confirmed) if !known.is_empty() && !known.contains(confirmed) => {
                Err(self.key_changed(known, confirmed.clone()).into())
            }
            _ => Ok(()),
        }
    }

    /// The URI to connect to.
    pub(crate) fn uri(&self) -> String {
        uri::libssh(&self.ssh, self.known_hosts.file(), self.methods, self.key.as_deref())
    }

    /// The answers to libvirt's prompts.
    pub(crate) fn answers(&self) -> Answers {
        Answers::new(self.ssh.fingerprint.clone(), self.secret.clone())
    }

    /// What libssh's error means, if it is about the host's key.
    pub(crate) fn key_refused(&self, error: &LibvirtError) -> Option<HostError> {
        if error.domain != sys::VIR_FROM_LIBSSH {
            return None;
        }
        let (host, shown) = (self.host.to_string(), ssh::fingerprint_in_libssh_text(&error.message)?);
        let refusal = match (error.number, &self.ssh.fingerprint) {
            (sys::VIR_ERR_AUTH_FAILED, _) => {
                let known = self.known_hosts.of(&self.ssh.address, self.ssh.port).unwrap_or_default();
                self.key_changed(known, shown)
            }
            (_, Some(confirmed)) => HostKeyError::NotConfirmed { host, confirmed: confirmed.clone(), shown },
            (_, None) => HostKeyError::Unknown { host, shown },
        };
        Some(HostError::from(refusal).with_details(&error.message))
    }

    fn key_changed(&self, known: Vec<Fingerprint>, shown: Fingerprint) -> HostKeyError {
        let Ssh { address, port, .. } = &self.ssh;
        HostKeyError::Changed { host: self.host.to_string(), address: address.clone(), port: *port, known, shown }
    }

    /// Whether the login worked, but the program that libvirt runs on the host to reach its daemon failed. libssh does not pass on
    /// what that program printed.
    pub(crate) fn is_remote_command_failure(error: &LibvirtError) -> bool {
        error.domain == sys::VIR_FROM_LIBSSH && error.message.contains("Remote command terminated with non-zero code")
    }

    /// The error for an account that may use the daemon read-only.
    pub(crate) fn not_permitted(&self, error: &LibvirtError) -> HostError {
        let (host, user) = (&self.host, self.ssh.user.as_str());
        HostError::new(HostErrorKind::NotPermitted, format!("The account {user} on {host} may not use libvirt there."))
            .with_fix(format!(
                "Add it to the group libvirt (usermod --append --groups libvirt {user}), or log in with another account, such as root."
            ))
            .with_details(&error.message)
    }
}

/// The key of the account that the console runs as, by its usual file names. libvirt would look for it itself, and fail if there is
/// none, though an agent may have one.
fn account_key() -> Option<PathBuf> {
    let directory = env::home_dir()?.join(".ssh");
    ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| directory.join(name)).into_iter().find(|key| key.exists())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// libvirt 11.3.0's errors about the key whose fingerprint is [`SHOWN`].
    const UNKNOWN: &str = "libssh transport error: SSH host key for '192.0.2.2' (64:6a:e5:27:df:8a:52:34:8d:1d:e4:52:68:ac:b2:eb:31:a3:99:53:54:b3:33:c2:69:2f:31:d0:3c:ec:ef:97) was not accepted";
    const CHANGED: &str = "authentication failed: !!! SSH HOST KEY VERIFICATION FAILED !!!: Identity of host '192.0.2.2:22' differs from \
                           stored identity. Please verify the new host key '64:6a:e5:27:df:8a:52:34:8d:1d:e4:52:68:ac:b2:eb:31:a3:99:53:54:b3:33:c2:69:2f:31:d0:3c:ec:ef:97' to avoid possible man in the middle attack. The key is \
                           stored in '/var/lib/vmferry/known_hosts'.";
    const SHOWN: &str = "SHA256:ZGrlJ9+KUjSNHeRSaKyy6zGjmVNUszPCaS8x0Dzs75c";
    const OTHER: &str = "SHA256:SYACdlL6iOWaFy8/eE8LmMIUslgWcbb276ZI4W7bjMI";

    fn login(login: SshLogin, confirmed: Option<&str>) -> LibsshLogin {
        let ssh = Ssh {
            address: "192.0.2.2".parse().unwrap(),
            port: 22,
            user: "root".parse().unwrap(),
            login,
            fingerprint: confirmed.map(|text| text.parse().unwrap()),
        };
        let files = SshFiles::below(Path::new("/nonexistent"));
        LibsshLogin::of("alpha", &Transport::Ssh(ssh), &files).unwrap()
    }

    fn refused(number: u32, message: &str, confirmed: Option<&str>) -> Option<HostError> {
        let error = LibvirtError { number, domain: sys::VIR_FROM_LIBSSH, int1: 0, message: message.to_owned() };
        login(SshLogin::Password(None), confirmed).key_refused(&error)
    }

    #[test]
    fn a_login_without_its_password_is_not_tried() {
        assert_eq!(login(SshLogin::Password(None), None).check().unwrap_err().kind, HostErrorKind::NeedsLogin);
    }

    #[test]
    fn only_the_chosen_method_is_used() {
        let secret = Secret::new("secret".to_owned());
        let uri = login(SshLogin::Password(Some(secret)), None).uri();
        assert!(uri.contains("sshauth=password,keyboard-interactive&") && !uri.contains("keyfile"), "{uri}");
        assert!(!uri.contains("secret"));
        let uri = login(SshLogin::ConsoleKey, None).uri();
        assert!(uri.contains("sshauth=privkey&") && uri.ends_with("&keyfile=%2Fnonexistent%2Fconsole%5Fkey"), "{uri}");
        assert!(login(SshLogin::AccountKeys, None).uri().contains("sshauth=agent"));
    }

    #[test]
    fn a_key_that_was_not_accepted_is_shown() {
        let unknown = refused(sys::VIR_ERR_LIBSSH, UNKNOWN, None).unwrap();
        assert_eq!((unknown.kind, unknown.fingerprint.as_deref()), (HostErrorKind::HostKeyUnknown, Some(SHOWN)));
        for (number, message) in [(sys::VIR_ERR_LIBSSH, UNKNOWN), (sys::VIR_ERR_AUTH_FAILED, CHANGED)] {
            let other = refused(number, message, Some(OTHER)).unwrap();
            assert_eq!((other.kind, other.fingerprint.as_deref()), (HostErrorKind::HostKeyChanged, Some(SHOWN)));
            assert!(other.sentence.contains(SHOWN), "{}", other.sentence);
            assert_eq!(other.details.as_deref(), Some(message));
        }
        assert!(refused(sys::VIR_ERR_LIBSSH, UNKNOWN, Some(OTHER)).unwrap().sentence.contains(OTHER));
        assert_eq!(refused(sys::VIR_ERR_LIBSSH, "libssh transport error: Access denied for 'publickey'", None), None);
    }

    #[test]
    fn a_changed_key_is_reported_with_the_known_one() {
        let [known, shown] = [OTHER, SHOWN].map(|text| text.parse().unwrap());
        let problem = HostError::from(login(SshLogin::ConsoleKey, None).key_changed(vec![known], shown));
        assert_eq!(problem.sentence, format!("The ssh key of alpha is {SHOWN}, but was {OTHER}."));
        assert!(problem.fix.is_some_and(|fix| fix.contains("vmferry known-hosts forget 192.0.2.2` on")));
    }
}
