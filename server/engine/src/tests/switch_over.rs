//! The destination's daemon dies while the hosts switch over, or the source's QEMU while it sends: what libvirt leaves behind is settled
//! where it is proven what happened, and else told and not touched.

use std::time::Duration;

use model::{Code, Phase, VmAction, VmState};
use tokio::time::sleep;

use super::*;
use crate::{CopyFacts, StateReason, testing::Fault};

type Left = Option<(VmState, StateReason)>;

const RUNS_AGAIN: Left = Some((VmState::Running, StateReason::MigrationCanceled));
const ARRIVED: Left = Some((VmState::Running, StateReason::Migrated));
/// At the source: nothing drives the migration any more. At the destination: never let go on.
const LEFT_PAUSED: Left = Some((VmState::Paused, StateReason::Migration));
/// QEMU could not have its disks back.
const NOT_RESUMED: Left = Some((VmState::Paused, StateReason::ApiError));

/// Post-copy broke off.
const HALF_HERE: Left = Some((VmState::Paused, StateReason::PostCopyFailed));
const HALF_THERE: Left = Some((VmState::Running, StateReason::PostCopyFailed));

/// A migration whose switch-over was broken off with these copies left, once all hosts are back; and its end.
async fn broken_off(left: [Left; 2]) -> (Bench, VmId, Migration) {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::BrokenSwitch(left));
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.problem(&host("beta")).is_some()).await;
    sleep(Duration::from_secs(10)).await;
    let (now, _) = bench.engine.migration(id).await.unwrap();
    assert!(!now.phase.has_ended(), "no verdict without both hosts: {now:?}");
    assert!(now.problem.as_ref().unwrap().sentence.contains("beta does not answer"), "the wait is named: {now:?}");
    bench.sim.revive(&host("beta"));
    let end = bench.ended(id).await;
    (bench, vm, end)
}

#[tokio::test(start_paused = true)]
async fn what_is_proven_is_settled() {
    let (stays, moves) = ((Phase::Failed, "alpha"), (Phase::Succeeded, "beta"));
    for (left, (phase, runs_on)) in [
        ([RUNS_AGAIN, None], stays),
        ([RUNS_AGAIN, Some((VmState::ShutOff, StateReason::Daemon))], stays),
        ([RUNS_AGAIN, LEFT_PAUSED], stays),
        ([Some((VmState::Running, StateReason::Unpaused)), LEFT_PAUSED], stays),
        ([LEFT_PAUSED, None], stays),
        ([LEFT_PAUSED, LEFT_PAUSED], stays),
        ([NOT_RESUMED, None], stays),
        ([None, ARRIVED], moves),
        ([NOT_RESUMED, ARRIVED], moves),
        ([LEFT_PAUSED, ARRIVED], moves),
    ] {
        let (bench, vm, end) = broken_off(left).await;
        assert_eq!(end.phase, phase, "{left:?}: {:?}", bench.history(end.id).await);
        let end = bench.cleaned(end.id).await;
        assert_eq!(bench.runs_only_on(vm, &["alpha", "beta"]), host(runs_on), "{left:?}");
        match phase {
            Phase::Failed => bench.stayed_and_can_go(vm, &end).await,
            _ => assert_eq!(bench.sim.volumes(&host("beta"), "images"), ["web.qcow2"], "{left:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_proven_is_told_and_not_touched() {
    let ended_there = Some((VmState::ShutOff, StateReason::Crashed));
    for left in [
        [RUNS_AGAIN, ARRIVED],
        [RUNS_AGAIN, NOT_RESUMED],
        [NOT_RESUMED, LEFT_PAUSED],
        [LEFT_PAUSED, ended_there],
        [None, ended_there],
        [HALF_HERE, HALF_THERE],
        [HALF_HERE, ended_there],
        [None, HALF_THERE],
        [None, LEFT_PAUSED],
        [None, None],
    ] {
        let (bench, vm, end) = broken_off(left).await;
        assert_eq!(end.phase, Phase::NeedsAttention, "{left:?}: {:?}", bench.history(end.id).await);
        let copies = [host("alpha"), host("beta")].map(|host| bench.sim.copy(&host, vm));
        assert_eq!(copies.map(|copy| copy.map(|copy| (copy.state, copy.reason))), left);
    }
}

#[tokio::test(start_paused = true)]
async fn neither_half_of_a_broken_post_copy_can_be_turned_off() {
    let (bench, vm, _) = broken_off([HALF_HERE, HALF_THERE]).await;
    bench.until(|bench| bench.engine.vm(vm).is_some_and(|vm| !vm.other_copies.is_empty())).await;
    for action in [VmAction::ForceOff, VmAction::ShutDown, VmAction::Pause] {
        let error = bench.engine.act(vm, None, action).await.unwrap_err();
        assert_eq!(error.code(), Code::WrongState, "{action:?}");
        assert!(error.told().sentence.contains("broke off"), "{action:?}: {}", error.told().sentence);
    }
    let copies =
        [host("alpha"), host("beta")].map(|host| bench.sim.copy(&host, vm).map(|copy| (copy.state, copy.reason)));
    assert_eq!(copies, [HALF_HERE, HALF_THERE]);
}

#[tokio::test(start_paused = true)]
async fn two_running_copies_are_told_within_seconds() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::BrokenSwitch([RUNS_AGAIN, ARRIVED]));
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.problem(&host("beta")).is_some()).await;
    bench.sim.revive(&host("beta"));
    bench.until(|bench| bench.problem(&host("beta")).is_none()).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(bench.engine.migration(id).await.unwrap().0.phase, Phase::NeedsAttention);
}

/// A copy that the destination had before, or whose guest executes all the same, is not ours to remove.
#[tokio::test(start_paused = true)]
async fn a_paused_copy_that_the_destination_may_need_is_not_removed() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let definition = CopyFacts { state: VmState::ShutOff, ..bench.sim.copy(&host("alpha"), vm).unwrap() };
    bench.sim.put(&host("beta"), definition);
    bench.sim.fail_next(vm, Fault::BrokenSwitch([RUNS_AGAIN, LEFT_PAUSED]));
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.problem(&host("beta")).is_some()).await;
    bench.sim.revive(&host("beta"));
    assert_eq!(bench.ended(id).await.phase, Phase::NeedsAttention);
    assert_eq!(bench.sim.copy(&host("beta"), vm).unwrap().state, VmState::Paused);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_receives_what_nobody_sends_any_more_is_removed() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::LeftReceiving);
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!(end.phase, Phase::Failed);
    assert!(bench.told(end.id, "that has never run, was removed").await, "{:?}", bench.history(end.id).await);
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_ends_at_the_source_has_not_moved() {
    for (reason, words) in [
        (StateReason::Crashed, "web crashed on alpha"),
        (StateReason::Failed, "web crashed on alpha"),
        (StateReason::Destroyed, "web was forced off on alpha"),
        (StateReason::Shutdown, "web was shut down on alpha"),
        (StateReason::Saved, "web was saved on alpha"),
        (StateReason::Other, "web is off on alpha"),
    ] {
        let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
        bench.sim.fail_next(vm, Fault::Ends(reason));
        let end = bench.ended(bench.start(vm, "beta").await).await;
        assert_eq!(end.phase, Phase::Failed);
        assert!(end.problem.as_ref().unwrap().sentence.starts_with(words), "{:?}", end.problem);
        let end = bench.cleaned(end.id).await;
        assert!(bench.sim.volumes(&host("beta"), "images").is_empty(), "{:?}", bench.history(end.id).await);
        assert_eq!(bench.sim.copy(&host("alpha"), vm).unwrap().state, VmState::ShutOff);
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_ends_as_soon_as_it_has_arrived_has_moved() {
    for (reason, words) in [
        (StateReason::Shutdown, "web was shut down on beta as soon as it had arrived"),
        (StateReason::Crashed, "web crashed on beta as soon as it had arrived"),
    ] {
        let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
        bench.sim.fail_next(vm, Fault::EndsThere(reason));
        let end = bench.ended(bench.start(vm, "beta").await).await;
        assert_eq!((end.phase, end.step.as_ref()), (Phase::Succeeded, None), "nobody is woken up: {:?}", end.problem);
        assert!(end.problem.as_ref().unwrap().sentence.starts_with(words), "{:?}", end.problem);
        assert!(bench.told(end.id, words).await, "{:?}", bench.history(end.id).await);
        assert!(bench.sim.copy(&host("alpha"), vm).is_none());
        assert_eq!(bench.sim.volumes(&host("beta"), "images"), ["web.qcow2"], "its disk is the VM's own");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_without_a_definition_that_ends_at_the_source_has_not_moved() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), CopyFacts { persistent: false, ..copy });
    bench.until(|bench| bench.engine.snapshot(None).vms.iter().any(|vm| !vm.persistent)).await;
    bench.sim.fail_next(vm, Fault::Ends(StateReason::Shutdown));
    let end = bench.ended(bench.start(vm, "beta").await).await;
    let problem = end.problem.as_ref().unwrap();
    assert_eq!(end.phase, Phase::Failed, "{problem:?}");
    assert!(problem.sentence.starts_with("web was shut down on alpha"), "{problem:?}");
    assert!(problem.fix.as_ref().unwrap().contains("not persistent"), "{problem:?}");
    assert!(bench.sim.copy(&host("alpha"), vm).is_none() && bench.sim.copy(&host("beta"), vm).is_none());
}
