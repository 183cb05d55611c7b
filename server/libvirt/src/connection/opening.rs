//! Opening connections to hosts, with time limits for hosts that do not answer.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use engine::{Address, HostConfig, Ssh, SshLogin, Transport};
use engine::{HostError, HostErrorKind};
use tokio::{
    net::{TcpStream, lookup_host},
    sync::Semaphore,
    time::timeout,
};

use super::{Connection, KeepAlive, SshFiles, login::LibsshLogin, uri, workers::Workers};
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

/// How many threads may be opening connections to one daemon at a time. They can't be interrupted, and one whose host
/// loses power at that moment waits for ever. So they are few, but more than one.
const MAX_OPENING: usize = 3;

/// Opens connections to hosts, and limits how many are being opened at a time.
pub(crate) struct Connector {
    ssh: SshFiles,
    /// By the daemon's URI: a permit for each connection that may be opening.
    opening: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl Connector {
    pub(crate) fn new(ssh: SshFiles) -> Self {
        Self { ssh, opening: Mutex::default() }
    }

    /// Opens connections to this host, which errors call as `called` says.
    pub(crate) fn to(&self, host: &HostConfig, called: &str) -> HostConnector {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        // A `HostConnector` holds the entry of its daemon, and so does a thread that hangs, by its permit.
        opening.retain(|_, of_daemon| Arc::strong_count(of_daemon) > 1);
        let of_daemon = opening.entry(uri::daemon(&host.transport));
        let opening = of_daemon.or_insert_with(|| Arc::new(Semaphore::new(MAX_OPENING))).clone();
        HostConnector {
            host: called.to_owned(),
            transport: host.transport.clone(),
            login: LibsshLogin::of(called, &host.transport, &self.ssh),
            opening,
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
    /// [`MAX_OPENING`] permits, shared by all connectors to this daemon.
    opening: Arc<Semaphore>,
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
        match &self.transport {
            // The program ssh may know the address by another name or take a detour (ProxyJump); a local socket answers at once.
            Transport::Ssh(Ssh { login: SshLogin::Program, .. }) | Transport::Local => Ok(()),
            Transport::Tcp { address, port, .. }
            | Transport::Tls { address, port }
            | Transport::Ssh(Ssh { address, port, .. }) => {
                timeout(ACCEPT_LIMIT, self.accepts(address, *port)).await.unwrap_or_else(|_| {
                    Err(self
                        .unreachable(&format!("no reply from {address} port {port}"))
                        .with_fix("Check whether the host is switched on, and whether a firewall drops this port."))
                })
            }
        }
    }

    async fn accepts(&self, address: &Address, port: u16) -> Result<(), HostError> {
        let addresses = lookup_host((address.to_string(), port)).await.map_err(|error| {
            self.unreachable(&format!("the name {address} can't be resolved"))
                .with_fix("Correct the name, or the name resolution of the machine that vmferry runs on.")
                .with_details(error.to_string())
        })?;
        let addresses: Vec<_> = addresses.collect();
        TcpStream::connect(&addresses[..]).await.map(drop).map_err(|error| {
            let (why, fix) = self.refusal(error.kind());
            self.unreachable(&format!("{why} at {address} port {port}")).with_fix(fix).with_details(error.to_string())
        })
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
        let permit = self.opening.clone().acquire_owned().await;
        let (uri, answers) = match &self.login {
            Some(login) => (login.uri(), Some(login.answers())),
            None => (uri::daemon(&self.transport), None),
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
            Ok(workers) => Ok(workers),
            Err(failure) => Err(self.not_opened(failure).await),
        }
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
        Workers::open(&self.host, 1, move || Connection::open_read_only(&uri, answers)).await.is_ok()
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
mod tests {
    use engine::Daemon;
    use tokio::net::TcpListener;

    use super::*;

    fn connector() -> Connector {
        Connector::new(SshFiles::below(std::path::Path::new("/nonexistent")))
    }

    fn config(port: u16) -> HostConfig {
        let address: Address = "127.0.0.1".parse().unwrap();
        let transport = Transport::Tcp { address: address.clone(), port, daemon: Daemon::System };
        HostConfig {
            name: "alpha".parse().unwrap(),
            transport: transport.clone(),
            peer_address: address,
            peer_transport: transport,
            bandwidth_mib_s: None,
            shared_directories: Vec::new(),
        }
    }

    fn host_connector(port: u16) -> HostConnector {
        connector().to(&config(port), "alpha")
    }

    #[tokio::test]
    async fn a_closed_port_is_reported_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(host_connector(port).check_reachable().await, Ok(()));
        drop(listener);
        let problem = host_connector(port).check_reachable().await.unwrap_err();
        assert_eq!(problem.kind, HostErrorKind::Unreachable);
        assert_eq!(problem.sentence, format!("alpha does not answer: connection refused at 127.0.0.1 port {port}."));
        assert!(problem.fix.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_login_that_hangs_is_reported_before_the_time_limit_of_opening() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ssh = Ssh {
            address: "127.0.0.1".parse().unwrap(),
            port: listener.local_addr().unwrap().port(),
            user: "root".parse().unwrap(),
            login: SshLogin::ConsoleKey,
            fingerprint: None,
        };
        let host_connector = connector().to(&HostConfig { transport: Transport::Ssh(ssh), ..config(1) }, "alpha");
        let problem = host_connector
            .within_limit(host_connector.open(1, KeepAlive::PROMPT, |_| Ok(())))
            .await
            .map(drop)
            .unwrap_err();
        assert_eq!(problem.kind, HostErrorKind::Unreachable);
        assert!(problem.fix.is_some_and(|fix| fix.contains("MaxAuthTries")), "{}", problem.sentence);
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemons_entry_goes_when_no_connector_and_no_hanging_thread_holds_it() {
        let connector = connector();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let silent = config(listener.local_addr().unwrap().port());
        let host_connector = connector.to(&silent, "alpha");
        host_connector.within_limit(host_connector.open(1, KeepAlive::PROMPT, |_| Ok(()))).await.map(drop).unwrap_err();
        drop(host_connector);
        drop(connector.to(&config(1), "alpha"));
        drop(connector.to(&config(2), "alpha"));
        assert_eq!(connector.opening.lock().unwrap().len(), 2, "the one where a thread hangs, and the last one");
        assert_eq!(connector.to(&silent, "alpha").opening.available_permits(), MAX_OPENING - 1);
    }

    #[tokio::test(start_paused = true)]
    async fn opening_ends_after_its_time_limit() {
        let host_connector = host_connector(1);
        let problem = host_connector.within_limit(std::future::pending::<Result<(), HostError>>()).await.unwrap_err();
        assert_eq!(problem.kind, HostErrorKind::Unreachable);
        assert_eq!(problem.sentence, "alpha does not answer: no answer within 10 s.");
    }
}
