//! Opening connections to hosts, with time limits for hosts that do not answer.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use engine::{Address, HostConfig, Networks, NoAddress, Ssh, SshLogin, Transport};
use engine::{HostError, HostErrorKind};
use tokio::{net::TcpStream, time::timeout};

use super::{
    Connection, KeepAlive, SshFiles,
    login::LibsshLogin,
    permits::{DaemonPermits, Permits, TO_STRANGERS},
    uri,
    workers::Workers,
};
use crate::{
    error::{CallFailure, LibvirtError},
    translate,
};

/// How long a host may take to accept a connection. libvirt itself would wait for as long as the kernel does, two minutes.
const ACCEPT_LIMIT: Duration = Duration::from_secs(4);

/// How long connecting may take in all.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// How much of that a login may take. libssh 0.10 waits for ever for a host that hangs up instead of refusing a password or key.
const LOGIN_LIMIT: Duration = Duration::from_secs(8);

/// Opens connections to hosts, and limits how many are being opened at a time.
pub(crate) struct Connector {
    ssh: SshFiles,
    networks: Arc<Networks>,
    permits: Permits,
}

impl Connector {
    pub(crate) fn new(ssh: SshFiles, networks: Arc<Networks>) -> Self {
        Self { ssh, networks, permits: Permits::new() }
    }

    /// Opens connections to this host, which errors call as `called` says.
    pub(crate) fn to(&self, host: &HostConfig, called: &str) -> HostConnector {
        let address = host.transport.host_address();
        let is_configured = address.is_none_or(|address| self.networks.is_configured(address));
        HostConnector {
            host: called.to_owned(),
            transport: host.transport.clone(),
            login: LibsshLogin::of(called, &host.transport, &self.ssh),
            permits: self.permits.to(uri::daemon(&host.transport), is_configured),
            networks: self.networks.clone(),
        }
    }
}

/// Opens connections to one daemon.
pub(crate) struct HostConnector {
    /// What errors call the host.
    pub(crate) host: String,
    transport: Transport,
    /// None where libvirt connects without libssh.
    login: Option<LibsshLogin>,
    /// Shared by all connectors to this daemon.
    permits: DaemonPermits,
    networks: Arc<Networks>,
}

impl HostConnector {
    /// Ends `opening`, which connects to the host, after 10 s.
    ///
    /// # Errors
    /// `host-unreachable`.
    pub(crate) async fn within_limit<T>(
        &self,
        opening: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        timeout(OPEN_LIMIT, opening).await.unwrap_or_else(|_| {
            Err(self
                .unreachable(&format!("no answer within {} s", OPEN_LIMIT.as_secs()))
                .with_fix("Check whether the host or its libvirt daemon hangs; if the daemon does, restart it."))
        })
    }

    /// Checks, before libvirt is asked to connect, that the console has what the host will ask for, and that something
    /// accepts connections where the daemon should be.
    ///
    /// # Errors
    /// `needs-login`, `host-key-changed`, `host-unreachable`.
    pub(crate) async fn check_reachable(&self) -> Result<(), HostError> {
        if let Some(login) = &self.login {
            login.check()?;
        }
        self.accepting().await.map(drop)
    }

    /// How the daemon is reached.
    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The addresses of the host, looked up and checked; none of a local one.
    ///
    /// # Errors
    /// `host-unreachable`.
    pub(crate) async fn addresses(&self) -> Result<Vec<IpAddr>, HostError> {
        match self.transport.host_address() {
            Some(address) => self.networks.addresses(address).await.map_err(|error| self.no_address(address, &error)),
            None => Ok(Vec::new()),
        }
    }

    /// The address at which something accepts connections, where the daemon should be; none where vmferry does not connect itself.
    async fn accepting(&self) -> Result<Option<IpAddr>, HostError> {
        match &self.transport {
            // The program ssh may know the address by another name or take a detour (ProxyJump); a local socket answers at once.
            Transport::Ssh(Ssh { login: SshLogin::Program, .. }) | Transport::Local => Ok(None),
            Transport::Tcp { address, port, .. }
            | Transport::Tls { address, port }
            | Transport::Ssh(Ssh { address, port, .. }) => {
                let accepting = timeout(ACCEPT_LIMIT, self.accepts(address, *port)).await;
                accepting.map(|accepted| accepted.map(Some)).unwrap_or_else(|_| {
                    Err(self
                        .unreachable(&format!("no reply from {address} port {port}"))
                        .with_fix("Check whether the host is switched on, and whether a firewall drops this port."))
                })
            }
        }
    }

    async fn accepts(&self, address: &Address, port: u16) -> Result<IpAddr, HostError> {
        let addresses = self.networks.addresses(address).await.map_err(|error| self.no_address(address, &error))?;
        let addresses: Vec<_> = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        let accepted = TcpStream::connect(&addresses[..]).await.and_then(|connection| connection.peer_addr());
        accepted.map(|accepted| accepted.ip()).map_err(|error| {
            let (why, fix) = self.refusal(error.kind());
            self.unreachable(&format!("{why} at {address} port {port}")).with_fix(fix).with_details(error.to_string())
        })
    }

    /// The URI without libssh. libvirt gets the address that was checked, not a name; but for TLS, where the certificate is the name's,
    /// and for hosts of the configuration.
    async fn uri(&self) -> Result<String, HostError> {
        let mut transport = self.transport.clone();
        if let Transport::Tcp { address, .. } = &mut transport
            && address.ip().is_none()
            && !self.networks.is_configured(address)
            && let Some(accepting) = self.accepting().await?
        {
            *address = accepting.into();
        }
        Ok(uri::daemon(&transport))
    }

    /// Connects, calls `prepare` with the new connection, and serves it with this number of threads.
    ///
    /// # Errors
    /// `host-unreachable`.
    pub(crate) async fn open(
        &self,
        threads: usize,
        keep_alive: KeepAlive,
        prepare: impl FnOnce(&mut Connection) -> Result<(), LibvirtError> + Send + 'static,
    ) -> Result<Workers, HostError> {
        let permit = self.permits.acquire().await.map_err(|_| self.crowded())?;
        let (uri, answers) = match &self.login {
            Some(login) => (login.uri(), Some(login.answers())),
            None => (self.uri().await?, None),
        };
        let open = move || {
            let mut connection = Connection::open(&uri, answers, keep_alive)?;
            drop(permit);
            prepare(&mut connection)?;
            Ok(connection)
        };
        let opening = Workers::open(&self.host, threads, open);
        let opened = if self.login.is_some() {
            timeout(LOGIN_LIMIT, opening).await.map_err(|_| self.login_hangs())?
        } else {
            opening.await
        };
        match opened {
            Ok(workers) => {
                self.permits.answered();
                Ok(workers)
            }
            Err(failure) => Err(self.not_opened(failure).await),
        }
    }

    /// A connection for one call that takes long. The host is checked anew: by now its name may stand for another address.
    ///
    /// # Errors
    /// As of [`Self::check_reachable`] and [`Self::open`], and `host-unreachable` after 10 s.
    pub(crate) async fn open_for_long_call(&self) -> Result<Workers, HostError> {
        self.open_beside(1, KeepAlive::PATIENT).await
    }

    /// Opens a further connection with so many threads.
    ///
    /// # Errors
    /// Those of [`Self::open_for_long_call`].
    pub(crate) async fn open_beside(&self, threads: usize, keep_alive: KeepAlive) -> Result<Workers, HostError> {
        let opening = async {
            self.check_reachable().await?;
            self.open(threads, keep_alive, |_| Ok(())).await
        };
        self.within_limit(opening).await
    }

    fn login_hangs(&self) -> HostError {
        self.unreachable(&format!("it accepts the connection, but the login does not end within {} s", LOGIN_LIMIT.as_secs()))
            .with_fix(
                "Read sshd's log on the host. sshd may have hung up after the first wrong password or key (MaxAuthTries): correct that. \
                 After three such logins vmferry has to be restarted before it tries another.",
            )
    }

    async fn not_opened(&self, failure: CallFailure) -> HostError {
        if let (Some(login), CallFailure::Refused(error)) = (&self.login, &failure) {
            if let Some(problem) = login.key_refused(error) {
                return problem;
            }
            if LibsshLogin::is_remote_command_failure(error) && self.accepts_read_only(login).await {
                return login.not_permitted(error);
            }
        }
        translate::not_opened(&self.host, failure)
    }

    /// Whether libvirt accepts a read-only connection: then the daemon runs, and the account lacks the right to change anything.
    async fn accepts_read_only(&self, login: &LibsshLogin) -> bool {
        let (uri, answers) = (login.uri(), login.answers());
        let Ok(permit) = self.permits.acquire().await else { return false };
        let open = move || {
            let connection = Connection::open_read_only(&uri, answers);
            drop(permit);
            connection
        };
        Workers::open(&self.host, 1, open).await.is_ok()
    }

    fn crowded(&self) -> HostError {
        let sentence = format!(
            "vmferry does not connect to {} now: {TO_STRANGERS} connections to hosts that it does not know have been accepted, and \
             nothing was said over them.",
            self.host
        );
        HostError::new(HostErrorKind::Unreachable, sentence).with_fix(
            "Try again later; look for what accepts connections and does not answer. A restart of vmferry ends them.",
        )
    }

    /// No port was tried: the answer must not tell whether one is open.
    fn no_address(&self, address: &Address, error: &NoAddress) -> HostError {
        match error {
            NoAddress::NotResolved(error) => self
                .unreachable(&format!("the name {address} can't be resolved"))
                .with_fix("Correct the name, or the name resolution of the machine that vmferry runs on.")
                .with_details(error.to_string()),
            NoAddress::NotAllowed(ip) => {
                let is = if address.ip().is_some() { format!("{ip} is") } else { format!("{address} is {ip},") };
                let sentence =
                    format!("vmferry does not connect to {}: {is} not in a network that hosts may be in.", self.host);
                HostError::new(HostErrorKind::Unreachable, sentence).with_fix(
                    "Give an address that the host has on a network. The console's own machine is transport = \"local\". Which networks \
                     hosts may be in is allowed_networks in the console's configuration; hosts that stand there may be anywhere.",
                )
            }
        }
    }

    /// Why a connection was not accepted, and what to do.
    fn refusal(&self, kind: io::ErrorKind) -> (&'static str, &'static str) {
        match (kind, &self.login) {
            (io::ErrorKind::ConnectionRefused, Some(_)) => (
                "connection refused",
                "Start sshd on the host, correct its port, or open the port in the host's firewall.",
            ),
            (io::ErrorKind::ConnectionRefused, None) => (
                "connection refused",
                "Start the libvirt daemon on the host and let it listen on this port, or open the port in the host's firewall.",
            ),
            (io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable, _) => (
                "no route to the host",
                "Check whether the host is switched on, and the network between vmferry and the host.",
            ),
            _ => ("no connection", "Check the network between vmferry and the host."),
        }
    }

    fn unreachable(&self, why: &str) -> HostError {
        HostError::new(HostErrorKind::Unreachable, format!("{} does not answer: {why}.", self.host))
    }
}

#[cfg(test)]
mod tests;
