//! The engine's traits `Hypervisor` and `HostConnection` over libvirt. `host/calls.rs` has the calls, each of which leads to the
//! module that does the work.

mod host;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::HostError;
use engine::{Address, HostConfig, HostEvent, Networks, Probe};
use tokio::{net::TcpStream, sync::mpsc::UnboundedSender, time::timeout};

use self::host::LibvirtHost;
use crate::connection::{SshFiles, event_loop, opening::Connector};

/// How long a probed port has to answer: on any network worth migrating over it takes milliseconds.
const PROBE_LIMIT: Duration = Duration::from_millis(1500);

/// Connects to hosts through libvirt's client library.
pub struct LibvirtHypervisor {
    connector: Arc<Connector>,
    networks: Arc<Networks>,
}

impl LibvirtHypervisor {
    /// Starts libvirt's event loop, unless this process runs it already. Hosts may be in `networks`.
    ///
    /// # Errors
    /// `internal` if libvirt's library can't be used at all.
    pub fn new(ssh: SshFiles, networks: Arc<Networks>) -> Result<Self, HostError> {
        event_loop::start()?;
        Ok(Self { connector: Arc::new(Connector::new(ssh, Arc::clone(&networks))), networks })
    }
}

#[async_trait]
impl engine::Hypervisor for LibvirtHypervisor {
    async fn connect(
        &self,
        host: &HostConfig,
        called: &str,
        events: UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn engine::HostConnection>, HostError> {
        let host = Arc::new(LibvirtHost::open(self.connector.clone(), host, called, events).await?);
        host.tidy();
        Ok(host)
    }

    async fn probe(&self, address: &Address, port: u16) -> Probe {
        let connect = async {
            let addresses = self.networks.addresses(address).await.map_err(io::Error::other)?;
            let addresses: Vec<_> = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
            TcpStream::connect(&addresses[..]).await
        };
        match timeout(PROBE_LIMIT, connect).await {
            Ok(Ok(_)) => Probe::Answers,
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Probe::Answers,
            Ok(Err(error)) => Probe::Silent(error.to_string()),
            Err(_) => Probe::Silent(format!("no answer within {} ms", PROBE_LIMIT.as_millis())),
        }
    }
}
