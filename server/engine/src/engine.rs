//! The engine: what the console can do, and the tasks that do it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use model::{
    Code, HostName, HostOrigin, Migration, MigrationEvent, MigrationId, MigrationOptions, Preflight, Problem, Snapshot,
    Vm, VmAction, VmId,
};
use store::{EngineStore, MigrationFilter, StoreError};
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    HostConfig, Hypervisor, Statistics, Transport,
    clock::{Clock, lock},
    hosts::{restore, watcher},
    inventory::{Feed, Inventory, RESERVED},
    migration::admission,
    migration::lifecycle::{self, Begin},
    preflight::{self, Recent},
};

/// How long [`Engine::stop`] waits for tasks to end.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How many migrations of earlier runs pages show at once.
const REMEMBERED: u32 = 50;

/// What one running migration and the rest of the engine have to tell each other.
#[derive(Default)]
pub(crate) struct Handle {
    /// Set when somebody asks to cancel.
    pub(crate) cancel: CancellationToken,
    /// Who asked, each time: for who waits for a host it is another wish than for a VM that moves.
    pub(crate) cancelled_by: Mutex<Vec<String>>,
    /// The figures libvirt sent when it was done.
    pub(crate) completed: Mutex<Option<Statistics>>,
    /// How the destination is reached, if somebody typed a login for this migration; gone when it has ended.
    pub(crate) login: Option<Transport>,
}

/// Moves VMs between hosts.
pub struct Engine {
    pub(crate) hypervisor: Arc<dyn Hypervisor>,
    pub(crate) store: Arc<dyn EngineStore>,
    pub(crate) clock: Clock,
    /// What preflights found lately.
    pub(crate) recent: Recent,
    /// Held while hosts are registered, changed or removed, in the store and here.
    pub(crate) changes: AsyncMutex<()>,
    inventory: Mutex<Inventory>,
    handles: Mutex<BTreeMap<MigrationId, Arc<Handle>>>,
    stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

impl Engine {
    /// Connects to the hosts and takes up the migrations that an earlier run left open.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(
        hosts: Vec<HostConfig>,
        hypervisor: Arc<dyn Hypervisor>,
        store: Arc<dyn EngineStore>,
    ) -> Result<Arc<Self>, StoreError> {
        let clock = Clock::start();
        let feed = Feed::new(store.reserve_sequence(RESERVED).await?);
        let stored = store.hosts().await?;
        let open = store.open_migrations().await?;
        let mut inventory = Inventory::new(clock, feed);
        for host in hosts {
            inventory.attach(host, HostOrigin::Configured, None, None);
        }
        restore::add_stored(&mut inventory, &stored);
        restore::add_unregistered(&mut inventory, &open);
        inventory.remember(store.migrations(&MigrationFilter::newest(REMEMBERED)).await?);
        let watches = inventory.watches();
        let engine = Arc::new(Self {
            hypervisor,
            inventory: Mutex::new(inventory),
            handles: Mutex::default(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            recent: Recent::default(),
            changes: AsyncMutex::default(),
            clock,
            store,
        });
        for migration in open {
            engine.take_up(migration);
        }
        for watch in watches {
            engine.spawn(watcher::watch(Arc::clone(&engine), watch, None));
        }
        engine.spawn(Arc::clone(&engine).keep_letting_go());
        Ok(engine)
    }

    /// Takes up a migration that an earlier run left open.
    fn take_up(self: &Arc<Self>, migration: Migration) {
        {
            let mut inventory = self.inventory();
            // The store allows one open migration a VM, so this claim can't be taken.
            let _ = inventory.claim(&migration);
            inventory.set_migration(migration.clone());
        }
        self.run(migration, Begin::TakeUp, None);
    }

    /// Runs a migration, with a login for its destination if somebody typed one for it.
    pub(crate) fn run(self: &Arc<Self>, migration: Migration, begin: Begin, login: Option<Transport>) {
        let handle = Arc::new(Handle { login, ..Handle::default() });
        if migration.cancel_requested {
            handle.cancel.cancel();
        }
        self.handles().insert(migration.id, Arc::clone(&handle));
        let engine = Arc::clone(self);
        self.spawn(async move {
            lifecycle::run(Arc::clone(&engine), migration, handle, begin).await;
            engine.let_go();
        });
    }

    /// Runs a task to its end even if the caller leaves: what was begun must not be left half-way.
    pub(crate) async fn whole<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let done = self.tasks.spawn(task).await;
        done.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "vmferry is stopping.")))
    }

    /// Runs a task until it ends or the engine stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                // The stop counts first: a migration that waits must not begin because those before it were let go.
                biased;
                () = stopping.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Stops watching. Migrations under way go on without the console, and the next start takes them up again.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_LIMIT, self.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
    }

    /// Whether every host was tried at least once.
    pub fn is_ready(&self) -> bool {
        self.inventory().is_ready()
    }

    /// Hosts, VMs, and the current and latest migrations.
    pub fn snapshot(&self) -> Snapshot {
        self.inventory().snapshot()
    }

    /// The VM of this name; with `host` only the one there.
    ///
    /// # Errors
    /// `unknown-vm`; `ambiguous-name` when several different VMs have the name.
    pub fn find(&self, name: &str, host: Option<&HostName>) -> Result<Vm, Problem> {
        let inventory = self.inventory();
        let on_host = |vm: &&Vm| host.is_none_or(|host| vm.host == *host);
        let found: Vec<&Vm> = inventory.vms().filter(|vm| vm.name == name).filter(on_host).collect();
        match found[..] {
            [vm] => Ok(vm.clone()),
            [] => Err(admission::unknown_vm(name)),
            _ => {
                let places: Vec<String> = found.iter().map(|vm| format!("{} ({})", vm.host, vm.id)).collect();
                let sentence = format!("{} VMs are called {name}: on {}.", found.len(), places.join(", "));
                Err(Problem::new(Code::AmbiguousName, sentence).with_fix("Name the host, too."))
            }
        }
    }

    /// The registered host of this name or address.
    ///
    /// # Errors
    /// `unknown-host`; `same-host` for this machine's own addresses; `invalid-input` for what is no address.
    pub fn host(&self, name_or_address: &str) -> Result<HostName, Problem> {
        admission::host(&self.inventory(), name_or_address)
    }

    /// Starts, stops, pauses or resumes a VM where it is.
    ///
    /// # Errors
    /// `unknown-vm`, `already-migrating`, `wrong-state`, `host-unreachable`, or what the hypervisor says.
    pub async fn act(&self, id: VmId, action: VmAction) -> Result<(), Problem> {
        let (host, connection) = {
            let inventory = self.inventory();
            let vm = inventory.vm(id).ok_or_else(|| admission::unknown_vm(&id.to_string()))?;
            admission::action(vm, action)?;
            (vm.host.clone(), inventory.connection(&vm.host)?)
        };
        connection.act(id, action).await?;
        watcher::refresh_copy(self, &host, &*connection, id).await;
        Ok(())
    }

    /// Looks whether a VM can go to a host, without side effects.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `host-unreachable` if the VM's own host does not answer.
    pub async fn preflight(
        &self,
        vm: VmId,
        destination: &HostName,
        options: &MigrationOptions,
    ) -> Result<Preflight, Problem> {
        preflight::run(self, vm, destination, options).await
    }

    /// The same for every registered host but the VM's own, all at once; the recommended ones first.
    ///
    /// # Errors
    /// `unknown-vm`, `host-unreachable` if the VM's own host does not answer.
    pub async fn preflights(&self, vm: VmId) -> Result<Vec<Preflight>, Problem> {
        preflight::run_all(self, vm).await
    }

    /// Measures what a guest writes to its memory, in bytes a second; later predictions use it.
    ///
    /// # Errors
    /// `unknown-vm`, `wrong-state`, `host-unreachable`, or what the hypervisor says.
    pub async fn measure(&self, vm: VmId) -> Result<u64, Problem> {
        preflight::measure(self, vm).await
    }

    /// Asks for a migration to be cancelled.
    ///
    /// # Errors
    /// `unknown-migration`; `already-ended`.
    pub async fn cancel(&self, id: MigrationId, by: &str) -> Result<Migration, Problem> {
        let handle = self.handles().get(&id).cloned();
        let Some(handle) = handle else {
            let (migration, _) = self.migration(id).await?;
            let ended = format!("This migration has ended already: {}", model::text::summary(&migration));
            return Err(Problem::new(Code::AlreadyEnded, ended));
        };
        lock(&handle.cancelled_by).push(by.to_owned());
        // The runner writes it down: it alone changes a migration that is under way.
        handle.cancel.cancel();
        let known = self.inventory().migration(id).cloned();
        known.map(|migration| Migration { cancel_requested: true, ..migration }).ok_or_else(|| unknown_migration(id))
    }

    /// One migration as it is now, and its history, oldest entry first.
    ///
    /// # Errors
    /// `unknown-migration`.
    pub async fn migration(&self, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Problem> {
        let now = self.inventory().migration(id).cloned();
        let migration = match now {
            Some(migration) => migration,
            None => {
                let stored = self.store.migration(id).await.map_err(|error| store_failed(&error))?;
                stored.ok_or_else(|| unknown_migration(id))?
            }
        };
        let events = self.store.events(id).await.map_err(|error| store_failed(&error))?;
        Ok((migration, events))
    }

    /// The migrations that a filter lets through, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn migrations(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, Problem> {
        let mut migrations = self.store.migrations(filter).await.map_err(|error| store_failed(&error))?;
        // The store has the phase; the figures of those under way are fresher here.
        let inventory = self.inventory();
        for migration in &mut migrations {
            if let Some(now) = inventory.migration(migration.id) {
                migration.clone_from(now);
            }
        }
        Ok(migrations)
    }

    pub(crate) fn inventory(&self) -> MutexGuard<'_, Inventory> {
        lock(&self.inventory)
    }

    fn handles(&self) -> MutexGuard<'_, BTreeMap<MigrationId, Arc<Handle>>> {
        lock(&self.handles)
    }

    /// A migration has ended; there is nobody left to tell anything.
    pub(crate) fn forget(&self, id: MigrationId) {
        self.handles().remove(&id);
    }

    /// libvirt's own final figures of a migration away from some host.
    pub(crate) fn job_completed(&self, vm: VmId, statistics: Statistics) {
        let id = self.inventory().vm(vm).and_then(|vm| vm.migration);
        if let Some(handle) = id.and_then(|id| self.handles().get(&id).cloned()) {
            *lock(&handle.completed) = Some(statistics);
        }
    }
}

fn unknown_migration(id: MigrationId) -> Problem {
    Problem::new(Code::UnknownMigration, format!("There is no migration {id}."))
}

/// The store failed: nothing may be begun that could not be written down.
pub(crate) fn store_failed(error: &StoreError) -> Problem {
    tracing::error!(%error, "the store failed");
    Problem::new(Code::Internal, "vmferry could not write to its store.")
        .with_fix("Look at the console's log: the disk may be full or read-only.")
}
