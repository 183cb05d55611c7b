//! Calls for who looks at a VM, on a connection of their own: an agent in a guest, or a QEMU that hangs, holds up neither the inventory nor
//! a migration.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use engine::{HostError, Transport};
use model::HostCertificate;
use tokio::{
    sync::{Mutex, Semaphore},
    task::spawn_blocking,
    time::{Instant, timeout},
};

use super::LibvirtHost;
use crate::{
    connection::{Connection, KeepAlive, workers::Workers},
    error::{CallFailure, LibvirtError},
    survey::certificates::{handshake::server_certificate, shown},
    translate,
};

/// What a call may take, with opening the connection.
const LIMIT: Duration = Duration::from_secs(5);

/// Threads: one may hang in an agent, one in the figures of all VMs, one in the host's storage.
const THREADS: usize = 4;

/// How long certificates are not read again: a host that is reached by TLS writes a line into its log each time.
const CERTIFICATES_FOR: Duration = Duration::from_mins(5);

/// The connection, opened when something is looked at, and the permits of what may hang.
pub(super) struct View {
    workers: Mutex<Option<Arc<Workers>>>,
    /// One call to an agent.
    pub(super) agents: Arc<Semaphore>,
    /// One call for the figures of all VMs.
    pub(super) figures: Arc<Semaphore>,
    /// One call that may hang in the host's storage.
    pub(super) storage: Arc<Semaphore>,
    /// The certificates, and when they were read.
    pub(super) certificates: Mutex<Option<(Instant, Vec<HostCertificate>)>>,
}

impl View {
    pub(super) fn new() -> Self {
        let one = || Arc::new(Semaphore::new(1));
        Self {
            workers: Mutex::new(None),
            agents: one(),
            figures: one(),
            storage: one(),
            certificates: Mutex::new(None),
        }
    }
}

impl LibvirtHost {
    /// The host's certificates, and the console's for it, as far as they can be read.
    pub(super) async fn shown_certificates(&self) -> Result<Vec<HostCertificate>, HostError> {
        let mut last = self.view.certificates.lock().await;
        if let Some((_, known)) = last.as_ref().filter(|(at, _)| at.elapsed() < CERTIFICATES_FOR) {
            return Ok(known.clone());
        }
        let cache = Arc::clone(&self.certificates);
        let read = move |connection: &Connection| cache.certificates_since(connection, CERTIFICATES_FOR);
        let mut found = vec![shown::of_qemu(self.view(Some(&self.view.storage), read).await?)];
        if let Transport::Tls { port, .. } = self.host_connector.transport() {
            let addresses: Vec<_> =
                self.host_connector.addresses().await?.into_iter().map(|ip| SocketAddr::new(ip, *port)).collect();
            let seen = spawn_blocking(move || server_certificate(&addresses)).await;
            found.push(shown::of_host(seen.unwrap_or_else(|error| Err(error.to_string()))));
            found.extend(shown::of_console());
        }
        *last = Some((Instant::now(), found.clone()));
        Ok(found)
    }

    /// Calls libvirt once a permit is free, if one is needed. It is given back when the call is over, which may be after the caller has
    /// given up.
    pub(super) async fn view<T: Send + 'static>(
        &self,
        permits: Option<&Arc<Semaphore>>,
        work: impl FnOnce(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, HostError> {
        let viewing = async {
            let permit = match permits {
                Some(permits) => Some(permits.clone().acquire_owned().await),
                None => None,
            };
            let workers = self.view_workers().await?;
            let work = move |connection: &Connection| {
                let _permit = permit;
                work(connection)
            };
            let answer = workers.call_unlimited(work).await;
            if matches!(answer, Err(CallFailure::Lost(_))) {
                *self.view.workers.lock().await = None;
            }
            answer.map_err(|failure| translate::failed(&self.host_connector.host, failure))
        };
        let late = || translate::failed(&self.host_connector.host, CallFailure::Late(LIMIT));
        timeout(LIMIT, viewing).await.unwrap_or_else(|_| Err(late()))
    }

    async fn view_workers(&self) -> Result<Arc<Workers>, HostError> {
        let mut workers = self.view.workers.lock().await;
        if let Some(workers) = &*workers {
            return Ok(workers.clone());
        }
        let opened = Arc::new(self.host_connector.open_beside(THREADS, KeepAlive::PROMPT).await?);
        *workers = Some(opened.clone());
        Ok(opened)
    }
}
