//! From how somebody writes a host down to what URIs may be built from: checked here, once.

use std::str::FromStr;

use model::{Code, DaemonKind, HostName, HostSettings, Problem, SshLoginKind, TransportKind};

use crate::{Address, Daemon, HostConfig, Ssh, SshLogin, Transport, UserName};

impl HostConfig {
    /// Checks what somebody wrote.
    ///
    /// # Errors
    /// `invalid-input`: a field that is not what it should be, or fields that do not fit together.
    pub fn checked(settings: &HostSettings) -> Result<Self, Problem> {
        Fields::of(settings)?.config()
    }

    /// The same without a password, and without a key that was confirmed for one connection.
    pub(crate) fn without_password(&self) -> Self {
        let mut host = self.clone();
        if let Transport::Ssh(ssh) = &mut host.transport {
            ssh.fingerprint = None;
            if let SshLogin::Password(password) = &mut ssh.login {
                *password = None;
            }
        }
        host
    }

    /// The host as somebody would write it. What is left out there has its default here.
    pub fn settings(&self) -> HostSettings {
        let own = Written::of(&self.transport);
        let peer = Written::of(&self.peer_transport);
        let daemon = own.daemon.or(peer.daemon);
        HostSettings {
            name: self.name.clone(),
            transport: own.kind,
            address: own.address,
            port: own.port,
            user: own.user,
            login: own.login,
            daemon,
            peer_address: Some(self.peer_address.to_string()),
            peer_transport: Some(peer.kind),
            peer_port: peer.port,
            peer_user: peer.user,
            bandwidth_mib_s: self.bandwidth_mib_s,
            shared_directories: self.shared_directories.clone(),
        }
    }
}

/// A transport's fields as they are written.
struct Written {
    kind: TransportKind,
    address: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    login: Option<SshLoginKind>,
    daemon: Option<DaemonKind>,
}

impl Written {
    fn of(transport: &Transport) -> Self {
        let written = |kind, address: &Address, port| Self {
            kind,
            address: Some(address.to_string()),
            port: Some(port),
            user: None,
            login: None,
            daemon: None,
        };
        match transport {
            Transport::Local => {
                Self { kind: TransportKind::Local, address: None, port: None, user: None, login: None, daemon: None }
            }
            Transport::Tcp { address, port, daemon } => {
                let daemon = match daemon {
                    Daemon::System => DaemonKind::System,
                    Daemon::Session => DaemonKind::Session,
                };
                Self { daemon: Some(daemon), ..written(TransportKind::Tcp, address, *port) }
            }
            Transport::Tls { address, port } => written(TransportKind::Tls, address, *port),
            Transport::Ssh(Ssh { address, port, user, login, .. }) => Self {
                user: Some(user.as_str().to_owned()),
                login: Some(match login {
                    SshLogin::Program => SshLoginKind::Program,
                    SshLogin::AccountKeys => SshLoginKind::AccountKeys,
                    SshLogin::ConsoleKey => SshLoginKind::ConsoleKey,
                    SshLogin::Password(_) => SshLoginKind::Password,
                }),
                ..written(TransportKind::Ssh, address, *port)
            },
        }
    }
}

/// The settings, with what has a grammar of its own read by it.
struct Fields<'a> {
    settings: &'a HostSettings,
    address: Option<Address>,
    user: Option<UserName>,
    peer_address: Option<Address>,
    peer_user: Option<UserName>,
}

fn read<T: FromStr<Err = Problem>>(host: &HostName, field: &str, text: Option<&String>) -> Result<Option<T>, Problem> {
    let wrong = |problem: Problem| {
        let sentence = format!("Host {host}: {field} can't be used. {}", problem.sentence);
        Problem { sentence, ..problem }
    };
    text.map(|text| text.parse().map_err(wrong)).transpose()
}

impl<'a> Fields<'a> {
    fn of(settings: &'a HostSettings) -> Result<Self, Problem> {
        Ok(Self {
            settings,
            address: read(&settings.name, "address", settings.address.as_ref())?,
            user: read(&settings.name, "user", settings.user.as_ref())?,
            peer_address: read(&settings.name, "peer_address", settings.peer_address.as_ref())?,
            peer_user: read(&settings.name, "peer_user", settings.peer_user.as_ref())?,
        })
    }

    fn config(&self) -> Result<HostConfig, Problem> {
        let wrong = |what: &str| self.wrong(what);
        let peer_transport = match (self.settings.peer_transport, self.settings.transport) {
            (Some(TransportKind::Local), _) => {
                return Err(wrong("other hosts can't reach it by peer_transport = \"local\"."));
            }
            (Some(peer), _) => peer,
            (None, TransportKind::Local) => {
                return Err(wrong("peer_transport is missing: say how other hosts log in here, \"tls\" or \"ssh\"."));
            }
            (None, own) => own,
        };
        let peer_address = self.peer_address.clone().or_else(|| self.address.clone());
        let peer_address =
            peer_address.ok_or_else(|| wrong("peer_address is missing: say where other hosts reach it."))?;
        if self.settings.bandwidth_mib_s == Some(0) {
            return Err(wrong("bandwidth_mib_s = 0 would never move anything; leave it out for no limit."));
        }
        if self.settings.transport == TransportKind::Local && (self.address.is_some() || self.settings.port.is_some()) {
            return Err(wrong("a host of transport = \"local\" has neither address nor port."));
        }
        if let Some(directory) =
            self.settings.shared_directories.iter().find(|directory| !is_plain_directory(directory))
        {
            return Err(wrong(&format!(
                "shared_directories has {directory:?}: give the whole path, from its first slash, without a slash at the end and \
                 without . and .. in it. All of / can't be shared."
            )));
        }
        let peer_user = self.peer_user.clone().or_else(|| self.user.clone());
        let own = self.transport(
            self.settings.transport,
            self.address.clone(),
            self.settings.port,
            self.user.clone(),
            self.login()?,
        )?;
        let peer_port = self.settings.peer_port.or(if peer_transport == self.settings.transport {
            self.settings.port
        } else {
            None
        });
        let peer =
            self.transport(peer_transport, Some(peer_address.clone()), peer_port, peer_user, SshLogin::Program)?;
        if self.user.is_some()
            && self.settings.transport != TransportKind::Ssh
            && self.peer_user.is_none()
            && peer_transport != TransportKind::Ssh
        {
            return Err(wrong("user is for transport = \"ssh\" only."));
        }
        if self.settings.daemon.is_some()
            && self.settings.transport != TransportKind::Tcp
            && peer_transport != TransportKind::Tcp
        {
            return Err(wrong("daemon is for transport = \"tcp\" only; all others talk to the system daemon."));
        }
        Ok(HostConfig {
            name: self.settings.name.clone(),
            transport: own,
            peer_address,
            peer_transport: peer,
            bandwidth_mib_s: self.settings.bandwidth_mib_s,
            shared_directories: self.settings.shared_directories.clone(),
        })
    }

    fn transport(
        &self,
        transport: TransportKind,
        address: Option<Address>,
        port: Option<u16>,
        user: Option<UserName>,
        login: SshLogin,
    ) -> Result<Transport, Problem> {
        if transport == TransportKind::Local {
            return Ok(Transport::Local);
        }
        let wrong = |what: &str| self.wrong(what);
        let address = address.ok_or_else(|| wrong("address is missing: say where it is."))?;
        if port == Some(0) {
            return Err(wrong("there is no port 0."));
        }
        Ok(match transport {
            TransportKind::Local | TransportKind::Tcp => Transport::Tcp {
                address,
                port: port.unwrap_or(16509),
                daemon: match self.settings.daemon {
                    Some(DaemonKind::Session) => Daemon::Session,
                    Some(DaemonKind::System) | None => Daemon::System,
                },
            },
            TransportKind::Tls => Transport::Tls { address, port: port.unwrap_or(16514) },
            TransportKind::Ssh => Transport::Ssh(Ssh {
                address,
                port: port.unwrap_or(22),
                user: user.ok_or_else(|| wrong("user is missing: say as whom to log in by ssh."))?,
                login,
                fingerprint: None,
            }),
        })
    }
    fn login(&self) -> Result<SshLogin, Problem> {
        match (self.settings.login, self.settings.transport) {
            (None, _) => Ok(SshLogin::Program),
            (Some(SshLoginKind::Program), TransportKind::Ssh) => Ok(SshLogin::Program),
            (Some(SshLoginKind::AccountKeys), TransportKind::Ssh) => Ok(SshLogin::AccountKeys),
            (Some(SshLoginKind::ConsoleKey), TransportKind::Ssh) => Ok(SshLogin::ConsoleKey),
            (Some(SshLoginKind::Password), TransportKind::Ssh) => Ok(SshLogin::Password(None)),
            (Some(_), _) => Err(self.wrong("login is for transport = \"ssh\" only.")),
        }
    }

    fn wrong(&self, what: &str) -> Problem {
        Problem::new(Code::InvalidInput, format!("Host {}: {what}", self.settings.name))
    }
}

/// Whether this is the path of a directory below `/`, written in the only way that it will be compared in.
fn is_plain_directory(text: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_control);
    text.strip_prefix('/').is_some_and(|parts| parts.split('/').all(is_plain))
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_directory_is_what_the_system_makes_of_it(text in "(/|\\.|a|é|\0|\n){0,8}|\\PC*") {
            let parts = Path::new(&text).components();
            let normalised: Option<String> = parts.skip(1).map(|part| match part {
                Component::Normal(part) => Some(format!("/{}", part.to_str()?)),
                _ => None,
            }).collect();
            if is_plain_directory(&text) {
                prop_assert_eq!(normalised, Some(text));
            }
        }
    }
}
