//! The stream of updates, from the subscriber's side.

use model::VmState;

use super::*;

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_comes_back_misses_nothing() {
    let bench = Bench::new().await;
    bench.vm("web", VmState::Running, IDLE).await;
    let seen = bench.engine.snapshot().sequence;
    for number in 0..20 {
        bench.vm(&format!("vm{number}"), VmState::Running, IDLE).await;
    }
    let last = bench.engine.snapshot().sequence;
    let mut updates = bench.engine.subscribe(Some(seen));
    for expected in seen + 1..=last {
        assert_eq!(updates.recv().await.unwrap().sequence, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_grow_over_a_restart_and_old_ones_get_a_snapshot() {
    let mut bench = Bench::new().await;
    bench.vm("web", VmState::Running, IDLE).await;
    let seen = bench.engine.snapshot().sequence;
    bench.restart().await;
    let first = bench.engine.subscribe(Some(seen)).recv().await.unwrap();
    assert!(matches!(first.change, Change::Snapshot(_)));
    assert!(first.sequence > seen);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_lags_gets_a_snapshot_and_goes_on() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let mut slow = bench.engine.subscribe(None);
    let id = bench.start(vm, "beta").await;
    // Ten minutes of samples, none of them read.
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    bench.ended(id).await;
    let (mut snapshots, mut last) = (0, 0);
    loop {
        let update = slow.recv().await.unwrap();
        assert!(update.sequence >= last, "never back");
        last = update.sequence;
        let ended = |migration: &Migration| migration.id == id && migration.phase.has_ended();
        match update.change {
            Change::Snapshot(snapshot) => {
                snapshots += 1;
                if snapshot.migrations.iter().any(ended) {
                    break;
                }
            }
            Change::Migration(migration) if ended(&migration) => break,
            _ => {}
        }
    }
    assert_eq!(snapshots, 2, "one to begin with, one for what was missed");
}
