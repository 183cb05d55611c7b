//! The engine's calls on one host, each on the connection it belongs to and with its time limit.

use std::time::Duration;

use async_trait::async_trait;
use engine::{
    Chunk, CopyFacts, CpuTimes, DirtyCurve, DirtyPoint, DomainFacts, HostFacts, ImageUsers, Lease, MigrationPlan,
    NewVolume, NotMigrated, Statistics, Survey, TerminalStream, Tuning, Usage, Volume,
};
use engine::{HostError, HostErrorKind};
use model::{ControlFlow, GuestFacts, HostCertificate, HostResources, TerminalKind, VmAction, VmFacts, VmId};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::LibvirtHost;
use crate::{
    connection::Connection,
    definition::{self, details},
    domain::{
        self, actions, activity, copies, guest,
        jobs::{self, Role, Told},
        media, usage,
    },
    error::{CallFailure, LibvirtError},
    migrate,
    storage::{contents, users, volumes},
    survey::{self, facts},
    translate,
};

/// What a call may take that has no limit of its own.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// What the list of all copies may take: it is three calls a copy, one after the other, and a host may be far away.
const LIST_LIMIT: Duration = Duration::from_secs(30);

/// What starting or stopping a VM may take.
const ACTION_LIMIT: Duration = Duration::from_secs(30);

/// What a survey for a preflight may take: it is many small calls.
const PREFLIGHT_LIMIT: Duration = Duration::from_secs(10);

/// What a measurement of what a guest changes may take: it takes 7 s.
const MEASURING_LIMIT: Duration = Duration::from_secs(20);

/// How often libvirt is asked whether a period of it has ended.
const MEASURING_PAUSE: Duration = Duration::from_millis(200);

/// What the first call for a host's facts may take: the daemon starts each QEMU that is installed to see what it can do.
const FIRST_FACTS_LIMIT: Duration = Duration::from_secs(30);

#[async_trait]
impl engine::HostConnection for LibvirtHost {
    async fn host(&self) -> Result<HostFacts, HostError> {
        let identity = match self.identity.get() {
            Some(identity) => identity.clone(),
            None => {
                let identity = self.ask(&self.control, FIRST_FACTS_LIMIT, facts::identity).await?;
                self.identity.get_or_init(|| identity).clone()
            }
        };
        self.ask(&self.control, LIMIT, move |connection| facts::facts(connection, identity)).await
    }

    async fn copies(&self) -> Result<Vec<CopyFacts>, HostError> {
        self.ask(&self.control, LIST_LIMIT, copies::copies).await
    }

    async fn copy(&self, vm: VmId) -> Result<Option<CopyFacts>, HostError> {
        let read = move |connection: &Connection| match domain::find(connection, vm)? {
            Some(domain) => domain::if_there(copies::copy(&domain)),
            None => Ok(None),
        };
        self.ask(&self.control, LIMIT, read).await
    }

    async fn act(&self, vm: VmId, action: VmAction) -> Result<(), HostError> {
        let act = move |connection: &Connection| actions::act(&connection.lookup_domain_by_uuid(vm.0)?, action);
        self.within(ACTION_LIMIT, self.with_permit(&self.action_permits, act)).await
    }

    async fn undefine(&self, vm: VmId) -> Result<(), HostError> {
        let undefine = move |connection: &Connection| match domain::find(connection, vm)? {
            Some(domain) => domain::if_there(actions::undefine(connection, &domain)).map(drop),
            None => Ok(()),
        };
        self.within(ACTION_LIMIT, self.with_permit(&self.action_permits, undefine)).await
    }

    async fn autostart(&self, vm: VmId) -> Result<bool, HostError> {
        self.ask(&self.control, LIMIT, move |connection| actions::autostart(connection, vm)).await
    }

    async fn set_autostart(&self, vm: VmId, enabled: bool) -> Result<(), HostError> {
        self.ask(&self.control, LIMIT, move |connection| actions::set_autostart(connection, vm, enabled)).await
    }

    async fn details(&self, vm: VmId) -> Result<VmFacts, HostError> {
        self.view(None, move |connection| details::details(connection, vm)).await
    }

    async fn guest(&self, vm: VmId) -> Result<GuestFacts, HostError> {
        self.view(Some(&self.view.agents), move |connection| guest::guest(connection, vm)).await
    }

    async fn definition(&self, vm: VmId) -> Result<String, HostError> {
        self.view(None, move |connection| details::definition(connection, vm)).await
    }

    async fn usage(&self) -> Result<Vec<Usage>, HostError> {
        self.view(Some(&self.view.figures), usage::usage).await
    }

    async fn leases(&self) -> Result<Vec<Lease>, HostError> {
        self.ask(&self.control, LIMIT, survey::leases::leases).await
    }

    async fn resources(&self) -> Result<HostResources, HostError> {
        self.view(None, survey::shown::resources).await
    }

    async fn cpu_times(&self) -> Result<CpuTimes, HostError> {
        self.view(None, survey::shown::cpu_times).await
    }

    async fn certificates(&self) -> Result<Vec<HostCertificate>, HostError> {
        self.shown_certificates().await
    }

    async fn domain(&self, vm: VmId) -> Result<DomainFacts, HostError> {
        let read = self.with_permit(&self.storage_permits, move |connection| definition::facts(connection, vm));
        self.within(PREFLIGHT_LIMIT, read).await
    }

    async fn survey(&self, domain: &DomainFacts) -> Result<Survey, HostError> {
        let (domain, certificates) = (domain.clone(), self.certificates.clone());
        let read = self
            .with_permit(&self.storage_permits, move |connection| survey::survey(connection, &domain, &certificates));
        self.within(PREFLIGHT_LIMIT, read).await
    }

    async fn dirty_curve(&self, vm: VmId) -> Result<DirtyCurve, HostError> {
        let measure = async {
            let executed =
                async || self.control.call_unlimited(move |connection| activity::vcpu_times(connection, vm)).await;
            let (begun, before) = (Instant::now(), executed().await.unwrap_or_default());
            let mut points = Vec::new();
            for period_s in activity::PERIODS_S {
                points.push(self.dirtied_within(vm, period_s).await?);
                if points[0].bytes < activity::IDLE {
                    break;
                }
            }
            let after = executed().await.unwrap_or_default();
            Ok(DirtyCurve::new(points, activity::busiest(&before, &after, begun.elapsed())))
        };
        self.within(MEASURING_LIMIT, measure).await
    }

    async fn disk_writes(&self, vm: VmId, targets: &[String]) -> Result<u64, HostError> {
        let targets = targets.to_vec();
        self.ask(&self.control, LIMIT, move |connection| activity::disk_writes(connection, vm, &targets)).await
    }

    async fn eject(&self, vm: VmId, target: &str) -> Result<(), HostError> {
        let target = target.to_owned();
        self.ask(&self.control, ACTION_LIMIT, move |connection| media::eject(connection, vm, &target)).await
    }

    async fn volume(&self, pool: &str, name: &str) -> Result<Option<Volume>, HostError> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.ask_pool(move |connection| volumes::volume(connection, &pool, &name)).await
    }

    async fn volume_at(&self, path: &str) -> Result<Option<(String, Volume)>, HostError> {
        let path = path.to_owned();
        self.ask_pool(move |connection| volumes::at(connection, &path)).await
    }

    async fn users_of_image(&self, path: &str, left: Option<VmId>) -> Result<ImageUsers, HostError> {
        let path = path.to_owned();
        self.ask_pool(move |connection| users::of(connection, &path, left)).await
    }

    async fn create_volume(&self, volume: &NewVolume) -> Result<Volume, HostError> {
        let volume = volume.clone();
        self.ask_pool(move |connection| volumes::create(connection, &volume)).await
    }

    async fn delete_volume(&self, pool: &str, name: &str) -> Result<(), HostError> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.ask_pool(move |connection| volumes::delete(connection, &pool, &name)).await
    }

    async fn read_volume(&self, pool: &str, name: &str, to: mpsc::Sender<Chunk>) -> Result<(), HostError> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.stream(move |connection| contents::read(connection, &pool, &name, &to)).await
    }

    async fn write_volume(&self, pool: &str, name: &str, mut from: mpsc::Receiver<Chunk>) -> Result<(), HostError> {
        let (pool, name) = (pool.to_owned(), name.to_owned());
        self.stream(move |connection| contents::write(connection, &pool, &name, &mut from)).await
    }

    async fn migrate(&self, plan: &MigrationPlan) -> Result<(), NotMigrated> {
        self.drive(plan, migrate::migrate).await
    }

    async fn recover_post_copy(&self, plan: &MigrationPlan) -> Result<(), NotMigrated> {
        self.drive(plan, migrate::recover).await
    }

    async fn job(&self, vm: VmId) -> Result<Option<Statistics>, HostError> {
        let read = move |connection: &Connection| match domain::find(connection, vm)? {
            Some(domain) => Ok(match domain::if_there(jobs::role(&domain))? {
                Some(Role::Outgoing(statistics)) => Some(statistics),
                _ => None,
            }),
            None => Ok(None),
        };
        self.ask(&self.jobs, LIMIT, read).await
    }

    async fn completed_job(&self, vm: VmId) -> Result<Option<Statistics>, HostError> {
        let read = move |connection: &Connection| match domain::find(connection, vm)? {
            Some(domain) => Ok(domain::if_there(jobs::completed(&domain))?.flatten()),
            None => Ok(None),
        };
        self.ask(&self.jobs, LIMIT, read).await
    }

    async fn tune(&self, vm: VmId, tuning: Tuning) -> Result<(), HostError> {
        let tune = move |connection: &Connection| match domain::find(connection, vm)? {
            Some(domain) => Ok(domain::if_there(jobs::tune(&domain, tuning))?.unwrap_or(Told::NoMigration)),
            None => Ok(Told::NoMigration),
        };
        match self.ask(&self.jobs, LIMIT, tune).await? {
            Told::Done => Ok(()),
            Told::NoMigration => Err(self.no_migration()),
            Told::RunsThere => Err(translate::runs_there()),
            Told::BrokeOff => Err(translate::post_copy_broke_off()),
        }
    }

    async fn open_terminal(&self, vm: VmId, kind: TerminalKind, take_over: bool) -> Result<TerminalStream, HostError> {
        match kind {
            TerminalKind::Serial => self.open_serial(vm, take_over).await,
            TerminalKind::Screen => self.open_screen(vm).await,
        }
    }

    async fn abort(&self, vm: VmId) -> Result<(), HostError> {
        let abort = move |connection: &Connection| match domain::find(connection, vm)? {
            Some(domain) => Ok(domain::if_there(jobs::abort(&domain))? == Some(true)),
            None => Ok(false),
        };
        if self.ask(&self.jobs, LIMIT, abort).await? {
            return Ok(());
        }
        Err(self.no_migration())
    }
}

type Migrate = fn(&Connection, Option<&Connection>, &MigrationPlan) -> Result<(), LibvirtError>;

impl LibvirtHost {
    /// Calls what moves a VM by this plan, and waits until it is over.
    async fn drive(&self, plan: &MigrationPlan, call: Migrate) -> Result<(), NotMigrated> {
        // A connection of its own: the call takes as long as the migration does.
        let workers = self.connect_for_long_call().await.map_err(NotMigrated::NotBegun)?;
        let destination = match plan.control_flow {
            ControlFlow::Direct => Some(self.connect_to(&plan.destination).await.map_err(NotMigrated::NotBegun)?),
            ControlFlow::PeerToPeer | ControlFlow::Tunnelled => None,
        };
        let wanted = plan.clone();
        let migrating = workers.call_unlimited(move |connection| call(connection, destination.as_deref(), &wanted));
        migrating.await.map_err(|failure| translate::not_migrated(&self.host_connector.host, plan, failure))
    }

    fn no_migration(&self) -> HostError {
        let sentence = format!("No migration of this VM from {} is under way.", self.host_connector.host);
        HostError::new(HostErrorKind::WrongState, sentence)
    }

    /// What a guest changes of its memory within a period.
    async fn dirtied_within(&self, vm: VmId, period_s: u8) -> Result<DirtyPoint, CallFailure> {
        let start = move |connection: &Connection| activity::measure_dirty_rate(connection, vm, period_s);
        self.control.call_unlimited(start).await?;
        sleep(Duration::from_secs(period_s.into())).await;
        loop {
            if let Some(point) =
                self.control.call_unlimited(move |connection| activity::dirtied(connection, vm)).await?
            {
                return Ok(point);
            }
            sleep(MEASURING_PAUSE).await;
        }
    }
}
