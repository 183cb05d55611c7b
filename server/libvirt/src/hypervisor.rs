//! Makes connections to hosts.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use engine::{Address, HostConfig, HostEvent, Probe, Transport};
use model::{Problem, Secret};
use tokio::{
    net::TcpStream,
    sync::{Semaphore, mpsc::UnboundedSender},
    time::timeout,
};

use crate::{
    connection::Connection,
    event_loop,
    open::{OPENING, Opener},
    uri,
};

/// How long a port that is knocked at has to answer: on any network worth migrating over it takes milliseconds.
const PROBE_LIMIT: Duration = Duration::from_millis(1500);

/// What ssh needs that is kept in files, in the console's own directory.
#[derive(Clone, Debug)]
pub struct SshFiles {
    /// The hosts' keys, as OpenSSH writes them.
    pub known_hosts: PathBuf,
    /// The console's own key, encrypted; need not exist.
    pub console_key: PathBuf,
    /// What it is encrypted with.
    pub passphrase: Option<Secret>,
}

impl SshFiles {
    /// The usual files in this directory, which must be absolute, without a passphrase.
    pub fn below(directory: &Path) -> Self {
        Self {
            known_hosts: directory.join("known_hosts"),
            console_key: directory.join("console_key"),
            passphrase: None,
        }
    }
}

/// Hosts whose libvirt daemons are real.
pub struct LibvirtHypervisor {
    /// By URI, who may connect to this daemon now. An entry stays for as long as the process: there are as many as hosts.
    opening: Mutex<HashMap<String, Arc<Semaphore>>>,
}

impl LibvirtHypervisor {
    /// Starts libvirt's event loop, unless it runs already.
    ///
    /// # Errors
    /// `internal` if libvirt's library can't be used at all.
    pub fn new(ssh: SshFiles) -> Result<Self, Problem> {
        event_loop::start()?;
        let _ = ssh;
        Ok(Self { opening: Mutex::default() })
    }

    fn opening(&self, transport: &Transport) -> Arc<Semaphore> {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        opening.entry(uri::daemon(transport)).or_insert_with(|| Arc::new(Semaphore::new(OPENING))).clone()
    }
}

#[async_trait]
impl engine::Hypervisor for LibvirtHypervisor {
    async fn connect(
        &self,
        host: &HostConfig,
        events: UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn engine::Connection>, Problem> {
        let transport = host.transport.clone();
        let opener = Opener { host: host.name.clone(), opening: self.opening(&transport), transport };
        Ok(Arc::new(Connection::open(opener, events).await?))
    }

    async fn probe(&self, address: &Address, port: u16) -> Probe {
        let connect = async {
            match address {
                Address::Name(name) => TcpStream::connect((name.as_str(), port)).await,
                Address::V4(ip) => TcpStream::connect((*ip, port)).await,
                Address::V6(ip) => TcpStream::connect((*ip, port)).await,
            }
        };
        match timeout(PROBE_LIMIT, connect).await {
            Ok(Ok(_)) => Probe::Answers,
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Probe::Answers,
            Ok(Err(error)) => Probe::Silent(error.to_string()),
            Err(_) => Probe::Silent(format!("no answer within {} ms", PROBE_LIMIT.as_millis())),
        }
    }
}
