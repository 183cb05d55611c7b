//! Makes connections to hosts.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use engine::{Address, HostConfig, HostEvent, Probe};
use model::{Problem, Secret};
use tokio::{net::TcpStream, sync::mpsc::UnboundedSender, time::timeout};

use crate::{connection::Connection, event_loop, open::Openers};

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
    openers: Arc<Openers>,
}

impl LibvirtHypervisor {
    /// Starts libvirt's event loop, unless it runs already.
    ///
    /// # Errors
    /// `internal` if libvirt's library can't be used at all.
    pub fn new(ssh: SshFiles) -> Result<Self, Problem> {
        event_loop::start()?;
        Ok(Self { openers: Arc::new(Openers::new(ssh)) })
    }
}

#[async_trait]
impl engine::Hypervisor for LibvirtHypervisor {
    async fn connect(
        &self,
        host: &HostConfig,
        events: UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn engine::HostConnection>, Problem> {
        Ok(Arc::new(Connection::open(self.openers.clone(), host, events).await?))
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
