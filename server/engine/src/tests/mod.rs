//! The engine against its simulator, under paused time.

mod agreement;
mod attention;
mod beside;
mod direct;
mod evacuation;
mod feed;
mod hooks;
mod hosts;
mod hosts_elsewhere;
mod hosts_login;
mod hosts_run_time;
mod imports;
mod leftovers;
mod looked_at;
mod lost_driver;
mod migrate;
mod needed_volumes;
mod offline;
mod patience;
mod policies;
mod policy_defaults;
mod post_copy;
mod preflight;
mod proven;
mod recovery;
mod refused;
mod steer;
mod storage;
mod store_outage;
mod switch_over;
mod terminal;
mod twins;
mod two_consoles;
mod untouched;

use std::sync::Arc;

use model::{
    Change, HostName, Migration, MigrationEvent, MigrationFilter, MigrationId, MigrationOptions, MigrationRequest,
    Policy, Update, VmId, VmState,
};
use store::{EngineStore, Hosts, MemoryStore, Migrations};
use tokio::sync::mpsc;

use crate::{
    Engine, Error, HostConfig,
    testing::{Load, Sim},
};

const MIB: u64 = 1 << 20;
const IDLE: Load = Load { memory_bytes: 64 * MIB, dirty_bytes_s: 0 };
const BUSY: Load = Load { memory_bytes: 128 * MIB, dirty_bytes_s: 8 * MIB };
const NEVER: Load = Load { memory_bytes: 256 * MIB, dirty_bytes_s: 64 * MIB };

/// A console over simulated hosts alpha, beta and gamma.
struct Bench {
    sim: Sim,
    store: Arc<MemoryStore>,
    hosts: Vec<HostConfig>,
    engine: Arc<Engine>,
}

impl Bench {
    async fn new() -> Self {
        let sim = Sim::new();
        let hosts: Vec<HostConfig> = ["alpha", "beta", "gamma"].map(|name| sim.add_host(name)).into();
        let store = Arc::new(MemoryStore::default());
        let engine = Self::console(&sim, &store, &hosts).await;
        Self { sim, store, hosts, engine }
    }

    async fn console(sim: &Sim, store: &Arc<MemoryStore>, hosts: &[HostConfig]) -> Arc<Engine> {
        let store: Arc<dyn EngineStore> = store.clone();
        Engine::start(hosts.to_vec(), Arc::new(sim.clone()), store).await.unwrap()
    }

    /// The console dies, and another one starts.
    async fn restart(&mut self) {
        self.engine.stop().await;
        self.engine = Self::console(&self.sim, &self.store, &self.hosts).await;
    }

    /// Adds a VM on alpha, and waits until the console has seen it.
    async fn vm(&self, name: &str, state: VmState, load: Load) -> VmId {
        self.until(|bench| bench.engine.snapshot(None).hosts.iter().all(model::Host::is_connected)).await;
        let vm = self.sim.add_vm(&host("alpha"), name, state, load);
        self.until(|bench| bench.engine.snapshot(None).vms.iter().any(|shown| shown.id == vm)).await;
        vm
    }

    async fn start(&self, vm: VmId, destination: &str) -> MigrationId {
        self.engine.migrate_to_host(request(vm, destination), "admin").await.unwrap().id
    }

    /// Waits until something is so; every update is a chance to look again.
    async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let mut updates = self.engine.subscribe(None, None);
        while !is_so(self) {
            updates.recv().await.expect("the console stopped");
        }
    }

    /// Waits for a migration to end, and returns all its states until then.
    async fn follow(&self, id: MigrationId) -> Vec<Migration> {
        follow(&mut self.engine.subscribe(None, None), id).await
    }

    async fn ended(&self, id: MigrationId) -> Migration {
        self.follow(id).await.pop().unwrap()
    }

    async fn history(&self, id: MigrationId) -> Vec<String> {
        self.store.events(id).await.unwrap().into_iter().map(|event| event.text).collect()
    }
}

async fn follow(updates: &mut mpsc::Receiver<Update>, id: MigrationId) -> Vec<Migration> {
    let mut states: Vec<Migration> = Vec::new();
    loop {
        for change in updates.recv().await.expect("the console stopped").changes {
            let seen = match change {
                Change::Migration(migration) if migration.id == id => Some(*migration),
                Change::Progress(of, progress) if of == id => {
                    let last = states.last().expect("it was told whole before");
                    Some(Migration { progress: *progress, ..last.clone() })
                }
                Change::Snapshot(now) => now.migrations.into_iter().find(|migration| migration.id == id),
                _ => None,
            };
            states.extend(seen);
        }
        if states.last().is_some_and(|last| last.phase.has_ended()) {
            return states;
        }
    }
}

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

/// With a policy that does nothing to finish [`NEVER`]: how that ends is tried in `policies.rs`.
fn request(vm: VmId, destination: &str) -> MigrationRequest {
    MigrationRequest {
        vm,
        destination: host(destination),
        mode: None,
        options: MigrationOptions {
            policy: Some(Policy::Gentle),
            budget_s: Some(604_800),
            ..MigrationOptions::default()
        },
        accept: Vec::new(),
    }
}
