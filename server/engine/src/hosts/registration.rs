//! Checks a host's settings as a user wrote them, once, and makes the configuration that URIs are built from.

use std::str::FromStr;

use model::{DaemonKind, HostName, HostSettings, SshLoginKind, TransportKind};

use crate::hypervisor::{
    Address, Daemon, HostConfig, InvalidInput, Ssh, SshLogin, Transport, UserName, check_bandwidth, check_limits,
};

/// `tcp_port` of libvirtd.conf, unless the host's admin sets another.
const TCP_PORT: u16 = 16509;
/// `tls_port` of libvirtd.conf, unless the host's admin sets another.
const TLS_PORT: u16 = 16514;

impl HostConfig {
    /// Checks the settings that a user wrote.
    ///
    /// # Errors
    /// `invalid-input`: a field that is not what it should be, or fields that do not fit together.
    pub fn checked(settings: &HostSettings) -> Result<Self, InvalidInput> {
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

    /// The host as a user would write it. What is left out there has its default here; what other hosts are told is written only
    /// where it differs from that, so that they follow when the rest is changed.
    pub fn settings(&self) -> HostSettings {
        let own = Written::of(&self.transport);
        let peer = Written::of(&self.peer_transport);
        let peer_port = if peer.kind == own.kind { own.port } else { usual_port(peer.kind) };
        HostSettings {
            name: self.name.clone(),
            peer_address: unless(Some(self.peer_address.to_string()), &own.address),
            peer_transport: unless(Some(peer.kind), &Some(own.kind)),
            peer_port: unless(peer.port, &peer_port),
            peer_user: unless(peer.user, &own.user),
            transport: own.kind,
            address: own.address,
            port: own.port,
            user: own.user,
            login: own.login,
            daemon: own.daemon.or(peer.daemon),
            bandwidth_mib_s: self.bandwidth_mib_s,
            policy: self.policy_defaults.policy,
            longest_pause_ms: self.policy_defaults.longest_pause_ms,
            budget_s: self.policy_defaults.budget_s,
            shared_directories: self.shared_directories.clone(),
            memory_reserve_mib: self.budget.memory_reserve_mib,
            outgoing_mib_s: self.budget.outgoing_mib_s,
            incoming_mib_s: self.budget.incoming_mib_s,
        }
    }
}

/// The field, if it says anything but the default.
fn unless<T: PartialEq>(field: Option<T>, default: &Option<T>) -> Option<T> {
    if field == *default { None } else { field }
}

/// The port if the settings name none.
fn usual_port(transport: TransportKind) -> Option<u16> {
    match transport {
        TransportKind::Local => None,
        TransportKind::Tcp => Some(TCP_PORT),
        TransportKind::Tls => Some(TLS_PORT),
        TransportKind::Ssh => Some(Ssh::PORT),
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

fn read<T: FromStr<Err = InvalidInput>>(
    host: &HostName,
    field: &'static str,
    text: Option<&String>,
) -> Result<Option<T>, InvalidInput> {
    text.map(|text| text.parse().map_err(|why| cannot_be_used(host, field, why).with_field(field))).transpose()
}

fn cannot_be_used(host: &HostName, field: &str, why: InvalidInput) -> InvalidInput {
    let sentence = format!("Host {host}: {field} can't be used. {}", why.sentence);
    InvalidInput { sentence, ..why }
}

impl<'a> Fields<'a> {
    fn of(settings: &'a HostSettings) -> Result<Self, InvalidInput> {
        Ok(Self {
            settings,
            address: read(&settings.name, "address", settings.address.as_ref())?,
            user: read(&settings.name, "user", settings.user.as_ref())?,
            peer_address: read(&settings.name, "peer_address", settings.peer_address.as_ref())?,
            peer_user: read(&settings.name, "peer_user", settings.peer_user.as_ref())?,
        })
    }

    fn config(&self) -> Result<HostConfig, InvalidInput> {
        let settings = self.settings;
        let peer_kind = self.peer_kind()?;
        self.refuse_misfits(peer_kind)?;
        let (address, user) = (self.address.clone(), self.user.clone());
        let peer_address = self.peer_address.clone().or_else(|| address.clone());
        let peer_address = peer_address
            .ok_or_else(|| self.wrong("peer_address", "peer_address is missing: say where other hosts reach it."))?;
        let peer_port = settings.peer_port.or(settings.port.filter(|_| peer_kind == settings.transport));
        let peer_user = self.peer_user.clone().or_else(|| user.clone());
        Ok(HostConfig {
            name: settings.name.clone(),
            transport: self.transport(settings.transport, address, settings.port, user, self.login()?)?,
            peer_transport: self.transport(
                peer_kind,
                Some(peer_address.clone()),
                peer_port,
                peer_user,
                SshLogin::Program,
            )?,
            peer_address,
            bandwidth_mib_s: settings.bandwidth_mib_s,
            policy_defaults: settings.policy_defaults(),
            shared_directories: settings.shared_directories.clone(),
            budget: settings.budget(),
        })
    }

    /// How other hosts log in there: as the console does, unless something else is said.
    fn peer_kind(&self) -> Result<TransportKind, InvalidInput> {
        match (self.settings.peer_transport, self.settings.transport) {
            (Some(TransportKind::Local), _) => {
                Err(self.wrong("peer_transport", "other hosts can't reach it by peer_transport = \"local\"."))
            }
            (None, TransportKind::Local) => Err(self.wrong(
                "peer_transport",
                "peer_transport is missing: say how other hosts log in here, \"tls\" or \"ssh\".",
            )),
            (peer, own) => Ok(peer.unwrap_or(own)),
        }
    }

    /// Refuses what a host of these transports can't have.
    fn refuse_misfits(&self, peer_kind: TransportKind) -> Result<(), InvalidInput> {
        let settings = self.settings;
        let speaks = |kind| settings.transport == kind || peer_kind == kind;
        let is_local = settings.transport == TransportKind::Local;
        if is_local && (self.address.is_some() || settings.port.is_some()) {
            return Err(self.wrong("address", "a host of transport = \"local\" has neither address nor port."));
        }
        if self.user.is_some() && !speaks(TransportKind::Ssh) {
            return Err(self.wrong("user", "user is for transport = \"ssh\" only."));
        }
        if self.peer_user.is_some() && peer_kind != TransportKind::Ssh {
            return Err(self.wrong("peer_user", "peer_user is for peer_transport = \"ssh\" only."));
        }
        if settings.daemon.is_some() && !speaks(TransportKind::Tcp) {
            return Err(
                self.wrong("daemon", "daemon is for transport = \"tcp\" only; all others talk to the system daemon.")
            );
        }
        if let Some(directory) = settings.shared_directories.iter().find(|directory| !is_plain_directory(directory)) {
            let what = format!(
                "shared_directories has {directory:?}: give the whole path, from its first slash, without a slash at the end and \
                 without . and .. in it. All of / can't be shared."
            );
            return Err(self.wrong("shared_directories", &what));
        }
        self.refuse_limits()
    }

    /// Refuses limits that no migration may ask for either.
    fn refuse_limits(&self) -> Result<(), InvalidInput> {
        let HostSettings { name, bandwidth_mib_s, outgoing_mib_s, incoming_mib_s, .. } = self.settings;
        check_limits(self.settings.policy_defaults()).map_err(|why| cannot_be_used(name, "its policy", why))?;
        if *bandwidth_mib_s == Some(0) {
            return Err(self.wrong(
                "bandwidth_mib_s",
                "bandwidth_mib_s = 0 would never move anything; leave it out for no limit.",
            ));
        }
        let limits = [
            ("bandwidth_mib_s", bandwidth_mib_s),
            ("outgoing_mib_s", outgoing_mib_s),
            ("incoming_mib_s", incoming_mib_s),
        ];
        for (field, limit) in limits {
            if let Some(limit) = limit {
                check_bandwidth(*limit).map_err(|error| cannot_be_used(name, field, error))?;
            }
        }
        Ok(())
    }

    fn transport(
        &self,
        kind: TransportKind,
        address: Option<Address>,
        port: Option<u16>,
        user: Option<UserName>,
        login: SshLogin,
    ) -> Result<Transport, InvalidInput> {
        if port == Some(0) {
            return Err(self.wrong("port", "there is no port 0."));
        }
        let address = address.ok_or_else(|| self.wrong("address", "address is missing: say where it is."));
        Ok(match kind {
            TransportKind::Local => Transport::Local,
            TransportKind::Tcp => Transport::Tcp {
                address: address?,
                port: port.unwrap_or(TCP_PORT),
                daemon: match self.settings.daemon {
                    Some(DaemonKind::Session) => Daemon::Session,
                    Some(DaemonKind::System) | None => Daemon::System,
                },
            },
            TransportKind::Tls => Transport::Tls { address: address?, port: port.unwrap_or(TLS_PORT) },
            TransportKind::Ssh => Transport::Ssh(Ssh {
                address: address?,
                port: port.unwrap_or(Ssh::PORT),
                user: user.ok_or_else(|| self.wrong("user", "user is missing: say as whom to log in by ssh."))?,
                login,
                fingerprint: None,
            }),
        })
    }

    fn login(&self) -> Result<SshLogin, InvalidInput> {
        match (self.settings.login, self.settings.transport) {
            (None, _) => Ok(SshLogin::Program),
            (Some(SshLoginKind::Program), TransportKind::Ssh) => Ok(SshLogin::Program),
            (Some(SshLoginKind::AccountKeys), TransportKind::Ssh) => Ok(SshLogin::AccountKeys),
            (Some(SshLoginKind::ConsoleKey), TransportKind::Ssh) => Ok(SshLogin::ConsoleKey),
            (Some(SshLoginKind::Password), TransportKind::Ssh) => Ok(SshLogin::Password(None)),
            (Some(_), _) => Err(self.wrong("login", "login is for transport = \"ssh\" only.")),
        }
    }

    fn wrong(&self, field: &'static str, what: &str) -> InvalidInput {
        InvalidInput::new(format!("Host {}: {what}", self.settings.name)).with_field(field)
    }
}

/// Whether this is the path of a directory below `/`, written in the only way that it will be compared in.
fn is_plain_directory(text: &str) -> bool {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_control);
    text.strip_prefix('/').is_some_and(|parts| parts.split('/').all(is_plain))
}

#[cfg(test)]
mod tests;
