//! Calls for who looks at a VM, on a connection of their own: an agent in a guest, or a QEMU that hangs, holds up neither the inventory nor
//! a migration.

use std::{sync::Arc, time::Duration};

use engine::HostError;
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};

use super::LibvirtHost;
use crate::{
    connection::{Connection, KeepAlive, workers::Workers},
    error::{CallFailure, LibvirtError},
    translate,
};

/// What a call may take, with opening the connection.
const LIMIT: Duration = Duration::from_secs(5);

/// Threads: one may hang in an agent, one in the figures of all VMs.
const THREADS: usize = 3;

/// The connection, opened when something is looked at, and the permits of what may hang.
pub(super) struct View {
    workers: Mutex<Option<Arc<Workers>>>,
    /// One call to an agent.
    pub(super) agents: Arc<Semaphore>,
    /// One call for the figures of all VMs.
    pub(super) figures: Arc<Semaphore>,
}

impl View {
    pub(super) fn new() -> Self {
        let one = || Arc::new(Semaphore::new(1));
        Self { workers: Mutex::new(None), agents: one(), figures: one() }
    }
}

impl LibvirtHost {
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
