//! Makes connections to hosts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use engine::{HostConfig, HostEvent, Transport};
use model::Problem;
use tokio::sync::{Semaphore, mpsc::UnboundedSender};

use crate::{
    connection::Connection,
    event_loop,
    open::{OPENING, Opener},
    uri,
};

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
    pub fn new() -> Result<Self, Problem> {
        event_loop::start()?;
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
}
