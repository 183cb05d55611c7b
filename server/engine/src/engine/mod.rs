//! The engine as the console sees it: composes the parts, and passes each call on to one of them. A file a noun, as in the port.

mod evacuations;
mod hosts;
mod migrations;
#[cfg(test)]
mod parts;
mod store;
mod vms;

use std::sync::Arc;

use ::store::{EngineStore, StoreError};
use model::{HostOrigin, MigrationFilter, Scope, Snapshot, Update};
use tokio::sync::mpsc;

use crate::{
    clock::Clock,
    context::Context,
    details::Details,
    evacuation::Evacuations,
    host_details::AllHostDetails,
    hosts::{Hosts, add_stored, add_unregistered},
    hypervisor::{HostConfig, Hypervisor},
    inventory::{self, Feed, Inventory, RESERVED, Viewer},
    migration::Migrations,
    preflight::Preflights,
    usage::UsageHistory,
};

/// How many migrations of earlier runs pages show at once.
const REMEMBERED: u32 = 50;

/// Moves VMs between hosts.
pub struct Engine {
    context: Arc<Context>,
    hosts: Arc<Hosts>,
    preflights: Arc<Preflights>,
    migrations: Arc<Migrations>,
    evacuations: Arc<Evacuations>,
    details: Details,
    host_details: AllHostDetails,
    usage: Arc<UsageHistory>,
}

impl Engine {
    /// Connects to the hosts, resumes the migrations that an earlier run left open, and looks after ended ones that need it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn start(
        configured: Vec<HostConfig>,
        hypervisor: Arc<dyn Hypervisor>,
        store: Arc<dyn EngineStore>,
    ) -> Result<Arc<Self>, StoreError> {
        let clock = Clock::start();
        let feed = Feed::new(store.reserve_sequence(RESERVED).await?);
        let stored = store.hosts().await?;
        let open = store.open_migrations().await?;
        let ended = store.needing_care().await?;
        let mut inventory = Inventory::new(clock, feed);
        for host in configured {
            inventory.attach(host, HostOrigin::Configured, None, None);
        }
        add_stored(&mut inventory, &stored);
        add_unregistered(&mut inventory, open.iter().chain(&ended));
        inventory.remember(store.migrations(&MigrationFilter::newest(REMEMBERED)).await?);
        inventory.remember(ended.clone());
        for (vm, defaults) in store.policy_defaults().await? {
            inventory.set_policy_defaults(vm, defaults);
        }
        let watches = inventory.watches();
        let context = Context::new(hypervisor, store, clock, inventory);
        let hosts = Hosts::new(Arc::clone(&context));
        let preflights = Arc::new(Preflights::new(Arc::clone(&context)));
        let migrations = Migrations::new(Arc::clone(&context), Arc::clone(&hosts), Arc::clone(&preflights));
        for migration in open {
            migrations.resume(migration);
        }
        for migration in ended {
            migrations.look_after(migration);
        }
        for watch in watches {
            hosts.watch(watch, None);
        }
        context.tasks().spawn(Arc::clone(&hosts).keep_letting_go());
        context.tasks().spawn(store::keep_writing(Arc::clone(&context)));
        let evacuations =
            Evacuations::start(Arc::clone(&context), Arc::clone(&preflights), Arc::clone(&migrations)).await?;
        let details = Details::new(Arc::clone(&context));
        let host_details = AllHostDetails::new(Arc::clone(&context));
        let usage = UsageHistory::new(Arc::clone(&context));
        Ok(Arc::new(Self { context, hosts, preflights, migrations, evacuations, details, host_details, usage }))
    }

    /// Stops watching. Migrations under way go on without the console, and the next start resumes them.
    pub async fn stop(&self) {
        self.context.tasks().stop().await;
    }

    /// Whether every host was tried at least once.
    pub fn is_ready(&self) -> bool {
        self.context.inventory().is_ready()
    }

    /// What is in a scope; none is everything: hosts, VMs, and the current and latest migrations.
    pub fn snapshot(&self, scope: Option<Scope>) -> Snapshot {
        Viewer::new(scope).snapshot(&mut self.context.inventory())
    }

    /// All updates of a scope, see [`Self::snapshot`], from a snapshot on, unless `since` is the number of the latest change.
    pub fn subscribe(&self, since: Option<u64>, scope: Option<Scope>) -> mpsc::Receiver<Update> {
        let (receiver, feeding) = inventory::subscribe(self.context.shared_inventory(), since, scope);
        self.context.tasks().spawn(feeding);
        receiver
    }
}
