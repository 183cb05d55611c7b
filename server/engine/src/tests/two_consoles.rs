//! Two consoles with stores of their own over the same hosts: who comes too late says so, and never counts another's move as its own.

use std::time::Duration;

use model::{Phase, VmState};
use tokio::time::sleep;

use super::*;

/// Another console over the same hosts.
async fn another(bench: &Bench) -> Bench {
    let store = Arc::new(MemoryStore::default());
    let engine = Bench::console(&bench.sim, &store, &bench.hosts).await;
    Bench { sim: bench.sim.clone(), store, hosts: bench.hosts.clone(), engine }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_another_console_moves_at_the_same_moment() {
    for to in ["gamma", "beta"] {
        let first = Bench::new().await;
        let second = another(&first).await;
        let vm = first.vm("web", VmState::Running, BUSY).await;
        second.until(|bench| bench.engine.snapshot(None).vms.iter().any(|shown| shown.id == vm)).await;
        let (mine, others) = tokio::join!(first.start(vm, "beta"), second.start(vm, to));
        let mut updates = second.engine.subscribe(None, None);
        let (end, lost) = tokio::join!(first.ended(mine), follow(&mut updates, others));
        let lost = lost.last().unwrap();
        let ends = [(end, host("beta")), (lost.clone(), host(to))];
        let [at] = &first.sim.runs_on(vm)[..] else { panic!("{:?}", first.sim.runs_on(vm)) };
        let winners: Vec<_> = ends.iter().filter(|(end, _)| end.phase == Phase::Succeeded).collect();
        let losers: Vec<_> = ends.iter().filter(|(end, _)| end.phase == Phase::MovedElsewhere).collect();
        assert_eq!((winners.len(), losers.len()), (1, 1), "{ends:?}");
        assert_eq!(winners[0].1, *at);
        let sentence = &losers[0].0.problem.as_ref().unwrap().sentence;
        assert!(sentence.starts_with(&format!("web is on {at}: another console")), "{sentence}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_another_program_is_named_and_can_be_given_up() {
    let bench = Bench::new().await;
    let mut ahead = Vec::new();
    for number in 0..4 {
        let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
        ahead.push(bench.start(vm, "beta").await);
    }
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let waits = bench.start(vm, "beta").await;
    bench.sim.migrate_behind_everybodys_back(vm, &host("alpha"), &bench.hosts[2]);
    sleep(Duration::from_secs(1)).await;
    bench.engine.cancel(ahead[0], "admin").await.unwrap();
    sleep(Duration::from_secs(30)).await;
    let (now, _) = bench.engine.migration(waits).await.unwrap();
    assert!(!now.phase.has_ended(), "{now:?}");
    assert!(now.problem.unwrap().sentence.contains("Another console or program moves cache"), "it is named");
    bench.engine.cancel(waits, "admin").await.unwrap();
    let end = bench.ended(waits).await;
    assert_eq!(end.phase, Phase::Failed);
    assert!(end.problem.as_ref().unwrap().sentence.contains("migrated by another program"), "{:?}", end.problem);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_for_minutes_is_named_and_the_migration_goes_on() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.phase(id) == Phase::Converging).await;
    bench.sim.kill(&host("alpha"));
    for seconds in [8, 60, 5 * 60] {
        sleep(Duration::from_secs(seconds)).await;
        let (now, _) = bench.engine.migration(id).await.unwrap();
        assert!(!now.phase.has_ended(), "{now:?}");
        assert!(now.problem.unwrap().sentence.contains("alpha does not answer"));
    }
    bench.sim.revive(&host("alpha"));
    assert_eq!(bench.ended(id).await.phase, Phase::Failed);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}
