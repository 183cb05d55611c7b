//! Hosts that come and go.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use async_trait::async_trait;
use model::{ConnectionState, VmState};
use tokio::time::{Instant, sleep};

use super::*;
use crate::hypervisor::{Address, HostConnection, HostError, HostEvent, Hypervisor, Probe};

#[tokio::test(start_paused = true)]
async fn a_lost_host_hurts_no_other_and_comes_back() {
    let bench = Bench::new().await;
    let web = bench.vm("web", VmState::Running, IDLE).await;
    let other = bench.sim.add_vm(&host("beta"), "other", VmState::Running, IDLE);
    bench.until(|bench| bench.engine.find("other", None).is_ok()).await;
    bench.sim.kill(&host("alpha"));
    bench
        .until(|bench| matches!(bench.engine.snapshot(None).hosts[0].connection, ConnectionState::Unreachable { .. }))
        .await;
    let shown = bench.engine.find("web", None).unwrap();
    assert_eq!((shown.id, shown.state), (web, VmState::Unknown), "it is still listed, with an unknown state");
    let id = bench.start(other, "gamma").await;
    assert_eq!(bench.ended(id).await.phase, model::Phase::Succeeded);
    bench.sim.revive(&host("alpha"));
    bench.until(|bench| bench.engine.find("web", None).unwrap().state == VmState::Running).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_dies_without_a_word_is_noticed() {
    let bench = Bench::new().await;
    let is_connected = |bench: &Bench| bench.engine.snapshot(None).hosts[0].is_connected();
    bench.until(is_connected).await;
    bench.sim.cut_in_silence(&host("alpha"));
    bench.until(|bench| !is_connected(bench)).await;
    bench.sim.mend(&host("alpha"));
    bench.until(is_connected).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_down_from_the_beginning_does_not_keep_the_console_from_starting() {
    let mut bench = Bench::new().await;
    bench.sim.kill(&host("gamma"));
    bench.restart().await;
    bench.until(|bench| bench.engine.is_ready()).await;
    let snapshot = bench.engine.snapshot(None);
    assert!(snapshot.hosts[0].is_connected() && snapshot.hosts[1].is_connected());
    let ConnectionState::Unreachable { problem, .. } = &snapshot.hosts[2].connection else { panic!("{snapshot:?}") };
    assert!(problem.sentence.contains("gamma"));
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_vanishes_vanishes() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.engine.migrate_to_host(request(vm, "beta"), "admin").await.unwrap();
    bench.until(|bench| bench.engine.snapshot(None).vms[0].host == host("beta")).await;
    assert_eq!(bench.engine.snapshot(None).vms.len(), 1, "an incoming copy is no row of its own");
}

#[tokio::test(start_paused = true)]
async fn hosts_count_their_vms_and_memory() {
    let bench = Bench::new().await;
    bench.vm("web", VmState::Running, IDLE).await;
    bench.vm("off", VmState::ShutOff, IDLE).await;
    let alpha = bench.engine.snapshot(None).hosts.remove(0);
    assert_eq!((alpha.vms, alpha.vms_active), (2, 1));
}

/// Simulated hosts, and when each was tried.
struct Tried {
    sim: Sim,
    times: Mutex<BTreeMap<HostName, Vec<Instant>>>,
}

#[async_trait]
impl Hypervisor for Tried {
    async fn connect(
        &self,
        host: &HostConfig,
        called: &str,
        events: mpsc::UnboundedSender<HostEvent>,
    ) -> Result<Arc<dyn HostConnection>, HostError> {
        self.times.lock().unwrap().entry(host.name.clone()).or_default().push(Instant::now());
        self.sim.connect(host, called, events).await
    }

    async fn probe(&self, address: &Address, port: u16) -> Probe {
        self.sim.probe(address, port).await
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_that_are_lost_together_are_not_tried_together_for_ever() {
    let sim = Sim::new();
    let hosts = ["alpha", "beta"].map(|name| sim.add_host(name));
    hosts.iter().for_each(|host| sim.kill(&host.name));
    let tried = Arc::new(Tried { sim, times: Mutex::default() });
    let engine = Engine::start(hosts.to_vec(), tried.clone(), Arc::new(MemoryStore::default())).await.unwrap();
    sleep(Duration::from_mins(5)).await;
    engine.stop().await;
    let times = tried.times.lock().unwrap();
    let [alpha, beta] = ["alpha", "beta"].map(|name| times[&host(name)].iter().collect::<BTreeSet<_>>());
    assert!(alpha.len() >= 30 && beta.len() >= 30, "at least every 10 s: {times:?}");
    assert!(alpha.intersection(&beta).count() < 15, "{times:?}");
}
