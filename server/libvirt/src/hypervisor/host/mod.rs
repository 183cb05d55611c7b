//! A host's connections, and the threads and turns that its calls share.

mod calls;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use engine::{HostConfig, HostEvent};
use model::Problem;
use tokio::{
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};

use crate::{
    connection::{
        Connection, KeepAlive,
        events::Notifier,
        opening::{Opener, Openers},
        workers::Workers,
    },
    error::{CallFailure, LibvirtError},
    storage::volumes,
    survey::{LastLook, facts::Identity},
    translate,
};

/// Threads for inventory, actions and facts. A daemon works on five calls of a connection at once; a sixth would hold up its
/// answers to keep-alive too.
const CONTROL_THREADS: usize = 4;

/// How many of them actions may use: some take long, and the inventory must go on.
const ACTION_THREADS: usize = 2;

/// How many of them may look at storage: a file server that does not answer holds a thread for ever.
const STORAGE_THREADS: usize = 1;

/// Threads to watch and abort migrations. More than one, as an abort can block.
const JOB_THREADS: usize = 2;

/// What looking at, making or deleting a volume may take: the pool is read anew.
const VOLUME_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait before a pool is asked again in which a volume is being made.
const BUSY_POOL_PAUSE: Duration = Duration::from_millis(100);

/// A host's connections; dropping it closes them.
pub(crate) struct LibvirtHost {
    openers: Arc<Openers>,
    opener: Opener,
    control: Workers,
    jobs: Workers,
    acting: Arc<Semaphore>,
    looking: Arc<Semaphore>,
    identity: OnceLock<Identity>,
    certificates: Arc<LastLook>,
}

impl LibvirtHost {
    /// Connects within 10 s.
    pub(crate) async fn open(
        openers: Arc<Openers>,
        host: &HostConfig,
        events: mpsc::UnboundedSender<HostEvent>,
    ) -> Result<Self, Problem> {
        let opener = openers.to(host);
        let notifier = Arc::new(Notifier::new(opener.host.clone(), events));
        let for_jobs = notifier.clone();
        let opening = async {
            opener.knock().await?;
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
        let [acting, looking] = [ACTION_THREADS, STORAGE_THREADS].map(|threads| Arc::new(Semaphore::new(threads)));
        Ok(Self {
            openers,
            opener,
            control,
            jobs,
            acting,
            looking,
            identity: OnceLock::new(),
            certificates: Arc::default(),
        })
    }

    /// Lets a thread of `control` do `work` as soon as one of the turns is free. It is given back when the work is over, which may be
    /// after the caller has given up.
    async fn in_turn<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        work: impl FnOnce(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, CallFailure> {
        let turn = turns.clone().acquire_owned().await;
        let work = move |connection: &Connection| {
            let _turn = turn;
            work(connection)
        };
        self.control.call_unlimited(work).await
    }

    /// Waits for at most `limit`.
    async fn within<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T, CallFailure>> + Send,
    ) -> Result<T, Problem> {
        let answer = timeout(limit, answer).await.unwrap_or(Err(CallFailure::Late(limit)));
        answer.map_err(|failure| translate::failed(&self.opener.host, failure))
    }

    /// Asks something of the host.
    async fn ask<T: Send + 'static>(
        &self,
        workers: &Workers,
        limit: Duration,
        work: impl FnOnce(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, Problem> {
        workers.call(limit, work).await.map_err(|failure| translate::failed(&self.opener.host, failure))
    }

    /// Asks something of a storage pool, and again while others make volumes there.
    async fn ask_pool<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, LibvirtError> + Clone + Send + 'static,
    ) -> Result<T, Problem> {
        let asking = async move {
            loop {
                match self.in_turn(&self.looking, work.clone()).await {
                    Err(CallFailure::Refused(error)) if volumes::is_busy(&error) => sleep(BUSY_POOL_PAUSE).await,
                    result => return result,
                }
            }
        };
        self.within(VOLUME_LIMIT, asking).await
    }

    /// A further connection, for one call that takes long.
    async fn alone(&self) -> Result<Workers, Problem> {
        self.opener.within_limit(self.opener.open(1, KeepAlive::PATIENT, |_| Ok(()))).await
    }

    /// A connection to another host, for a migration that we drive.
    async fn to(&self, host: &HostConfig) -> Result<Arc<Connection>, Problem> {
        let opener = self.openers.to(host);
        let opening = async {
            opener.knock().await?;
            opener.open(1, KeepAlive::PATIENT, |_| Ok(())).await
        };
        let workers = opener.within_limit(opening).await?;
        workers.connection().await.map_err(|failure| translate::not_opened(&host.name, failure))
    }

    /// Moves a volume's contents, on a connection of its own: they would hold up everything else.
    async fn stream(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), LibvirtError> + Send + 'static,
    ) -> Result<(), Problem> {
        let workers = self.alone().await?;
        workers.call_unlimited(work).await.map_err(|failure| translate::failed(&self.opener.host, failure))
    }
}
