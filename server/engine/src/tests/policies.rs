//! Policies: every guest arrives, or its migration says why not; and what users ask for while it runs.

use std::time::Duration;

use model::{Acted, Code, ControlFlow, Migration, MigrationOptions, Phase, Policy, Steering};

use super::*;

/// The simulator's hosts carry 32 MiB/s in these tests: half of what [`NEVER`] writes.
fn with(policy: Policy) -> MigrationOptions {
    MigrationOptions { bandwidth_mib_s: Some(32), policy: Some(policy), ..MigrationOptions::default() }
}

async fn start(bench: &Bench, vm: VmId, options: MigrationOptions) -> MigrationId {
    let request = MigrationRequest { options, ..request(vm, "beta") };
    bench.engine.migrate_to_host(request, "admin").await.unwrap().id
}

fn acts(migration: &Migration) -> Vec<Acted> {
    migration.acts.iter().map(|act| act.what).collect()
}

/// Waits until the migration is in its second pass at least.
async fn converging(bench: &Bench, id: MigrationId) {
    bench
        .until(|bench| {
            bench.engine.snapshot(None).migrations.iter().any(|one| one.id == id && one.phase == Phase::Converging)
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn balanced_slows_a_guest_that_writes_too_fast_and_finishes() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let states =
        bench.follow(start(&bench, vm, MigrationOptions { policy: None, ..with(Policy::Balanced) }).await).await;
    let end = states.last().unwrap();
    assert_eq!((end.phase, end.policy, end.slows_guest), (Phase::Succeeded, Policy::Balanced, true));
    assert!(acts(end).iter().any(|act| matches!(act, Acted::Slowed { percent: 60.. })), "{:?}", acts(end));
    assert!(end.pause_limit_ms.is_none_or(|ms| ms <= 1_000));
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
    assert!(states.iter().map(|state| state.progress.percent).is_sorted());
}

#[tokio::test(start_paused = true)]
async fn balanced_prefers_a_longer_pause_where_that_suffices() {
    let bench = Bench::new().await;
    // What it writes fits into a pause of 750 ms, and it writes it again with each pass.
    let load = Load { memory_bytes: 24 * MIB, dirty_bytes_s: 64 * MIB };
    let vm = bench.vm("small", VmState::Running, load).await;
    let end = bench.ended(start(&bench, vm, with(Policy::Balanced)).await).await;
    assert_eq!(end.phase, Phase::Succeeded);
    assert!(matches!(acts(&end)[..], [Acted::Pause { ms: 300..=1_000 }]), "{:?}", acts(&end));
    let history = bench.history(end.id).await;
    assert!(history.iter().any(|text| text.contains("balanced allows a pause of")), "{history:?}");
}

#[tokio::test(start_paused = true)]
async fn gentle_gives_up_within_its_budget_and_the_vm_stays() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let options = MigrationOptions { budget_s: Some(60), ..with(Policy::Gentle) };
    let end = bench.ended(start(&bench, vm, options).await).await;
    assert_eq!((end.phase, end.slows_guest), (Phase::Failed, false));
    let problem = end.problem.clone().unwrap();
    assert!(problem.sentence.contains("cache writes too fast"), "{}", problem.sentence);
    assert_eq!(acts(&end), [Acted::GaveUp]);
    assert!((60_000..80_000).contains(&end.outcome.unwrap().total_ms), "{:?}", end.outcome);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    assert_eq!(bench.sim.copy(&host("beta"), vm), None);
}

#[tokio::test(start_paused = true)]
async fn the_queue_does_not_count_against_the_budget() {
    let bench = Bench::new().await;
    let mut moves = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        let vm = bench.vm(name, VmState::Running, NEVER).await;
        let options = MigrationOptions { budget_s: Some(60), ..with(Policy::Gentle) };
        moves.push(start(&bench, vm, options).await);
    }
    let mut waited = Vec::new();
    for id in moves {
        let Migration { waited_ms, outcome, .. } = bench.ended(id).await;
        let took = outcome.unwrap().total_ms - waited_ms;
        assert!((60_000..80_000).contains(&took), "{took}");
        waited.push(waited_ms);
    }
    assert!(waited.iter().filter(|ms| **ms > 60_000).count() == 1, "one of five waits: {waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_longer_pause_finishes_what_gentle_would_not() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = start(&bench, vm, with(Policy::Gentle)).await;
    converging(&bench, id).await;
    bench.engine.steer(id, Steering::LongestPause { ms: 9_000 }, "eve").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!((end.phase, acts(&end)), (Phase::Succeeded, vec![Acted::Pause { ms: 9_000 }]));
    assert_eq!(end.acts[0].by.as_deref(), Some("eve"));
    assert!(bench.history(id).await.contains(&"eve asked to allow a pause of 9.0 s.".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn certain_switches_to_post_copy_after_the_first_pass() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let states = bench.follow(start(&bench, vm, with(Policy::Certain)).await).await;
    let end = states.last().unwrap();
    assert_eq!((end.phase, end.post_copy), (Phase::Succeeded, true));
    assert_eq!(acts(end), [Acted::PostCopy]);
    assert!(states.iter().any(|state| state.phase == Phase::PostCopy));
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn certain_finishes_without_post_copy_too() {
    let bench = Bench::new().await;
    bench.sim.can_not_post_copy();
    // Slowed to a hundredth it still writes more than a pause of 1 s carries.
    let load = Load { memory_bytes: 256 * MIB, dirty_bytes_s: 8_000 * MIB };
    let vm = bench.vm("torrent", VmState::Running, load).await;
    let end = bench.ended(start(&bench, vm, with(Policy::Certain)).await).await;
    assert_eq!((end.phase, end.post_copy), (Phase::Succeeded, false));
    assert!(acts(&end).contains(&Acted::GuestPaused), "{:?}", acts(&end));
    let history = bench.history(end.id).await;
    assert!(
        history.iter().any(|text| text.starts_with("Post-copy is not possible between these hosts")),
        "{history:?}"
    );
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn a_guest_can_be_slowed_later_by_beginning_again() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = start(&bench, vm, with(Policy::Gentle)).await;
    converging(&bench, id).await;
    bench.engine.steer(id, Steering::SlowGuest, "eve").await.unwrap();
    let states = bench.follow(id).await;
    let end = states.last().unwrap();
    assert_eq!((end.phase, end.slows_guest), (Phase::Succeeded, true));
    assert_eq!(acts(end)[0], Acted::BegunAgain);
    assert!(states.iter().map(|state| state.progress.percent).is_sorted(), "the bar never goes back");
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn post_copy_can_be_chosen_later_by_beginning_again() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = start(&bench, vm, with(Policy::Gentle)).await;
    converging(&bench, id).await;
    bench.engine.steer(id, Steering::PostCopy, "eve").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!((end.phase, acts(&end)), (Phase::Succeeded, vec![Acted::BegunAgain, Acted::PostCopy]));
}

#[tokio::test(start_paused = true)]
async fn bandwidth_a_pause_of_the_guest_and_the_policy_are_changed_while_it_runs() {
    let bench = Bench::new().await;
    for (name, steering, what) in [
        ("a", Steering::Bandwidth { mib_s: 900 }, Acted::Bandwidth { mib_s: 900 }),
        ("b", Steering::PauseGuest, Acted::GuestPaused),
        ("c", Steering::Policy { policy: Policy::Balanced }, Acted::Policy { policy: Policy::Balanced }),
    ] {
        let vm = bench.vm(name, VmState::Running, NEVER).await;
        let options = MigrationOptions { longest_pause_ms: Some(9_000), ..with(Policy::Gentle) };
        let options = if name == "c" { options } else { with(Policy::Gentle) };
        let id = start(&bench, vm, options).await;
        converging(&bench, id).await;
        bench.engine.steer(id, steering, "eve").await.unwrap();
        let end = bench.ended(id).await;
        assert_eq!(end.phase, Phase::Succeeded, "{steering:?}");
        assert!(acts(&end).contains(&what), "{:?}", acts(&end));
        assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_possible_is_refused_with_the_reason() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = start(&bench, vm, with(Policy::Balanced)).await;
    converging(&bench, id).await;
    let refused = |steering| bench.engine.steer(id, steering, "eve");
    assert_eq!(refused(Steering::SlowGuest).await.unwrap_err().code(), Code::WrongState, "QEMU does it already");
    bench.engine.cancel(id, "eve").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!(end.phase, Phase::Cancelled);
    assert_eq!(refused(Steering::PauseGuest).await.unwrap_err().code(), Code::AlreadyEnded);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_wins_over_beginning_again() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = start(&bench, vm, with(Policy::Gentle)).await;
    converging(&bench, id).await;
    bench.engine.steer(id, Steering::SlowGuest, "eve").await.unwrap();
    bench.engine.cancel(id, "eve").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Cancelled);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_was_paused_to_finish_goes_on_if_that_fails() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = start(&bench, vm, with(Policy::Gentle)).await;
    converging(&bench, id).await;
    bench.engine.steer(id, Steering::PauseGuest, "eve").await.unwrap();
    bench.until(|bench| bench.engine.snapshot(None).migrations.iter().any(|one| !one.acts.is_empty())).await;
    bench.engine.cancel(id, "eve").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Cancelled);
    assert_eq!(bench.sim.copy(&host("alpha"), vm).unwrap().state, VmState::Running);
}

#[tokio::test(start_paused = true)]
async fn what_was_measured_is_kept() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = start(&bench, vm, with(Policy::Balanced)).await;
    converging(&bench, id).await;
    let during = bench.engine.trace(id).await.unwrap();
    assert!(during.len() > 10 && during.is_sorted_by_key(|point| point.elapsed_ms));
    bench.ended(id).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.restart().await;
    let kept = bench.engine.trace(id).await.unwrap();
    assert!(kept.len() >= during.len() && kept.iter().any(|point| point.pass > 1 && point.dirty_bytes_s > 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_allowed_holds_after_beginning_again() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = start(&bench, vm, with(Policy::Gentle)).await;
    converging(&bench, id).await;
    bench.engine.steer(id, Steering::SlowGuest, "eve").await.unwrap();
    bench.engine.steer(id, Steering::LongestPause { ms: 700 }, "eve").await.unwrap();
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].acts.len() >= 3).await;
    assert_eq!(bench.sim.pause_limit_ms(&host("alpha"), vm), Some(620), "of the second job: 80 ms go with every pause");
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_pause_shorter_than_qemus_own_is_observed() {
    let bench = Bench::new().await;
    let vm = bench.vm("db", VmState::Running, BUSY).await;
    let options = MigrationOptions { longest_pause_ms: Some(80), ..with(Policy::Gentle) };
    let id = start(&bench, vm, options).await;
    converging(&bench, id).await;
    assert_eq!(bench.sim.pause_limit_ms(&host("alpha"), vm), Some(40));
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.pause_limit_ms), (Phase::Succeeded, Some(80)));
}

#[tokio::test(start_paused = true)]
async fn post_copy_does_not_depend_on_the_console() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let options = MigrationOptions { control_flow: Some(ControlFlow::Direct), ..with(Policy::Certain) };
    let id = start(&bench, vm, options).await;
    converging(&bench, id).await;
    let refused = bench.engine.steer(id, Steering::PostCopy, "eve").await.unwrap_err();
    assert_eq!(refused.code(), Code::WrongState);
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.post_copy), (Phase::Succeeded, false));
    assert!(!acts(&end).contains(&Acted::PostCopy), "{:?}", acts(&end));
}
