//! The images of a VM that is off, between the proof of their copies and the move: what was written to meanwhile is neither left behind
//! nor removed.

use std::time::Duration;

use model::{Code, Migration, MigrationOptions, Phase, VmState};
use tokio::time::sleep;

use super::{storage::contents, *};
use crate::CopyFacts;

fn removing() -> MigrationOptions {
    MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() }
}

fn image_is_written(bench: &Bench, _: VmId) {
    bench.sim.put_volume(&host("alpha"), "images", "web.qcow2", contents());
}

fn vm_is_started(bench: &Bench, vm: VmId) {
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), CopyFacts { state: VmState::Running, ..copy });
}

/// Does this while the migration waits for its store, which takes no writes from now on.
async fn while_the_store_is_broken(bench: &Bench, vm: VmId, id: MigrationId, meanwhile: fn(&Bench, VmId)) -> Migration {
    bench.store.set_broken(true);
    bench.until(|bench| bench.shown(id).problem.is_some_and(|problem| problem.code == Code::StoreUnavailable)).await;
    meanwhile(bench, vm);
    bench.store.set_broken(false);
    bench.ended(id).await
}

/// That nothing has moved, and nothing is lost.
async fn stayed(bench: &Bench, end: &Migration) {
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::WrongState), "{end:?}");
    assert_eq!(bench.sim.volumes(&host("alpha"), "images"), ["web.qcow2"]);
    assert!(bench.sim.copy(&host("alpha"), end.vm).is_some());
    assert_eq!(bench.sim.copy(&host("beta"), end.vm), None);
}

#[tokio::test(start_paused = true)]
async fn a_proof_that_has_waited_for_the_store_is_looked_at_again() {
    for meanwhile in [image_is_written, vm_is_started] {
        let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
        let id = bench.start_with(vm, removing()).await;
        bench.reads_back(id).await;
        let end = while_the_store_is_broken(&bench, vm, id, meanwhile).await;
        stayed(&bench, &end).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_happened_meanwhile_is_said_as_it_is() {
    type Meanwhile = fn(&Bench, VmId);
    let vm_is_gone = |bench: &Bench, vm| bench.sim.forget(&host("alpha"), vm);
    let cases: [(Meanwhile, &str); 3] = [
        (vm_is_started, "web was started meanwhile, so it was not moved."),
        (image_is_written, "web.qcow2 of the pool images was written to, or removed, after its copy had begun."),
        (vm_is_gone, "web is gone by now."),
    ];
    for (meanwhile, sentence) in cases {
        let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
        let id = bench.start_with(vm, removing()).await;
        bench.reaches(id, Phase::CopyingDisks).await;
        meanwhile(&bench, vm);
        let end = bench.ended(id).await;
        let told = [end.problem.unwrap().sentence, bench.history(id).await.join(" ")].join(" ");
        assert!(told.contains(sentence), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_looked_at_again_before_the_console_drives_the_migration_itself() {
    for meanwhile in [image_is_written, vm_is_started] {
        let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
        bench.sim.refuse_peers(&host("beta"), true);
        let id = bench.start_with(vm, removing()).await;
        bench.reaches(id, Phase::SwitchingOver).await;
        // The source takes a second to find out that it may not log in.
        sleep(Duration::from_millis(500)).await;
        let end = while_the_store_is_broken(&bench, vm, id, meanwhile).await;
        assert!(bench.told(id, "It goes on direct").await);
        stayed(&bench, &end).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_image_that_was_written_to_after_the_move_stays() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start_with(vm, removing()).await;
    bench.reaches(id, Phase::SwitchingOver).await;
    // The hosts go on among themselves, and the console has to wait for beta's answer.
    bench.sim.cut(&host("beta"));
    bench.reaches(id, Phase::Verifying).await;
    image_is_written(&bench, vm);
    bench.sim.mend(&host("beta"));
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.volumes(&host("alpha"), "images"), ["web.qcow2"]);
    assert!(bench.told(id, "stays on alpha: it was written to since it was copied").await);
}

#[tokio::test(start_paused = true)]
async fn an_old_image_whose_host_does_not_say_when_it_was_written_to_stays() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.hide_times(&host("alpha"), "images", "web.qcow2");
    let id = bench.start_with(vm, removing()).await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.volumes(&host("alpha"), "images"), ["web.qcow2"]);
    assert!(bench.told(id, "does not say when it was last written to").await);
}
