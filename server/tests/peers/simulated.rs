//! Two of Kimchi's cases need a host with another architecture or hypervisor: here the real HTTP routes and console run over the
//! engine's simulator. (Kimchi's tests mock the remote host, too.)

use std::{net::TcpListener, path::PathBuf, sync::Arc};

use engine::{
    Engine, MachineFit,
    testing::{Load, Sim},
};
use libvirt::SshFiles;
use model::VmState;
use reqwest::StatusCode;
use serde_json::json;
use store::SqliteStore;
use tokio_util::sync::CancellationToken;
use vmferry::{
    auth::{Auth, HashCost, SessionLimits},
    console::{Allowed, ServerConsole},
    http::{Doors, Site, router},
    server,
};

use crate::{
    is_blocked_by, refused,
    support::{Api, PASSWORD},
};

/// An idle VM.
const IDLE: Load = Load { memory_bytes: 64 << 20, dirty_bytes_s: 0 };

/// The VM wants KVM, and the destination has another hypervisor.
#[tokio::test]
async fn test_vm_migrate_fails_different_remote_hypervisor() {
    is_refused("hypervisor", "x86_64", "kvm").await;
}

#[tokio::test]
async fn test_vm_migrate_fails_different_remote_arch() {
    is_refused("arch", "aarch64", "qemu").await;
}

async fn is_refused(test: &str, arch: &'static str, hypervisor: &'static str) {
    let sim = Sim::new();
    let (alpha, beta) = (sim.add_host("alpha"), sim.add_host("beta"));
    let vm = sim.add_vm(&alpha.name, "vm", VmState::Running, IDLE);
    sim.shape_vm(vm, move |domain| {
        domain.arch = arch.to_owned();
        domain.virt_type = hypervisor.to_owned();
    });
    sim.shape_host(&beta.name, |survey| survey.machine = MachineFit::NoArchitecture);
    let console = Console::start(test, &sim, vec![alpha.clone(), beta]).await;
    let mut stream = console.api.stream().await;
    stream.until_host("beta", model::Host::is_connected).await;
    stream.until_vm("vm", |vm| vm.state == VmState::Running).await;
    let refusal = refused(&console.api, "vm", json!({"remote_host": "beta"}), StatusCode::CONFLICT).await;
    assert!(is_blocked_by(&refusal, "architecture"), "{refusal}");
    assert_eq!(sim.runs_on(vm), [alpha.name]);
}

/// A console over simulated hosts, in this process.
struct Console {
    api: Api,
    stop: CancellationToken,
    directory: PathBuf,
}

impl Console {
    async fn start(test: &str, sim: &Sim, hosts: Vec<engine::HostConfig>) -> Self {
        let directory = std::env::temp_dir().join(format!("vmferry-peers-{test}-{}", std::process::id()));
        let store = Arc::new(SqliteStore::open(&directory).await.expect("there is room for a database"));
        let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
        auth.add_user("admin", PASSWORD.to_owned()).await.expect("a user can be added");
        let engine = Engine::start(hosts, Arc::new(sim.clone()), store.clone()).await.expect("it starts");
        let stop = CancellationToken::new();
        let doors = Doors {
            console: Arc::new(ServerConsole::new(
                engine,
                auth.clone(),
                store,
                SshFiles::below(&directory).into(),
                Allowed::default(),
            )),
            auth,
            site: Site::default(),
            ready: Arc::new(|| true),
            stop: stop.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let base = format!("http://{}", listener.local_addr().expect("it is bound"));
        tokio::spawn(server::serve(listener, None, router(doors), None, stop.clone()));
        Self { api: Api::login(&base).await, stop, directory }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.stop.cancel();
        // If this fails, a directory is left in /tmp.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
