//! The connections to one host, and the threads and permits that its calls share.
//!
//! A host has four kinds of connections, because a libvirt daemon works on five calls of one connection at a time, and the call that
//! migrates takes one of them until the migration has ended: one for inventory, actions and events; one to watch and abort
//! migrations; one more for each migration or transfer of a volume; and one for who looks at a VM, opened when first needed.

mod calls;
mod terminal;
mod view;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use engine::HostError;
use engine::{HostConfig, HostEvent};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};

use crate::{
    connection::{
        Connection, KeepAlive,
        events::Notifier,
        opening::{Connector, HostConnector},
        workers::Workers,
    },
    error::{CallFailure, LibvirtError},
    storage::volumes,
    survey::{self, CertificateCache, facts::Identity},
    translate,
};

/// Threads for inventory, actions and facts. A daemon works on five calls of a connection at once; a sixth would also delay its
/// answers to keep-alive.
const CONTROL_THREADS: usize = 4;

/// How many of these threads actions may use: some take long, and the inventory must go on.
const ACTION_THREADS: usize = 2;

/// How many of these threads may look at storage: a file server that does not answer blocks a thread for ever.
const STORAGE_THREADS: usize = 1;

/// Threads to watch and abort migrations. More than one, as an abort can block.
const JOB_THREADS: usize = 2;

/// What looking at, making or deleting a volume may take: libvirt refreshes the pool.
const VOLUME_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait before asking again about a pool in which a volume is being made.
const BUSY_POOL_PAUSE: Duration = Duration::from_millis(100);

/// A host's connections; dropping it closes them.
pub(crate) struct LibvirtHost {
    connector: Arc<Connector>,
    host_connector: HostConnector,
    control: Workers,
    jobs: Workers,
    action_permits: Arc<Semaphore>,
    storage_permits: Arc<Semaphore>,
    identity: OnceLock<Identity>,
    certificates: Arc<CertificateCache>,
    view: view::View,
}

impl LibvirtHost {
    /// Connects within 10 s. Errors of connecting call the host as `called` says, those of the connection by its name.
    pub(crate) async fn open(
        connector: Arc<Connector>,
        host: &HostConfig,
        called: &str,
        events: mpsc::UnboundedSender<HostEvent>,
    ) -> Result<Self, HostError> {
        let opener = connector.to(host, called);
        let notifier = Arc::new(Notifier::new(host.name.clone(), events));
        let for_jobs = notifier.clone();
        let opening = async {
            opener.check_reachable().await?;
            let control = opener.open(CONTROL_THREADS, KeepAlive::PROMPT, move |connection| {
                connection.notify_closed(&notifier)?;
                connection.notify_changes(&notifier)
            });
            let control = control.await?;
            let jobs = opener
                .open(JOB_THREADS, KeepAlive::PROMPT, move |connection| connection.notify_closed(&for_jobs))
                .await?;
            Ok((control, jobs))
        };
        let (control, jobs) = opener.within_limit(opening).await?;
        let host_connector = connector.to(host, host.name.as_str());
        let [action_permits, storage_permits] =
            [ACTION_THREADS, STORAGE_THREADS].map(|threads| Arc::new(Semaphore::new(threads)));
        Ok(Self {
            connector,
            host_connector,
            control,
            jobs,
            action_permits,
            storage_permits,
            identity: OnceLock::new(),
            certificates: Arc::default(),
            view: view::View::new(),
        })
    }

    /// Removes what consoles left on the host when they died: now, and what is too young for that a little later. Nothing waits for it:
    /// its storage may hang.
    pub(crate) fn tidy(self: &Arc<Self>) {
        // Does not keep the connections open.
        let host = Arc::downgrade(self);
        tokio::spawn(async move {
            for pause in [Duration::ZERO, survey::LEFT_BEHIND + Duration::from_secs(1)] {
                sleep(pause).await;
                let Some(host) = host.upgrade() else { return };
                host.tidy_now().await;
            }
        });
    }

    async fn tidy_now(&self) {
        let stopped = self.with_permit(&self.storage_permits, survey::stop_left_behind);
        if let Err(error) = self.within(VOLUME_LIMIT, stopped).await {
            tracing::info!(host = self.host_connector.host, %error, "could not look for what consoles left behind");
        }
    }

    /// Lets a thread of `control` do `work` as soon as a permit is free. The permit is given back when the work is
    /// over, which may be after the caller has given up.
    async fn with_permit<T: Send + 'static>(
        &self,
        permits: &Arc<Semaphore>,
        work: impl FnOnce(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, CallFailure> {
        let permit = permits.clone().acquire_owned().await;
        let work = move |connection: &Connection| {
            let _permit = permit;
            work(connection)
        };
        self.control.call_unlimited(work).await
    }

    /// Waits for an answer for at most `limit`.
    async fn within<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T, CallFailure>> + Send,
    ) -> Result<T, HostError> {
        let answer = timeout(limit, answer).await.unwrap_or(Err(CallFailure::Late(limit)));
        answer.map_err(|failure| translate::failed(&self.host_connector.host, failure))
    }

    /// Calls libvirt on this connection, and waits for at most `limit`.
    async fn ask<T: Send + 'static>(
        &self,
        workers: &Workers,
        limit: Duration,
        work: impl FnOnce(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, HostError> {
        workers.call(limit, work).await.map_err(|failure| translate::failed(&self.host_connector.host, failure))
    }

    /// Calls libvirt about a storage pool, and again while a volume is being made there: libvirt refuses until then.
    async fn ask_pool<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, LibvirtError> + Clone + Send + 'static,
    ) -> Result<T, HostError> {
        let asking = async move {
            loop {
                match self.with_permit(&self.storage_permits, work.clone()).await {
                    Err(CallFailure::Refused(error)) if volumes::is_busy(&error) => sleep(BUSY_POOL_PAUSE).await,
                    result => return result,
                }
            }
        };
        self.within(VOLUME_LIMIT, asking).await
    }

    /// A connection for one call that takes long.
    async fn connect_for_long_call(&self) -> Result<Workers, HostError> {
        self.host_connector.open_for_long_call().await
    }

    /// A connection to the destination of a migration that the console drives.
    async fn connect_to(&self, host: &HostConfig) -> Result<Arc<Connection>, HostError> {
        let host_connector = self.connector.to(host, host.name.as_str());
        let workers = host_connector.open_for_long_call().await?;
        workers.connection().await.map_err(|failure| translate::not_opened(host.name.as_str(), failure))
    }

    /// Reads or writes a volume's contents, on a connection of its own: they would delay all other calls.
    async fn stream(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), LibvirtError> + Send + 'static,
    ) -> Result<(), HostError> {
        let workers = self.connect_for_long_call().await?;
        workers.call_unlimited(work).await.map_err(|failure| translate::failed(&self.host_connector.host, failure))
    }
}
