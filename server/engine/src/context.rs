//! What every part of the engine works with: the hypervisor, the store, the clock, the inventory, tasks and commands.
//!
//! The folders take this instead of `Engine`, which composes them.

use std::sync::{Arc, Mutex, MutexGuard};

use store::EngineStore;

use crate::{
    clock::Clock,
    commands::Commands,
    hypervisor::{HostConfig, HostError, Hypervisor, Opened},
    inventory::Inventory,
    lock::lock,
    records::Records,
    tasks::Tasks,
    traces::Traces,
};

/// Shared by all parts of one engine.
pub(crate) struct Context {
    hypervisor: Arc<dyn Hypervisor>,
    store: Arc<dyn EngineStore>,
    records: Records,
    clock: Clock,
    inventory: Arc<Mutex<Inventory>>,
    tasks: Tasks,
    commands: Commands,
    traces: Traces,
}

impl Context {
    pub(crate) fn new(
        hypervisor: Arc<dyn Hypervisor>,
        store: Arc<dyn EngineStore>,
        clock: Clock,
        inventory: Inventory,
    ) -> Arc<Self> {
        let inventory = Arc::new(Mutex::new(inventory));
        Arc::new(Self {
            hypervisor,
            records: Records::new(Arc::clone(&store)),
            store,
            clock,
            inventory,
            tasks: Tasks::default(),
            commands: Commands::default(),
            traces: Traces::default(),
        })
    }

    pub(crate) fn hypervisor(&self) -> &dyn Hypervisor {
        &*self.hypervisor
    }

    pub(crate) fn store(&self) -> &dyn EngineStore {
        &*self.store
    }

    /// The records of migrations, which are written through this only.
    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// Now, in ms since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub(crate) fn commands(&self) -> &Commands {
        &self.commands
    }

    /// What was measured of migrations that run.
    pub(crate) fn traces(&self) -> &Traces {
        &self.traces
    }

    /// Locks the inventory. Never held over an await.
    pub(crate) fn inventory(&self) -> MutexGuard<'_, Inventory> {
        lock(&self.inventory)
    }

    /// The inventory, for a task that outlives its caller.
    pub(crate) fn shared_inventory(&self) -> Arc<Mutex<Inventory>> {
        Arc::clone(&self.inventory)
    }

    /// Connects to a host, once, and asks what it is and has. Errors call it as `called` says.
    ///
    /// # Errors
    /// Why it can't be reached.
    pub(crate) async fn open(&self, config: &HostConfig, called: &str) -> Result<Opened, HostError> {
        Opened::connect(self.hypervisor(), config, called).await
    }
}
