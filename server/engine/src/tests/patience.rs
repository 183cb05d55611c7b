//! Hosts that do not answer and migrations that stand still: each costs its own time, and no other's.

use std::time::Duration;

use model::{Code, Phase, VmState};
use tokio::time::{sleep, timeout};

use super::*;
use crate::{limits, testing::Fault};

/// Four migrations away from alpha, all under way.
async fn four(bench: &Bench) -> Vec<MigrationId> {
    let mut ids = Vec::new();
    for number in 0..4 {
        let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
        ids.push(bench.start(vm, "beta").await);
    }
    let under_way = |bench: &Bench| {
        let snapshot = bench.engine.snapshot(None);
        snapshot.migrations.iter().filter(|migration| migration.phase >= Phase::CopyingMemory).count() == 4
    };
    bench.until(under_way).await;
    ids
}

/// A VM on gamma that the console has seen.
async fn vm_on_gamma(bench: &Bench, name: &str, load: Load) -> VmId {
    let vm = bench.sim.add_vm(&host("gamma"), name, VmState::Running, load);
    bench.until(|bench| bench.engine.snapshot(None).vms.iter().any(|shown| shown.id == vm)).await;
    vm
}

#[tokio::test(start_paused = true)]
async fn a_dead_source_holds_no_places_at_the_destination() {
    let ways: [fn(&Bench); 3] = [
        |bench| bench.sim.kill(&host("alpha")),
        |bench| bench.sim.cut(&host("alpha")),
        |bench| bench.sim.cut_in_silence(&host("alpha")),
    ];
    for dies in ways {
        let bench = Bench::new().await;
        let ids = four(&bench).await;
        let vm = vm_on_gamma(&bench, "web", IDLE).await;
        dies(&bench);
        let fifth = bench.start(vm, "beta").await;
        assert_eq!(bench.ended(fifth).await.phase, Phase::Succeeded);
        assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
        for id in ids {
            assert!(!bench.engine.migration(id).await.unwrap().0.phase.has_ended(), "it still waits for alpha");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_one_host_takes_no_place_at_the_other() {
    let bench = Bench::new().await;
    four(&bench).await;
    let mut waiting = Vec::new();
    for number in 0..4 {
        let vm = vm_on_gamma(&bench, &format!("waits{number}"), IDLE).await;
        waiting.push(bench.start(vm, "beta").await);
    }
    let vm = vm_on_gamma(&bench, "web", IDLE).await;
    assert_eq!(bench.ended(bench.start(vm, "alpha").await).await.phase, Phase::Succeeded);
    for id in waiting {
        assert_eq!(bench.engine.migration(id).await.unwrap().0.phase, Phase::Queued);
    }
}

/// A migration that has its turn while beta does not answer.
async fn waits_for_beta(bench: &Bench) -> (VmId, MigrationId) {
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let places = Arc::clone(&bench.engine.inventory().host(&host("alpha")).unwrap().outgoing);
    let taken = places.acquire_many(4).await.unwrap();
    let id = bench.start(vm, "beta").await;
    bench.sim.kill(&host("beta"));
    bench.until(|bench| !bench.engine.snapshot(None).hosts[1].is_connected()).await;
    drop(taken);
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].problem.is_some()).await;
    (vm, id)
}

#[tokio::test(start_paused = true)]
async fn a_queued_migration_waits_for_its_hosts_and_says_so() {
    let bench = Bench::new().await;
    let (vm, id) = waits_for_beta(&bench).await;
    let now = bench.engine.migration(id).await.unwrap().0;
    let problem = now.problem.unwrap();
    assert_eq!((now.phase, problem.code), (Phase::Queued, Code::HostUnreachable));
    assert!(problem.sentence.contains("web waits for beta"), "{problem:?}");
    let free = bench.engine.inventory().host(&host("alpha")).unwrap().outgoing.available_permits();
    assert_eq!(free, 4, "it holds no place");
    bench.sim.revive(&host("beta"));
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem), (Phase::Succeeded, None));
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn a_queued_migration_does_not_wait_for_ever() {
    for cancels in [true, false] {
        let bench = Bench::new().await;
        let (vm, id) = waits_for_beta(&bench).await;
        if cancels {
            bench.engine.cancel(id, "admin").await.unwrap();
        }
        let end = bench.ended(id).await;
        let (phase, code) = match cancels {
            true => (Phase::Cancelled, None),
            false => (Phase::Failed, Some(Code::HostUnreachable)),
        };
        assert_eq!((end.phase, end.problem.map(|problem| problem.code)), (phase, code));
        assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_stands_still_says_so_and_is_stopped() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    bench.sim.fail_next(vm, Fault::Stalls);
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].problem.is_some()).await;
    let now = bench.engine.migration(id).await.unwrap().0;
    assert!(!now.phase.has_ended());
    assert!(now.problem.unwrap().sentence.contains("No data of cache moves"));
    let end = bench.ended(id).await;
    let problem = end.problem.unwrap();
    assert_eq!((end.phase, problem.code), (Phase::Failed, Code::TimedOut));
    assert!(problem.sentence.contains("stopped"), "{problem:?}");
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    let told = bench.history(id).await.iter().filter(|text| text.contains("No data of cache moves")).count();
    assert_eq!(told, 1, "once, not with each sample");
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_stands_still_for_a_while_goes_on() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    sleep(2 * limits::NO_PROGRESS).await;
    let now = bench.engine.migration(id).await.unwrap().0;
    assert_eq!((now.phase, now.problem), (Phase::Converging, None), "it sends all the while, though it never ends");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_a_migration_needs_is_tried_every_second() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    bench.sim.cut(&host("alpha"));
    // Long enough for the longest wait of a host that no migration needs.
    sleep(Duration::from_secs(40)).await;
    bench.sim.mend(&host("alpha"));
    let back = bench.until(|bench| bench.engine.snapshot(None).hosts[0].is_connected());
    timeout(Duration::from_secs(2), back).await.expect("it is tried within a second");
}
