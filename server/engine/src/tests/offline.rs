//! Disks of VMs that are shut off: copied through the console.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use model::{Code, Migration, MigrationId, MigrationOptions, Mode, Phase, VmId, VmState};

use super::{
    storage::{contents, disk, pool},
    *,
};
use crate::testing::{Fault, StorageFault};

/// How long the engine waits for a host that should clean up, and a little.
const PATIENCE: Duration = Duration::from_secs(70);

#[tokio::test(start_paused = true)]
async fn a_shut_off_vm_moves_with_its_disks() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let states = bench.follow(bench.start(vm, "beta").await).await;
    let end = states.last().unwrap();
    assert_eq!((end.phase, end.mode, end.problem.as_ref()), (Phase::Succeeded, Mode::Offline, None));
    assert_eq!(bench.sim.contents(&host("beta"), "images", "web.qcow2"), Some(contents()));
    assert_eq!(end.outcome.unwrap().bytes, 32 * MIB, "to the destination and back, without holes");
    let percents: Vec<f64> = states.iter().map(|state| state.progress.percent).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert!(percents.iter().any(|percent| (30.0..60.0).contains(percent)), "{percents:?}");
    assert!(states.iter().any(|state| state.phase == Phase::CopyingDisks && state.progress.time_left.is_some()));
}

#[tokio::test(start_paused = true)]
async fn an_offline_copy_keeps_to_the_limit() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let options = MigrationOptions { bandwidth_mib_s: Some(1), ..MigrationOptions::default() };
    let end = bench.ended(bench.start_with(vm, options).await).await;
    assert_eq!(end.phase, Phase::Succeeded);
    let ms = end.outcome.unwrap().total_ms;
    assert!((30_000..36_000).contains(&ms), "16 MiB to and fro at 1 MiB/s take {ms} ms by the model's clock");
}

#[tokio::test(start_paused = true)]
async fn an_offline_copy_that_fails_on_either_side_leaves_nothing() {
    for (name, fault) in [("alpha", StorageFault::ReadFails), ("beta", StorageFault::NoSpace)] {
        let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
        bench.sim.fail_storage(&host(name), fault.clone());
        let end = bench.ended(bench.start(vm, "beta").await).await;
        assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::Hypervisor), "{fault:?}");
        bench.stayed_and_can_go(vm, &end).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_started_meanwhile_is_not_moved() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), crate::CopyFacts { state: VmState::Running, ..copy });
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::WrongState));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_another_console_moves_meanwhile_is_told_to_be_there() {
    for to in ["beta", "gamma"] {
        let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
        let id = bench.start(vm, "beta").await;
        bench.reaches(id, Phase::CopyingDisks).await;
        let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
        bench.sim.forget(&host("alpha"), vm);
        bench.sim.put(&host(to), copy);
        let end = bench.ended(id).await;
        let sentence = &end.problem.as_ref().unwrap().sentence;
        assert_eq!(end.phase, Phase::MovedElsewhere, "{sentence}");
        assert!(sentence.starts_with(&format!("web is on {to}: another console")), "{sentence}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_another_console_moved_while_this_one_was_away_is_told_to_be_there() {
    let (mut bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    bench.engine.stop().await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.forget(&host("alpha"), vm);
    bench.sim.put(&host("gamma"), copy);
    bench.restart().await;
    let end = bench.ended(id).await;
    assert_eq!(end.phase, Phase::MovedElsewhere, "{:?}", end.problem);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_started_while_its_disks_are_looked_at_is_not_moved() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::ShutOff, IDLE).await;
    let (sim, looks) = (bench.sim.clone(), AtomicU32::new(0));
    bench.sim.shape_vm(vm, move |_| {
        // The first look is the preflight's.
        if looks.fetch_add(1, Ordering::Relaxed) == 1 {
            let copy = sim.copy(&host("alpha"), vm).unwrap();
            sim.put(&host("alpha"), crate::CopyFacts { state: VmState::Running, ..copy });
        }
    });
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!(bench.sim.copy(&host("beta"), vm), None, "libvirt was not asked");
    assert_eq!((end.phase, end.problem.unwrap().code), (Phase::Failed, Code::WrongState));
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_written_to_meanwhile_is_not_taken() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    bench.sim.put_volume(&host("alpha"), "images", "web.qcow2", contents());
    let end = bench.ended(id).await;
    let problem = end.problem.as_ref().unwrap();
    assert_eq!((end.phase, problem.code), (Phase::Failed, Code::WrongState));
    assert!(problem.sentence.contains("was written to"), "{problem:?}");
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_console_that_restarts_in_an_offline_copy_removes_the_half() {
    let (mut bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    bench.restart().await;
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::ReasonLost));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_stays_away_is_not_waited_for_for_ever() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    bench.sim.kill(&host("beta"));
    let end = tokio::time::timeout(PATIENCE, bench.ended(id)).await.expect("it ends within the limit");
    assert_eq!(end.phase, Phase::Failed);
    assert_eq!(end.leftovers[0].name(), "the volume web.qcow2 of the pool images on beta", "and says what is left");
    bench.sim.revive(&host("beta"));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_definition_does_not_leave_its_disk_behind() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.add_disk(vm, disk("vdb", "/elsewhere/data.qcow2"));
    let started = bench.engine.migrate_unchecked(request(vm, "beta"), "admin").await.unwrap();
    let end = bench.ended(started.id).await;
    let problem = end.problem.unwrap();
    assert_eq!((end.phase, problem.code), (Phase::Failed, Code::Blocked));
    assert!(problem.fix.unwrap().contains("pool for /elsewhere"));
    assert_eq!(bench.sim.copy(&host("beta"), vm), None);
}

/// Waits for the end of a copy one side of which hangs.
async fn ends_in_time(bench: &Bench, id: MigrationId) -> Migration {
    tokio::time::timeout(PATIENCE, bench.ended(id)).await.expect("it ends within the limit")
}

/// That what hangs at beta is named, and that the VM is free to go elsewhere.
async fn the_half_is_left(bench: &Bench, vm: VmId, end: &Migration) {
    assert!(bench.told(end.id, "Still to be removed: the volume web.qcow2 of the pool images on beta.").await);
    bench.sim.add_pool(&host("gamma"), pool("images", "/images"), "gamma");
    let elsewhere = bench.engine.migrate_to_host(request(vm, "gamma"), "admin").await.unwrap();
    assert_eq!(bench.ended(elsewhere.id).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_offline_copy_that_hangs_can_be_cancelled() {
    for (name, fault) in [("alpha", StorageFault::ReadHangs), ("beta", StorageFault::WriteHangs)] {
        let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
        bench.sim.fail_storage(&host(name), fault.clone());
        let id = bench.start(vm, "beta").await;
        bench.reaches(id, Phase::CopyingDisks).await;
        tokio::time::sleep(Duration::from_secs(600)).await;
        bench.engine.cancel(id, "admin").await.unwrap();
        let end = ends_in_time(&bench, id).await;
        assert_eq!(end.phase, Phase::Cancelled, "{fault:?}");
        match fault {
            StorageFault::ReadHangs => bench.stayed_and_can_go(vm, &end).await,
            _ => the_half_is_left(&bench, vm, &end).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_side_that_hangs_does_not_hide_that_the_other_failed() {
    // Reading hangs or fails half-way, writing at the fourth piece; when that hangs, few more are read.
    let hangs_then_fails = [
        (("alpha", StorageFault::ReadHangs), ("beta", StorageFault::NoSpace), contents()[..9].to_vec()),
        (
            ("beta", StorageFault::WriteHangs),
            ("alpha", StorageFault::ReadFails),
            [contents(), contents()].concat()[..22].to_vec(),
        ),
    ];
    for (hangs, fails, pieces) in hangs_then_fails {
        let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
        bench.sim.put_volume(&host("alpha"), "images", "web.qcow2", pieces);
        for (name, fault) in [&hangs, &fails] {
            bench.sim.fail_storage(&host(name), fault.clone());
        }
        let id = bench.start(vm, "beta").await;
        let end = ends_in_time(&bench, id).await;
        assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::Hypervisor), "{fails:?}");
        bench.sim.put_volume(&host("alpha"), "images", "web.qcow2", contents());
        match hangs.1 {
            StorageFault::ReadHangs => bench.stayed_and_can_go(vm, &end).await,
            _ => the_half_is_left(&bench, vm, &end).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_is_never_written_to_its_end_can_be_cancelled() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    // So few pieces that all are read and handed on before the fourth hangs.
    bench.sim.put_volume(&host("alpha"), "images", "web.qcow2", contents()[..4].to_vec());
    bench.sim.fail_storage(&host("beta"), StorageFault::WriteHangs);
    let id = bench.start(vm, "beta").await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(ends_in_time(&bench, id).await.phase, Phase::Cancelled);
}

/// An old definition of the VM at the destination, shut off.
fn leave_an_old_definition(bench: &Bench, vm: VmId) {
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("beta"), copy);
}

/// What makes a wrong verdict as bad as it can be.
fn keep_and_remove() -> MigrationOptions {
    MigrationOptions { keep_source_definition: true, remove_source_disks: true, ..MigrationOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn an_old_definition_at_the_destination_is_not_taken_for_a_move_that_a_restart_broke_off() {
    for options in [MigrationOptions::default(), keep_and_remove()] {
        let (mut bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
        leave_an_old_definition(&bench, vm);
        let id = bench.start_with(vm, options).await;
        bench.reaches(id, Phase::CopyingDisks).await;
        bench.restart().await;
        let end = bench.ended(id).await;
        assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::ReasonLost));
        assert_eq!(bench.sim.volumes(&host("alpha"), "images"), ["web.qcow2"], "the only complete image stays");
        assert!(
            bench.told(id, "It stays, because it is in use: the volume web.qcow2").await,
            "beta's definition names it"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_definition_at_the_destination_is_not_taken_for_a_move_that_libvirt_refused() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    leave_an_old_definition(&bench, vm);
    bench.sim.fail_next(vm, Fault::Refused("no".into()));
    let end = bench.ended(bench.start_with(vm, keep_and_remove()).await).await;
    assert_eq!(end.phase, Phase::NeedsAttention);
    assert_eq!(bench.sim.volumes(&host("alpha"), "images"), ["web.qcow2"], "the old image stays");
}
