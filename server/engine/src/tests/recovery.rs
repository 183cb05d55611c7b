//! Consoles and daemons that die.

use std::time::Duration;

use model::{Code, Phase, VmState};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_restarted_console_goes_on_with_a_running_migration() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("db", VmState::Running, BUSY).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    bench.restart().await;
    let states = bench.follow(id).await;
    assert!(states.iter().any(|state| state.phase == Phase::Converging), "it is watched again");
    assert_eq!(states.last().unwrap().phase, Phase::Succeeded);
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_ended_meanwhile_is_finalized() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    bench.engine.stop().await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.restart().await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_failed_meanwhile_is_finalized() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    bench.engine.stop().await;
    bench.sim.kill(&host("beta"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    bench.sim.revive(&host("beta"));
    bench.restart().await;
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem.unwrap().code), (Phase::Failed, Code::ReasonLost));
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_restarted_console_can_cancel() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    bench.restart().await;
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Cancelled);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_killed_destination_that_comes_back_is_asked() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    bench.sim.kill(&host("beta"));
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert!(!bench.engine.migration(id).await.unwrap().0.phase.has_ended(), "no verdict without both hosts");
    bench.sim.revive(&host("beta"));
    assert_eq!(bench.ended(id).await.phase, Phase::Failed);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_killed_source_that_comes_back_is_asked() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    bench.sim.kill(&host("alpha"));
    tokio::time::sleep(Duration::from_secs(15)).await;
    bench.sim.revive(&host("alpha"));
    assert_eq!(bench.ended(id).await.phase, Phase::Failed);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_stays_away_leaves_it_to_a_person() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    bench.sim.kill(&host("beta"));
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem.unwrap().code), (Phase::NeedsAttention, Code::NeedsAttention));
    assert_eq!(bench.start(vm, "gamma").await, bench.engine.snapshot(None).migrations[0].id, "it can go elsewhere");
}

#[tokio::test(start_paused = true)]
async fn a_migration_that_only_waited_is_not_begun_by_a_restart() {
    let mut bench = Bench::new().await;
    for number in 0..4 {
        let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
        bench.start(vm, "beta").await;
    }
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let waits = bench.start(vm, "beta").await;
    bench.restart().await;
    let problem = bench.ended(waits).await.problem.unwrap();
    assert!(problem.sentence.contains("before it began"), "{problem:?}");
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn what_another_program_moved_while_it_waited_is_not_our_success() {
    for restarts in [true, false] {
        let mut bench = Bench::new().await;
        let mut ahead = Vec::new();
        for number in 0..4 {
            let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
            ahead.push(bench.start(vm, "beta").await);
        }
        let vm = bench.vm("web", VmState::Running, BUSY).await;
        let waits = bench.start(vm, "beta").await;
        if restarts {
            bench.engine.stop().await;
        }
        bench.sim.migrate_behind_everybodys_back(vm, &host("alpha"), &bench.hosts[1]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        match restarts {
            true => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
                bench.restart().await;
            }
            false => drop(bench.engine.cancel(ahead[0], "admin").await.unwrap()),
        }
        let end = bench.ended(waits).await;
        assert_eq!(end.phase, Phase::MovedElsewhere);
        assert!(end.problem.as_ref().unwrap().sentence.contains("is on beta: another console"), "{:?}", end.problem);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_out_of_reach_for_minutes_is_watched_again_when_it_is_back() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    bench.sim.cut(&host("alpha"));
    tokio::time::sleep(Duration::from_secs(300)).await;
    bench.sim.mend(&host("alpha"));
    bench.until(|bench| bench.engine.snapshot(None).hosts[0].is_connected()).await;
    tokio::time::sleep(Duration::from_secs(300)).await;
    let (now, _) = bench.engine.migration(id).await.unwrap();
    assert!(!now.phase.has_ended(), "it still runs: {:?}", now.problem);
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Cancelled);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}
