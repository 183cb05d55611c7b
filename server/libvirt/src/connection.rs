//! The engine's calls on one host, each on the connection it belongs to and with its time limit.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use engine::{
    Chunk, CopyFacts, DomainFacts, HostConfig, HostEvent, HostFacts, MigrationPlan, NewVolume, NotMigrated, Statistics,
    Survey, Volume,
};
use model::{Code, Problem, VmAction, VmId, Way};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{sleep, timeout},
};

use crate::{
    activity, contents, definition, domain,
    error::LibvirtError,
    events::Notifier,
    facts::{self, Identity},
    job::{self, Role},
    link::{KeepAlive, Link},
    media, migrate,
    open::{Opener, Openers},
    survey::{self, LastLook},
    translate, users, volumes,
    workers::{Failure, Workers},
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

/// What most calls may take.
const LIMIT: Duration = Duration::from_secs(5);

/// What the list of all copies may take: it asks three things of each, one after the other, and a host may be far away.
const LIST_LIMIT: Duration = Duration::from_secs(30);

/// What starting or stopping a VM may take.
const ACTION_LIMIT: Duration = Duration::from_secs(30);

/// What a question of a preflight may take: it asks many small things.
const PREFLIGHT_LIMIT: Duration = Duration::from_secs(10);

/// How often it is asked whether a guest's writes have been measured, which takes a second.
const MEASURING_PAUSE: Duration = Duration::from_millis(200);

/// What looking at, making or deleting a volume may take: the pool is read anew.
const VOLUME_LIMIT: Duration = Duration::from_secs(30);

/// How long to wait before a pool is asked again in which a volume is being made.
const BUSY_POOL_PAUSE: Duration = Duration::from_millis(100);

/// What the first question for a host's facts may take: the daemon starts every QEMU it has to see what it can do.
const FIRST_FACTS_LIMIT: Duration = Duration::from_secs(30);

/// A host's connections; dropping it closes them.
pub(crate) struct Connection {
    openers: Arc<Openers>,
    opener: Opener,
    control: Workers,
    jobs: Workers,
    acting: Arc<Semaphore>,
    looking: Arc<Semaphore>,
    identity: OnceLock<Identity>,
    certificates: Arc<LastLook>,
}

impl Connection {
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
            let control = opener.open(CONTROL_THREADS, KeepAlive::PROMPT, move |link| {
                link.notify_closed(&notifier)?;
                link.notify_changes(&notifier)
            });
            let control = control.await?;
            let jobs = opener.open(JOB_THREADS, KeepAlive::PROMPT, move |link| link.notify_closed(&for_jobs)).await?;
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
        work: impl FnOnce(&Link) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = turns.clone().acquire_owned().await;
        let work = move |link: &Link| {
            let _turn = turn;
            work(link)
        };
        self.control.call_unlimited(work).await
    }

    /// Waits for at most `limit`.
    async fn within<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Problem> {
        let answer = timeout(limit, answer).await.unwrap_or(Err(Failure::Late(limit)));
        answer.map_err(|failure| translate::failed(&self.opener.host, failure))
    }

    /// Asks something of the host.
    async fn ask<T: Send + 'static>(
        &self,
        workers: &Workers,
        limit: Duration,
        work: impl FnOnce(&Link) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, Problem> {
        workers.call(limit, work).await.map_err(|failure| translate::failed(&self.opener.host, failure))
    }

    /// Asks something of a storage pool, and again while others make volumes there.
    async fn ask_pool<T: Send + 'static>(
        &self,
        work: impl Fn(&Link) -> Result<T, LibvirtError> + Clone + Send + 'static,
    ) -> Result<T, Problem> {
        let asking = async move {
            loop {
                match self.in_turn(&self.looking, work.clone()).await {
                    Err(Failure::Refused(error)) if volumes::is_busy(&error) => sleep(BUSY_POOL_PAUSE).await,
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
    async fn to(&self, host: &HostConfig) -> Result<Arc<Link>, Problem> {
        let opener = self.openers.to(host);
        let opening = async {
            opener.knock().await?;
            opener.open(1, KeepAlive::PATIENT, |_| Ok(())).await
        };
        let workers = opener.within_limit(opening).await?;
        workers.link().await.map_err(|failure| translate::not_opened(&host.name, failure))
    }

    /// Moves a volume's contents, on a connection of its own: they would hold up everything else.
    async fn stream(
        &self,
        work: impl FnOnce(&Link) -> Result<(), LibvirtError> + Send + 'static,
    ) -> Result<(), Problem> {
        let workers = self.alone().await?;
        workers.call_unlimited(work).await.map_err(|failure| translate::failed(&self.opener.host, failure))
    }
}

#[async_trait]
impl engine::HostConnection for Connection {
    async fn host(&self) -> Result<HostFacts, Problem> {
        let identity = match self.identity.get() {
            Some(identity) => identity.clone(),
            None => {
                let identity = self.ask(&self.control, FIRST_FACTS_LIMIT, facts::identity).await?;
                self.identity.get_or_init(|| identity).clone()
            }
        };
        self.ask(&self.control, LIMIT, move |link| facts::facts(link, identity)).await
    }

    async fn copies(&self) -> Result<Vec<CopyFacts>, Problem> {
        self.ask(&self.control, LIST_LIMIT, domain::copies).await
    }

    async fn copy(&self, vm: VmId) -> Result<Option<CopyFacts>, Problem> {
        let look = move |link: &Link| match domain::find(link, vm)? {
            Some(domain) => domain::if_there(domain::copy(&domain)),
            None => Ok(None),
        };
        self.ask(&self.control, LIMIT, look).await
    }

    async fn act(&self, vm: VmId, action: VmAction) -> Result<(), Problem> {
        let act = move |link: &Link| domain::act(&link.lookup_domain_by_uuid(vm.0)?, action);
        self.within(ACTION_LIMIT, self.in_turn(&self.acting, act)).await
    }

    async fn undefine(&self, vm: VmId) -> Result<(), Problem> {
        let undefine = move |link: &Link| match domain::find(link, vm)? {
            Some(domain) => domain::if_there(domain::undefine(&domain)).map(drop),
            None => Ok(()),
        };
        self.within(ACTION_LIMIT, self.in_turn(&self.acting, undefine)).await
    }

    async fn domain(&self, vm: VmId) -> Result<DomainFacts, Problem> {
        let look = self.in_turn(&self.looking, move |link| definition::facts(link, vm));
        self.within(PREFLIGHT_LIMIT, look).await
    }

    async fn survey(&self, domain: &DomainFacts) -> Result<Survey, Problem> {
        let (domain, certificates) = (domain.clone(), self.certificates.clone());
        let look = self.in_turn(&self.looking, move |link| survey::survey(link, &domain, &certificates));
        self.within(PREFLIGHT_LIMIT, look).await
    }

    async fn dirty_rate(&self, vm: VmId) -> Result<u64, Problem> {
        let measure = async {
            self.control.call_unlimited(move |link| activity::measure_dirty_rate(link, vm)).await?;
            loop {
                sleep(MEASURING_PAUSE).await;
                if let Some(rate) = self.control.call_unlimited(move |link| activity::dirty_rate(link, vm)).await? {
                    return Ok(rate);
                }
            }
        };
        self.within(PREFLIGHT_LIMIT, measure).await
    }

    async fn disk_writes(&self, vm: VmId, targets: &[String]) -> Result<u64, Problem> {
        let targets = targets.to_vec();
        self.ask(&self.control, LIMIT, move |link| activity::disk_writes(link, vm, &targets)).await
    }

    async fn eject(&self, vm: VmId, target: &str) -> Result<(), Problem> {
        let target = target.to_owned();
        self.ask(&self.control, ACTION_LIMIT, move |link| media::eject(link, vm, &target)).await
    }

    async fn volume(&self, pool: &str, name: &str) -> Result<Option<Volume>, Problem> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.ask_pool(move |link| volumes::volume(link, &pool, &name)).await
    }

    async fn volume_at(&self, path: &str) -> Result<Option<(String, Volume)>, Problem> {
        let path = path.to_owned();
        self.ask_pool(move |link| volumes::at(link, &path)).await
    }

    async fn users_of_image(&self, path: &str, left: VmId) -> Result<Vec<String>, Problem> {
        let path = path.to_owned();
        self.ask_pool(move |link| users::of(link, &path, left)).await
    }

    async fn create_volume(&self, volume: &NewVolume) -> Result<Volume, Problem> {
        let volume = volume.clone();
        self.ask_pool(move |link| volumes::create(link, &volume)).await
    }

    async fn delete_volume(&self, pool: &str, name: &str) -> Result<(), Problem> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.ask_pool(move |link| volumes::delete(link, &pool, &name)).await
    }

    async fn read_volume(&self, pool: &str, name: &str, to: mpsc::Sender<Chunk>) -> Result<(), Problem> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.stream(move |link| contents::read(link, &pool, &name, &to)).await
    }

    async fn write_volume(&self, pool: &str, name: &str, mut from: mpsc::Receiver<Chunk>) -> Result<(), Problem> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.stream(move |link| contents::write(link, &pool, &name, &mut from)).await
    }

    async fn migrate(&self, plan: &MigrationPlan) -> Result<(), NotMigrated> {
        // A connection of its own: the call takes as long as the migration does.
        let workers = self.alone().await.map_err(NotMigrated::NotBegun)?;
        let destination = match plan.way {
            Way::Direct => Some(self.to(&plan.destination).await.map_err(NotMigrated::NotBegun)?),
            Way::PeerToPeer | Way::Tunnelled => None,
        };
        let wanted = plan.clone();
        let migrating = workers.call_unlimited(move |link| migrate::migrate(link, destination.as_deref(), &wanted));
        migrating.await.map_err(|failure| translate::not_migrated(&self.opener.host, plan, failure))
    }

    async fn job(&self, vm: VmId) -> Result<Option<Statistics>, Problem> {
        let look = move |link: &Link| match domain::find(link, vm)? {
            Some(domain) => Ok(match domain::if_there(job::role(&domain))? {
                Some(Role::Outgoing(statistics)) => Some(statistics),
                _ => None,
            }),
            None => Ok(None),
        };
        self.ask(&self.jobs, LIMIT, look).await
    }

    async fn completed_job(&self, vm: VmId) -> Result<Option<Statistics>, Problem> {
        let look = move |link: &Link| match domain::find(link, vm)? {
            Some(domain) => Ok(domain::if_there(job::completed(&domain))?.flatten()),
            None => Ok(None),
        };
        self.ask(&self.jobs, LIMIT, look).await
    }

    async fn abort(&self, vm: VmId) -> Result<(), Problem> {
        let abort = move |link: &Link| match domain::find(link, vm)? {
            Some(domain) => Ok(domain::if_there(job::abort(&domain))? == Some(true)),
            None => Ok(false),
        };
        if self.ask(&self.jobs, LIMIT, abort).await? {
            return Ok(());
        }
        let sentence = format!("No migration of this VM from {} is under way.", self.opener.host);
        Err(Problem::new(Code::WrongState, sentence))
    }
}
