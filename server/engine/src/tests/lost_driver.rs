//! Consoles that die while they drive a migration: afterwards one copy of the VM runs, and none is paused for ever.

use std::{collections::BTreeSet, time::Duration};

use model::{Code, ControlFlow, MigrationOptions, Phase, VmState};
use tokio::time::sleep;

use super::{direct::by, *};
use crate::{CopyFacts, HostCredentials};

/// Moments of a migration that takes 2 s, in ms, and more of them where it switches over.
fn moments() -> impl Iterator<Item = u64> {
    (0..1_600).step_by(200).chain((1_600..2_100).step_by(20))
}

/// What was done at the source, in words of the history.
const RESUMED: &str = "it goes on there";
const DROPPED: &str = "was turned off";

#[tokio::test(start_paused = true)]
async fn a_console_that_dies_leaves_one_copy_that_runs() {
    let mut done = BTreeSet::new();
    for after in moments() {
        let mut bench = Bench::new().await;
        let vm = bench.vm("web", VmState::Running, IDLE).await;
        let id = bench.start_with(vm, by(ControlFlow::Direct)).await;
        sleep(Duration::from_millis(after)).await;
        bench.restart().await;
        let end = bench.ended(id).await;
        let at = bench.runs_only_on(vm, &["alpha", "beta"]);
        let expected = if at == host("alpha") { Phase::Failed } else { Phase::Succeeded };
        assert_eq!(end.phase, expected, "after {after} ms: {end:?}");
        let history = bench.history(id).await;
        done.extend([RESUMED, DROPPED].into_iter().filter(|words| history.iter().any(|text| text.contains(words))));
        if let Some(problem) = end.problem {
            assert!(problem.sentence.contains("console"), "{problem:?}");
        }
        let again = if at == host("alpha") { "beta" } else { "alpha" };
        bench.until(|bench| bench.engine.find("web", None).is_ok_and(|vm| vm.migration.is_none())).await;
        assert_eq!(bench.ended(bench.start(vm, again).await).await.phase, Phase::Succeeded);
    }
    assert_eq!(done, BTreeSet::from([DROPPED, RESUMED]), "both happened");
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_was_left_paused_waits_for_a_destination_that_does_not_answer() {
    let mut waited = 0;
    for after in moments() {
        for minutes in [0, 2] {
            let mut bench = Bench::new().await;
            let vm = bench.vm("web", VmState::Running, IDLE).await;
            let id = bench.start_with(vm, by(ControlFlow::Direct)).await;
            sleep(Duration::from_millis(after)).await;
            bench.engine.stop().await;
            // Long enough for the hosts to notice.
            sleep(Duration::from_secs(1)).await;
            bench.sim.cut(&host("beta"));
            bench.restart().await;
            sleep(Duration::from_secs(30 + 60 * minutes)).await;
            let now = bench.engine.migration(id).await.unwrap().0;
            let left = bench.sim.copy(&host("alpha"), vm).is_some_and(|copy| copy.abandoned);
            assert!(!left || now.phase == Phase::Verifying, "it is waited for: {now:?}");
            waited += usize::from(left);
            bench.sim.mend(&host("beta"));
            if !now.phase.has_ended() {
                assert!(matches!(bench.ended(id).await.phase, Phase::Succeeded | Phase::Failed));
            }
            bench.runs_only_on(vm, &["alpha", "beta"]);
        }
    }
    assert!(waited > 0);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_nobody_is_logged_in_at_is_waited_for() {
    let mut done = BTreeSet::new();
    for after in moments() {
        let mut bench = Bench::new().await;
        let vm = bench.vm("web", VmState::Running, IDLE).await;
        let there = bench.sim.add_ssh_host("delta", "right").name;
        let login = HostCredentials::typed("right", bench.sim.key(&there));
        let reached = bench.engine.reach("delta.simulated", None, login.clone(), None).await.unwrap();
        let request = MigrationRequest::plain(vm, reached.host.clone());
        let id = bench.engine.migrate_to(reached, request, "admin").await.unwrap().id;
        sleep(Duration::from_millis(after)).await;
        bench.engine.stop().await;
        if bench.store.migration(id).await.unwrap().unwrap().phase.has_ended() {
            break;
        }
        bench.restart().await;
        sleep(Duration::from_secs(5 * 60)).await;
        let now = bench.engine.migration(id).await.unwrap().0;
        assert_eq!(
            (now.phase, now.problem.as_ref().map(|problem| problem.code)),
            (Phase::Verifying, Some(Code::NeedsLogin)),
            "after {after}: {now:?}"
        );
        assert!(bench.told(id, "Log in at").await, "{:?}", bench.history(id).await);
        bench.engine.log_in(&now.destination, login).await.unwrap();
        let end = bench.ended(id).await;
        let at = bench.runs_only_on(vm, &["alpha", "delta"]);
        let expected = if at == host("alpha") { Phase::Failed } else { Phase::Succeeded };
        assert_eq!(end.phase, expected, "after {after} ms: {end:?}");
        let history = bench.history(id).await;
        done.extend([RESUMED, DROPPED].into_iter().filter(|words| history.iter().any(|text| text.contains(words))));
    }
    assert_eq!(done, BTreeSet::from([DROPPED, RESUMED]), "both happened");
}

#[tokio::test(start_paused = true)]
async fn a_console_that_loses_the_source_does_not_wait_for_what_does_not_go_on() {
    for after in moments() {
        let bench = Bench::new().await;
        let vm = bench.vm("web", VmState::Running, IDLE).await;
        let id = bench.start_with(vm, by(ControlFlow::Direct)).await;
        sleep(Duration::from_millis(after)).await;
        bench.sim.cut(&host("alpha"));
        sleep(Duration::from_secs(5)).await;
        bench.sim.mend(&host("alpha"));
        let end = bench.ended(id).await;
        let at = bench.runs_only_on(vm, &["alpha", "beta"]);
        let expected = if at == host("alpha") { Phase::Failed } else { Phase::Succeeded };
        assert_eq!(end.phase, expected, "after {after} ms: {end:?}");
        assert!(end.outcome.unwrap().total_ms < 60_000, "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn copies_of_disks_stay_only_where_the_vm_is() {
    let mut ends = BTreeSet::new();
    for after in (0..5_000).step_by(100) {
        let (mut bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
        let id = bench.start_with(vm, by(ControlFlow::Direct)).await;
        sleep(Duration::from_millis(after)).await;
        bench.restart().await;
        let end = bench.ended(id).await;
        ends.insert(end.phase.as_str());
        match bench.runs_only_on(vm, &["alpha", "beta"]) == host("alpha") {
            true => bench.stayed_and_can_go(vm, &end).await,
            false => assert_eq!(bench.sim.volumes(&host("beta"), "images"), ["web.qcow2"], "after {after} ms: {end:?}"),
        }
    }
    assert_eq!(ends, BTreeSet::from(["failed", "succeeded"]), "both happened");
}

#[tokio::test(start_paused = true)]
async fn who_can_not_log_in_may_give_up() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let there = bench.sim.add_ssh_host("delta", "right").name;
    let login = HostCredentials::typed("right", bench.sim.key(&there));
    let reached = bench.engine.reach("delta.simulated", None, login, None).await.unwrap();
    let request = MigrationRequest::plain(vm, reached.host.clone());
    let id = bench.engine.migrate_to(reached, request, "admin").await.unwrap().id;
    bench.reaches(id, Phase::CopyingMemory).await;
    bench.restart().await;
    bench.reaches(id, Phase::Verifying).await;
    sleep(Duration::from_secs(120)).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::NeedsAttention);
    assert_eq!(bench.engine.find("web", None).unwrap().migration, None, "the VM is free");
}

/// A VM that a console which died has left paused on alpha, and the next console, that has not been started yet.
async fn left_paused(arrives: bool) -> (Bench, VmId, MigrationId) {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let id = bench.start_with(vm, by(ControlFlow::Direct)).await;
    bench.until(|bench| bench.sim.copy(&host("alpha"), vm).is_some_and(|copy| copy.outgoing)).await;
    // An update may come only after the source has heard of it, too.
    while arrives && !bench.sim.runs_on(vm).contains(&host("beta")) {
        sleep(Duration::from_millis(1)).await;
    }
    bench.engine.stop().await;
    sleep(Duration::from_secs(1)).await;
    assert!(bench.sim.copy(&host("alpha"), vm).unwrap().abandoned);
    (bench, vm, id)
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_may_have_ended_at_the_destination_is_left_to_a_person() {
    let (mut bench, vm, id) = left_paused(true).await;
    let mut ended = bench.sim.copy(&host("beta"), vm).unwrap();
    ended.state = VmState::ShutOff;
    bench.sim.put(&host("beta"), ended);
    bench.restart().await;
    let end = bench.ended(id).await;
    assert_eq!(end.phase, Phase::NeedsAttention);
    assert!(end.problem.unwrap().sentence.contains("may have run on beta and ended there"));
    assert!(bench.sim.copy(&host("alpha"), vm).unwrap().abandoned, "nothing was touched");
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_the_source_did_not_get_round_to_remove_goes() {
    let (mut bench, vm, id) = left_paused(true).await;
    let mut crashed = bench.sim.copy(&host("alpha"), vm).unwrap();
    (crashed.state, crashed.abandoned) = (VmState::ShutOff, false);
    bench.sim.put(&host("alpha"), crashed);
    bench.restart().await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.runs_only_on(vm, &["alpha", "beta"]), host("beta"));
    assert!(bench.told(id, "still had the definition").await);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_was_to_stay_stays() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let options = MigrationOptions { keep_source_definition: true, ..by(ControlFlow::Direct) };
    let id = bench.start_with(vm, options).await;
    bench.until(|bench| bench.sim.runs_on(vm).contains(&host("beta"))).await;
    bench.restart().await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.copy(&host("alpha"), vm).unwrap().state, VmState::ShutOff);
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_still_arriving_is_not_decided_about() {
    let (mut bench, vm, id) = left_paused(false).await;
    let there = bench.sim.copy(&host("alpha"), vm).unwrap();
    let arriving = CopyFacts { incoming: true, abandoned: false, ..there.clone() };
    bench.sim.put(&host("beta"), arriving);
    bench.restart().await;
    sleep(Duration::from_secs(30)).await;
    assert!(bench.sim.copy(&host("alpha"), vm).unwrap().abandoned, "nothing is done as yet");
    bench.sim.put(&host("beta"), CopyFacts { state: VmState::Running, abandoned: false, ..there });
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.runs_only_on(vm, &["alpha", "beta"]), host("beta"));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_never_comes_back_is_not_waited_for_by_who_gives_up() {
    let (mut bench, vm, id) = left_paused(true).await;
    bench.sim.cut(&host("beta"));
    bench.restart().await;
    bench.until(|bench| bench.problem(&host("beta")).is_some()).await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].problem.is_some()).await;
    assert!(bench.told(id, "cancel the migration").await, "{:?}", bench.history(id).await);
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::NeedsAttention);
    assert!(bench.sim.copy(&host("alpha"), vm).unwrap().abandoned, "nothing was touched");
    bench.until(|bench| bench.engine.find("web", None).is_ok_and(|vm| vm.migration.is_none())).await;
}

#[tokio::test(start_paused = true)]
async fn who_cancelled_before_the_console_died_may_still_give_up() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, NEVER).await;
    let id = bench.start_with(vm, by(ControlFlow::Direct)).await;
    bench.reaches(id, Phase::CopyingMemory).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].cancel_requested).await;
    let mut bench = bench;
    bench.engine.stop().await;
    let left = CopyFacts { abandoned: true, state: VmState::Paused, ..bench.sim.copy(&host("alpha"), vm).unwrap() };
    sleep(Duration::from_secs(1)).await;
    bench.sim.put(&host("alpha"), CopyFacts { outgoing: false, ..left });
    bench.sim.cut(&host("beta"));
    bench.restart().await;
    sleep(Duration::from_secs(5 * 60)).await;
    assert_eq!(bench.engine.migration(id).await.unwrap().0.phase, Phase::Verifying, "that was another wish");
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::NeedsAttention);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_has_moved_on_to_a_third_host_is_not_let_go_on_at_the_source() {
    let (mut bench, vm, id) = left_paused(true).await;
    let moved_on = bench.sim.copy(&host("beta"), vm).unwrap();
    bench.sim.put(&host("gamma"), moved_on);
    bench.sim.forget(&host("beta"), vm);
    bench.restart().await;
    assert_eq!(bench.ended(id).await.phase, Phase::NeedsAttention);
    assert_eq!(bench.sim.runs_on(vm), [host("gamma")]);
    assert!(bench.sim.copy(&host("alpha"), vm).unwrap().abandoned, "nothing was touched");
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_may_have_moved_on_to_a_host_that_does_not_answer_stays_paused() {
    for gives_up in [true, false] {
        let (mut bench, vm, id) = left_paused(true).await;
        let moved_on = bench.sim.copy(&host("beta"), vm).unwrap();
        bench.sim.put(&host("gamma"), moved_on);
        bench.sim.forget(&host("beta"), vm);
        bench.sim.cut(&host("gamma"));
        bench.sim.cut(&host("beta"));
        bench.restart().await;
        sleep(Duration::from_secs(5 * 60)).await;
        bench.sim.mend(&host("beta"));
        sleep(Duration::from_secs(30 * 60)).await;
        assert_eq!(bench.sim.runs_on(vm), [host("gamma")]);
        assert!(bench.told(id, "gamma does not answer").await, "{:?}", bench.history(id).await);
        match gives_up {
            true => drop(bench.engine.cancel(id, "admin").await.unwrap()),
            false => bench.sim.mend(&host("gamma")),
        }
        let end = bench.ended(id).await;
        assert_eq!(end.phase, Phase::NeedsAttention);
        let words = if gives_up { "gamma does not answer" } else { "web runs on gamma" };
        assert!(end.problem.unwrap().sentence.contains(words));
        assert!(bench.sim.copy(&host("alpha"), vm).unwrap().abandoned, "nothing was touched");
        if gives_up {
            let refused = bench.engine.migrate_to_host(request(vm, "beta"), "admin").await.unwrap_err();
            assert_eq!(
                refused.code(),
                Code::WrongState,
                "nor does another migration decide: {}",
                refused.told().sentence
            );
        }
    }
}

/// What the first of the consoles has written is no sign of life of the VM.
#[tokio::test(start_paused = true)]
async fn a_second_restart_does_not_let_it_go_on_either() {
    let (mut bench, vm, id) = left_paused(true).await;
    let moved_on = bench.sim.copy(&host("beta"), vm).unwrap();
    bench.sim.put(&host("gamma"), moved_on);
    bench.sim.forget(&host("beta"), vm);
    bench.sim.cut(&host("gamma"));
    sleep(Duration::from_mins(10)).await;
    bench.restart().await;
    sleep(Duration::from_mins(1)).await;
    assert!(bench.told(id, "gamma does not answer").await, "{:?}", bench.history(id).await);
    bench.restart().await;
    sleep(Duration::from_mins(30)).await;
    assert_eq!(bench.sim.runs_on(vm), [host("gamma")]);
    assert!(bench.sim.copy(&host("alpha"), vm).unwrap().abandoned, "nothing was touched");
}

#[tokio::test(start_paused = true)]
async fn a_third_host_that_does_not_answer_keeps_nobody_waiting_who_comes_at_once() {
    let (mut bench, vm, id) = left_paused(true).await;
    bench.sim.forget(&host("beta"), vm);
    bench.sim.cut(&host("gamma"));
    bench.restart().await;
    assert_eq!(bench.ended(id).await.phase, Phase::Failed);
    assert_eq!(bench.runs_only_on(vm, &["alpha", "beta"]), host("alpha"));
}

#[tokio::test(start_paused = true)]
async fn the_only_definition_is_not_removed() {
    let (mut bench, vm, id) = left_paused(true).await;
    let running = bench.sim.copy(&host("beta"), vm).unwrap();
    bench.sim.put(&host("beta"), CopyFacts { persistent: false, ..running });
    bench.restart().await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
    assert_eq!(bench.sim.copy(&host("alpha"), vm).unwrap().state, VmState::ShutOff);
}
