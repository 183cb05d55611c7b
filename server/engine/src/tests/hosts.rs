//! Hosts that come and go.

use model::{ConnectionState, VmState};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_lost_host_hurts_no_other_and_comes_back() {
    let bench = Bench::new().await;
    let web = bench.vm("web", VmState::Running, IDLE).await;
    let other = bench.sim.add_vm(&host("beta"), "other", VmState::Running, IDLE);
    bench.until(|bench| bench.engine.find("other", None).is_ok()).await;
    bench.sim.kill(&host("alpha"));
    bench
        .until(|bench| matches!(bench.engine.snapshot().hosts[0].connection, ConnectionState::Unreachable { .. }))
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
    let is_connected = |bench: &Bench| bench.engine.snapshot().hosts[0].is_connected();
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
    let snapshot = bench.engine.snapshot();
    assert!(snapshot.hosts[0].is_connected() && snapshot.hosts[1].is_connected());
    let ConnectionState::Unreachable { problem, .. } = &snapshot.hosts[2].connection else { panic!("{snapshot:?}") };
    assert!(problem.sentence.contains("gamma"));
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_vanishes_vanishes() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.engine.migrate(request(vm, "beta"), "admin").await.unwrap();
    bench.until(|bench| bench.engine.snapshot().vms[0].host == host("beta")).await;
    assert_eq!(bench.engine.snapshot().vms.len(), 1, "an incoming copy is no row of its own");
}

#[tokio::test(start_paused = true)]
async fn hosts_count_their_vms_and_memory() {
    let bench = Bench::new().await;
    bench.vm("web", VmState::Running, IDLE).await;
    bench.vm("off", VmState::ShutOff, IDLE).await;
    let alpha = bench.engine.snapshot().hosts.remove(0);
    assert_eq!((alpha.vms, alpha.vms_active), (2, 1));
}
