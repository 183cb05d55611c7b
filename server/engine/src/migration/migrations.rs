//! All migrations: started, resumed, cancelled, steered, looked up.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt as _;
use model::{
    Code, ControlFlow, Destination, DiskMove, DiskPlan, EvacuationId, FindingCode, HostName, HostOrigin, Migration,
    MigrationEvent, MigrationFilter, MigrationId, MigrationOptions, MigrationRequest, Mode, Phase, PolicyDefaults,
    Preflight, Problem, Progress, Severity, Steering, Step, TracePoint, Treatment, VmId,
};
use store::StoreError;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::{
    active::ActiveMigration,
    admission::{self, Accepted},
    aftercare::Aftercare,
    inbox::Inbox,
    lifecycle::{self, Start},
    recover, resume, steer,
    take_step::{Taken, take_step},
};
use crate::{
    commands::Command,
    context::Context,
    error::Error,
    hosts::{HostToReach, Hosts, Reached},
    hypervisor::{HostError, InvalidInput},
    preflight::Preflights,
    storage::StorageJournal as _,
};

/// How often a migration's task may panic before it is left to the next console.
const MOST_PANICS: usize = 3;

/// How a migration's task begins.
enum Entry {
    /// It was just asked for.
    New(Start),
    /// An earlier run of the console has left it open.
    LeftOpen,
    /// Its post-copy had broken off, and it goes on.
    Recovered,
}

/// That a migration is a part of an evacuation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) evacuation: EvacuationId,
    /// The id that the evacuation has chosen for it.
    pub(crate) migration: MigrationId,
}

/// Starts migrations and keeps track of those that run.
pub(crate) struct Migrations {
    context: Arc<Context>,
    hosts: Arc<Hosts>,
    preflights: Arc<Preflights>,
    aftercare: Arc<Aftercare>,
}

impl Migrations {
    pub(crate) fn new(context: Arc<Context>, hosts: Arc<Hosts>, preflights: Arc<Preflights>) -> Arc<Self> {
        let aftercare = Aftercare::new(Arc::clone(&context));
        Arc::new(Self { context, hosts, preflights, aftercare })
    }

    /// Admits a migration, writes it down and starts it. An ad-hoc destination is logged in at first.
    pub(crate) async fn start(
        self: &Arc<Self>,
        request: MigrationRequest<Destination<HostToReach>>,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        let MigrationRequest { vm, destination, mode, options, accept } = request;
        let options = self.context.inventory().with_policy_defaults(vm, options);
        let to = |destination| MigrationRequest { vm, destination, mode, options, accept };
        match destination {
            Destination::Registered(host) => {
                let request = to(host);
                let accepted = admission::admit(&self.preflights, &request).await?;
                self.write_down(accepted, request, requested_by, None, None).await
            }
            Destination::Address(destination) => {
                let reached = self.hosts.reach(destination).await?;
                let host = reached.host.clone();
                self.start_to(reached, to(host), requested_by).await
            }
        }
    }

    /// What a start to this ad-hoc destination would find now, with a login there; nothing is begun, and the host is forgotten again.
    ///
    /// # Errors
    /// Those of [`Self::start`] but for what the preflight finds.
    pub(crate) async fn check(
        &self,
        vm: VmId,
        destination: HostToReach,
        options: MigrationOptions,
    ) -> Result<Preflight, Error> {
        let mut options = self.context.inventory().with_policy_defaults(vm, options);
        let reached = self.hosts.reach(destination).await?;
        if reached.login().is_some() {
            // The console drives it, as the source has no login there.
            options.control_flow.get_or_insert(ControlFlow::Direct);
        }
        let checked = timeout_at(reached.deadline(), self.preflights.run(vm, &reached.host, &options)).await;
        checked.unwrap_or_else(|_| Err(HostError::too_late(reached.host.as_str()).into()))
    }

    /// The same as a part of an evacuation, under an id that this has written down before.
    pub(crate) async fn start_part(
        self: &Arc<Self>,
        request: MigrationRequest,
        requested_by: &str,
        part: Part,
    ) -> Result<Migration, Error> {
        let options = self.context.inventory().with_policy_defaults(request.vm, request.options);
        let request = MigrationRequest { options, ..request };
        let accepted = admission::admit(&self.preflights, &request).await?;
        self.write_down(accepted, request, requested_by, None, Some(part)).await
    }

    /// The same whatever the preflight finds.
    #[cfg(any(test, feature = "unchecked"))]
    pub(crate) async fn start_unchecked(
        self: &Arc<Self>,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        let accepted = admission::admit_unchecked(&self.context, &self.preflights, &request).await?;
        self.write_down(accepted, request, requested_by, None, None).await
    }

    /// The same, to a destination that was reached. What can be refused is refused within the 10 s that began as that was tried.
    ///
    /// # Errors
    /// `invalid-input` for another control flow than direct to a registered host with a login for this one migration, and for a definition
    /// that is to stay where the console could not see that the VM runs elsewhere.
    pub(crate) async fn start_to(
        self: &Arc<Self>,
        reached: Reached,
        mut request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        let is_temporary = self.context.inventory().is_temporary(&reached.host);
        if reached.login().is_some() && !is_temporary {
            // To a host that is not registered the control flow is direct anyway.
            if *request.options.control_flow.get_or_insert(ControlFlow::Direct) != ControlFlow::Direct {
                return Err(login_is_the_consoles(&reached.host).into());
            }
        }
        if request.options.keep_source_definition && !reached.is_to_be_registered() && is_temporary {
            return Err(would_not_be_seen(&reached.host).into());
        }
        let admitted = timeout_at(reached.deadline(), admission::admit(&self.preflights, &request)).await;
        let accepted = admitted.unwrap_or_else(|_| Err(HostError::too_late(reached.host.as_str()).into()))?;
        self.write_down(accepted, request, requested_by, Some(reached), None).await
    }

    /// Writes down what was admitted and starts it. What was `reached` for it is held until then.
    async fn write_down(
        self: &Arc<Self>,
        Accepted { vm, mode, preflight }: Accepted,
        request: MigrationRequest,
        requested_by: &str,
        reached: Option<Reached>,
        part: Option<Part>,
    ) -> Result<Migration, Error> {
        if request.options.policy_as_default {
            self.set_policy_defaults(vm.id, PolicyDefaults::chosen(&request.options)).await?;
        }
        let migration = Migration {
            id: part.map_or_else(|| MigrationId(Uuid::now_v7()), |part| part.migration),
            vm: vm.id,
            vm_name: vm.name.clone(),
            source: vm.host.clone(),
            destination: request.destination,
            mode,
            control_flow: Some(preflight.control_flow),
            // What was asked for may fail, but never goes in the clear.
            encrypted: preflight.encrypted || (mode == Mode::Live && request.options.encrypt == Some(true)),
            unregistered: None,
            // Where it can't be, the preflight has said why, and that the memory goes by TCP.
            options: MigrationOptions { rdma: goes_by_rdma(&preflight), ..request.options },
            disks: preflight.disks.into_iter().filter_map(copied).collect(),
            requested_by: requested_by.to_owned(),
            phase: Phase::Queued,
            cancel_requested: false,
            created_at_ms: self.context.now_ms(),
            ended_at_ms: None,
            progress: Progress::default(),
            outcome: None,
            problem: None,
            step: None,
            leftovers: Vec::new(),
            autostart: None,
            policy: request.options.policy.unwrap_or_default(),
            post_copy: false,
            slows_guest: false,
            connections: None,
            switchover_mib_s: None,
            waited_ms: 0,
            pause_limit_ms: None,
            acts: Vec::new(),
            prediction: preflight.prediction,
            evacuation: part.map(|part| part.evacuation),
            asleep: false,
        };
        let begun = Arc::clone(self).begin(migration, vm.persistent, reached);
        self.context.tasks().spawn_to_completion(begun).await
    }

    async fn set_policy_defaults(&self, vm: VmId, defaults: PolicyDefaults) -> Result<(), StoreError> {
        self.context.store().set_policy_defaults(vm, defaults).await?;
        self.context.inventory().set_policy_defaults(vm, defaults);
        Ok(())
    }

    async fn begin(
        self: Arc<Self>,
        mut migration: Migration,
        persistent: bool,
        reached: Option<Reached>,
    ) -> Result<Migration, Error> {
        let already = |open| Error::AlreadyMigrating { vm: migration.vm_name.clone(), open };
        migration.unregistered = {
            let mut inventory = self.context.inventory();
            inventory.ensure_available(&migration.source)?;
            inventory.ensure_available(&migration.destination)?;
            inventory.claim(&migration).map_err(already)?;
            let destination = inventory.host(&migration.destination);
            destination.filter(|entry| entry.origin == HostOrigin::Temporary).map(|entry| entry.config.settings())
        };
        // The intent is in the store before the first call that changes anything.
        if let Err(error) = self.context.store().insert_migration(&migration).await {
            self.context.inventory().release(migration.vm);
            return Err(match error {
                StoreError::Open(open) => already(open),
                StoreError::Failed { .. } | StoreError::Transition { .. } => error.into(),
            });
        }
        self.context.inventory().set_migration(migration.clone());
        let login = reached.as_ref().and_then(Reached::login).cloned();
        self.spawn(migration.clone(), Entry::New(Start { persistent, login }));
        // Held until it is registered: the migration may have ended by then.
        if reached.as_ref().is_some_and(Reached::is_to_be_registered) {
            self.hosts.register_temporary(&migration.destination).await;
        }
        Ok(migration)
    }

    /// Goes on with a migration that an earlier run of the console left open.
    pub(crate) fn resume(self: &Arc<Self>, migration: Migration) {
        {
            let mut inventory = self.context.inventory();
            // The store allows one open migration a VM, so this claim can't be taken.
            let _ = inventory.claim(&migration);
            inventory.set_migration(migration.clone());
        }
        self.spawn(migration, Entry::LeftOpen);
    }

    /// Goes on looking after a migration that has ended in an earlier run of the console.
    pub(crate) fn look_after(&self, ended: Migration) {
        self.aftercare.take(ended);
    }

    /// Runs a migration in a task of its own.
    fn spawn(self: &Arc<Self>, migration: Migration, entry: Entry) {
        let id = migration.id;
        let inbox = Inbox::new(self.context.commands().open(id));
        let migrations = Arc::clone(self);
        self.context.tasks().spawn(async move {
            let Some(ended) = migrations.run(migration, entry, inbox).await else { return };
            migrations.context.commands().close(id);
            migrations.keep_trace(id).await;
            migrations.aftercare.take(ended);
            migrations.hosts.let_go();
        });
    }

    /// Runs a migration to its end; none if that is impossible. After a bug that makes its task panic it goes on as after a restart of
    /// the console, which only asks the hosts: else its VM would stay claimed.
    async fn run(&self, migration: Migration, entry: Entry, mut inbox: Inbox) -> Option<Migration> {
        let (id, mut migration, mut entry) = (migration.id, migration, Some(entry));
        for _ in 0..MOST_PANICS {
            let curve = self.preflights.curve(migration.vm);
            let mut active = ActiveMigration::new(Arc::clone(&self.context), migration, inbox, curve);
            let entry = entry.take();
            let run = async move {
                match entry {
                    Some(Entry::New(start)) => lifecycle::run(&mut active, start).await,
                    Some(Entry::Recovered) => recover::recover(&mut active).await,
                    Some(Entry::LeftOpen) | None => resume::resume(&mut active).await,
                }
                active.record().clone()
            };
            match AssertUnwindSafe(run).catch_unwind().await {
                Ok(ended) => return Some(ended),
                Err(_) => {
                    tracing::error!(migration = %id, "a migration's task has panicked: its hosts are asked where the VM is");
                }
            }
            inbox = Inbox::new(self.context.commands().open(id));
            migration = self.context.inventory().migration(id).cloned()?;
            if migration.phase.has_ended() {
                return Some(migration);
            }
        }
        None
    }

    /// Asks for a migration to be cancelled.
    pub(crate) async fn cancel(&self, id: MigrationId, by: &str) -> Result<Migration, Error> {
        let known = self.context.inventory().migration(id).cloned();
        if let Some(Migration { vm_name, destination, .. }) = known.filter(|known| known.phase == Phase::PostCopy) {
            let sentence =
                format!("{vm_name} runs on {destination} already: its source has only a part of its memory.");
            let problem = Problem::new(Code::WrongState, sentence).with_fix("Wait until the rest of it has followed.");
            return Err(Error::Known(Box::new(problem)));
        }
        // The migration itself writes it down: it alone changes a record that is under way.
        if !self.context.commands().send(id, Command::Cancel { by: by.to_owned() }) {
            let (migration, _) = self.get(id).await?;
            return Err(Error::AlreadyEnded(Box::new(migration)));
        }
        let known = self.context.inventory().migration(id).cloned();
        known.map(|migration| Migration { cancel_requested: true, ..migration }).ok_or(Error::UnknownMigration(id))
    }

    /// Tells a migration that runs to go on otherwise.
    pub(crate) async fn steer(&self, id: MigrationId, steering: Steering, by: &str) -> Result<Migration, Error> {
        steer::check_range(steering)?;
        let known = self.context.inventory().migration(id).cloned();
        let migration = match known {
            Some(migration) => migration,
            None => self.get(id).await?.0,
        };
        steer::check_possible(steering, &migration)?;
        // The migration itself does it, and writes it down: it alone changes a record that is under way.
        if !self.context.commands().send(id, Command::Steer { steering, by: by.to_owned() }) {
            let (migration, _) = self.get(id).await?;
            return Err(Error::AlreadyEnded(Box::new(migration)));
        }
        Ok(migration)
    }

    /// Takes the step that a migration offers which needs attention. It is taken to its end, also when the caller leaves.
    pub(crate) async fn take_step(self: &Arc<Self>, id: MigrationId, step: Step, by: &str) -> Result<Migration, Error> {
        let Some(case) = self.aftercare.case(id) else {
            return Err(Error::NotTheStep(Box::new(self.get(id).await?.0)));
        };
        let (migrations, by) = (Arc::clone(self), by.to_owned());
        let taken = async move {
            let mut journal = case.lock().await;
            let taken = take_step(&migrations.context, &mut journal, &step, &by).await?;
            let record = journal.record().clone();
            if taken == Taken::GoesOn {
                migrations.aftercare.forget(id, &case);
                migrations.spawn(record.clone(), Entry::Recovered);
            }
            Ok(record)
        };
        self.context.tasks().spawn_to_completion(taken).await
    }

    /// One migration as it is now, and its history, oldest entry first.
    pub(crate) async fn get(&self, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Error> {
        let now = self.context.inventory().migration(id).cloned();
        let store = self.context.store();
        let migration = match now {
            Some(migration) => migration,
            None => store.migration(id).await?.ok_or(Error::UnknownMigration(id))?,
        };
        Ok((migration, store.events(id).await?))
    }

    /// What was measured of a migration over time, oldest first.
    pub(crate) async fn trace(&self, id: MigrationId) -> Result<Vec<TracePoint>, Error> {
        match self.context.traces().of(id) {
            Some(points) => Ok(points),
            None => Ok(self.context.store().trace(id).await?),
        }
    }

    /// Keeps what was measured of a migration that has ended. Without it only its picture is lost.
    async fn keep_trace(&self, id: MigrationId) {
        let Some(points) = self.context.traces().of(id) else { return };
        if let Err(error) = self.context.store().keep_trace(id, &points).await {
            tracing::warn!(migration = %id, %error, "what was measured of a migration can't be kept");
        }
        self.context.traces().take(id);
    }

    /// The migrations that a filter lets through, newest first.
    pub(crate) async fn list(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, Error> {
        let mut migrations = self.context.store().migrations(filter).await?;
        // The store has the phase; the figures of those under way are fresher here. An end is in the store first.
        let inventory = self.context.inventory();
        for migration in migrations.iter_mut().filter(|migration| !migration.phase.has_ended()) {
            if let Some(now) = inventory.migration(migration.id) {
                migration.clone_from(now);
            }
        }
        // One that has gone on since the store was asked may no longer be what is searched for.
        migrations.retain(|migration| filter.lets_through(migration));
        Ok(migrations)
    }
}

/// Whether that was asked for, and both hosts offer it.
fn goes_by_rdma(preflight: &Preflight) -> bool {
    preflight.findings.iter().any(|found| (found.code, found.severity) == (FindingCode::Rdma, Severity::Ok))
}

/// The disk's part in the migration, if it is copied.
fn copied(DiskPlan { target, source, treatment, .. }: DiskPlan) -> Option<DiskMove> {
    match treatment {
        Treatment::Copy { pool, volume, .. } => {
            Some(DiskMove { target, source, pool, volume, path: None, created: false, proven: false })
        }
        Treatment::Shared { .. } | Treatment::Stuck => None,
    }
}

fn login_is_the_consoles(name: &HostName) -> InvalidInput {
    InvalidInput::new(format!("A login for one move is the console's: the source can't log in on {name} with it."))
        .with_fix("Let the VM move directly (leave out `way`), or leave out the user and the password.")
}

/// What is left at the source would look like a VM that is off, and could be started a second time.
fn would_not_be_seen(name: &HostName) -> InvalidInput {
    InvalidInput::new(format!(
        "The VM can't stay defined where it is while it runs on {name}, which is not registered."
    ))
    .with_fix(
        "Register the host with the migration, so that vmferry sees the VM there, or let its definition go along.",
    )
}
