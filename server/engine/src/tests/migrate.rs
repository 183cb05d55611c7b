//! Migrations that run, and how they end.

use std::time::Duration;

use model::{Code, Convergence, MigrationOptions, MigrationRequest, Mode, Phase, VmState};

use super::*;
use crate::{StateReason, testing::Fault};

#[tokio::test(start_paused = true)]
async fn an_idle_vm_moves() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let states = bench.follow(bench.start(vm, "beta").await).await;
    let end = states.last().unwrap();
    assert_eq!((end.phase, end.problem.as_ref()), (Phase::Succeeded, None));
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
    assert_eq!(bench.sim.copy(&host("alpha"), vm), None, "the source forgets it");
    let outcome = end.outcome.unwrap();
    assert_eq!((outcome.bytes, outcome.downtime_ms), (64 * MIB, Some(50)));
    assert_eq!(end.progress.percent, 100.0);
    let shown = bench.engine.find("web", None).unwrap();
    assert_eq!((shown.host, shown.migration), (host("beta"), None));
}

#[tokio::test(start_paused = true)]
async fn the_bar_moves_and_never_goes_back() {
    let bench = Bench::new().await;
    let vm = bench.vm("db", VmState::Running, BUSY).await;
    let states = bench.follow(bench.start(vm, "beta").await).await;
    let percents: Vec<f64> = states.iter().map(|state| state.progress.percent).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert!(percents.iter().filter(|percent| (1.0..99.0).contains(*percent)).count() >= 5, "{percents:?}");
    assert!(states.iter().all(|state| state.progress.percent < 100.0 || state.phase == Phase::Succeeded));
    assert!(states.is_sorted_by_key(|state| state.phase), "phases come in order");
    assert!(states.iter().any(|state| state.phase == Phase::Converging));
}

#[tokio::test(start_paused = true)]
async fn one_that_never_converges_is_named_and_can_be_cancelled() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let mut updates = bench.engine.subscribe(None, None);
    let id = bench.start(vm, "beta").await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    let (now, _) = bench.engine.migration(id).await.unwrap();
    assert!(matches!(now.progress.convergence, Convergence::NotConverging { .. }));
    assert!(model::text::convergence(&now).unwrap().contains("64 MiB/s"));
    assert!(bench.engine.cancel(id, "eve").await.unwrap().cancel_requested);
    let end = follow(&mut updates, id).await.pop().unwrap();
    assert_eq!((end.phase, end.problem), (Phase::Cancelled, None));
    assert!(end.progress.percent < 99.0, "a cancelled bar stays where it was");
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    assert_eq!(bench.sim.copy(&host("beta"), vm), None);
    assert!(bench.history(id).await.contains(&"eve asked to cancel.".to_owned()));
    assert_eq!(bench.engine.cancel(id, "eve").await.unwrap_err().code(), Code::AlreadyEnded);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_at_once_holds() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Cancelled);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_vm_arrives_paused() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Paused, IDLE).await;
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!((end.phase, end.mode), (Phase::Succeeded, Mode::Live));
    assert_eq!(bench.sim.copy(&host("beta"), vm).unwrap().state, VmState::Paused);
}

#[tokio::test(start_paused = true)]
async fn a_shut_off_vm_moves_its_definition() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::ShutOff, IDLE).await;
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!((end.phase, end.mode), (Phase::Succeeded, Mode::Offline));
    assert_eq!(bench.sim.copy(&host("alpha"), vm), None);
    assert_eq!(bench.sim.copy(&host("beta"), vm).unwrap().state, VmState::ShutOff);
}

/// An end is in the store a moment before it is shown.
#[tokio::test(start_paused = true)]
async fn at_every_moment_a_migration_is_listed_as_open_or_as_ended() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    let (now, _) = bench.engine.migration(id).await.unwrap();
    let listed = async |phase| {
        let filter = MigrationFilter { phases: Some(vec![phase]), ..MigrationFilter::newest(10) };
        bench.engine.migrations(&filter).await.unwrap().len()
    };
    assert_eq!((listed(Phase::CopyingMemory).await, listed(Phase::Failed).await), (1, 0));
    let ended = Migration { phase: Phase::Failed, ..now };
    let event = MigrationEvent { at_ms: 0, phase: Phase::Failed, text: String::new() };
    bench.store.update_migration(&ended, &[event]).await.unwrap();
    assert_eq!((listed(Phase::CopyingMemory).await, listed(Phase::Failed).await), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn the_definition_can_be_kept_and_the_vm_can_come_back() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let options = MigrationOptions { keep_source_definition: true, ..MigrationOptions::default() };
    let kept = MigrationRequest { options, ..request(vm, "beta") };
    let id = bench.engine.migrate_to_host(kept, "admin").await.unwrap().id;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.copy(&host("alpha"), vm).unwrap().state, VmState::ShutOff);
    let shown = bench.engine.find("web", None).unwrap();
    assert_eq!((shown.host, shown.other_copies.len()), (host("beta"), 1));
    assert_eq!(bench.ended(bench.start(vm, "alpha").await).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_libvirt_leaves_the_vm_where_it_is() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::Refused("Unsafe migration".into()));
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!(end.phase, Phase::Failed);
    assert_eq!(end.problem.unwrap().details.unwrap(), "Unsafe migration");
    assert!(end.progress.percent < 99.0);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    assert_eq!(bench.ended(bench.start(vm, "beta").await).await.phase, Phase::Succeeded, "a second try works");
}

#[tokio::test(start_paused = true)]
async fn a_false_success_is_not_believed() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::FalseSuccess);
    assert_eq!(bench.ended(bench.start(vm, "beta").await).await.phase, Phase::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_false_failure_is_not_believed() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::ResultLost);
    assert_eq!(bench.ended(bench.start(vm, "beta").await).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn two_running_copies_need_attention_and_nothing_is_touched() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::RunsTwice);
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!(end.phase, Phase::NeedsAttention);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha"), host("beta")]);
    assert!(bench.engine.find("web", None).unwrap().runs_twice());
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_shuts_down_meanwhile_was_not_moved() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::Ends(StateReason::Shutdown));
    let end = bench.ended(bench.start(vm, "beta").await).await;
    let problem = end.problem.unwrap();
    assert_eq!(
        (end.phase, problem.sentence.as_str()),
        (Phase::Failed, "web was shut down on alpha while it was being moved, and is off there.")
    );
    assert_eq!(problem.details.as_deref(), Some("domain is not running"));
    assert!(bench.sim.runs_on(vm).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_fifth_migration_waits_and_can_be_cancelled_while_it_does() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
        ids.push(bench.start(vm, "beta").await);
    }
    bench.until(|bench| bench.phase(ids[3]) >= Phase::CopyingMemory).await;
    assert_eq!(bench.phase(ids[4]), Phase::Queued);
    bench.engine.cancel(ids[4], "admin").await.unwrap();
    assert_eq!(bench.ended(ids[4]).await.phase, Phase::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_shut_off_while_it_waits_is_not_touched() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for number in 0..4 {
        let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
        ids.push(bench.start(vm, "beta").await);
    }
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let waits = bench.start(vm, "beta").await;
    let mut off = bench.sim.copy(&host("alpha"), vm).unwrap();
    off.state = VmState::ShutOff;
    bench.sim.put(&host("alpha"), off);
    bench.engine.cancel(ids[0], "admin").await.unwrap();
    let end = bench.ended(waits).await;
    assert_eq!((end.phase, end.problem.unwrap().code), (Phase::Failed, Code::WrongState));
}

#[tokio::test(start_paused = true)]
async fn who_asks_and_leaves_leaves_nothing_half_begun() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let locked = bench.store.hold_inserts().await;
    let asked = bench.engine.migrate_to_host(request(vm, "beta"), "admin");
    assert!(tokio::time::timeout(Duration::from_secs(1), asked).await.is_err(), "the caller gives up");
    drop(locked);
    bench
        .until(|bench| bench.engine.snapshot(None).migrations.iter().any(|migration| migration.phase.has_ended()))
        .await;
    assert_eq!(bench.sim.runs_on(vm), [host("beta")], "what was begun goes on");
}

#[tokio::test(start_paused = true)]
async fn an_end_is_shown_only_when_it_is_written_down() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.phase(id) == Phase::CopyingMemory).await;
    bench.store.set_broken(true);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.phase(id), Phase::Verifying);
    bench.store.set_broken(false);
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.ended(bench.start(vm, "alpha").await).await.phase, Phase::Succeeded, "the VM is free again");
}

impl Bench {
    pub(super) fn phase(&self, id: MigrationId) -> Phase {
        let snapshot = self.engine.snapshot(None);
        snapshot.migrations.iter().find(|migration| migration.id == id).map(|migration| migration.phase).unwrap()
    }
}
