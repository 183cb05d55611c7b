//! A volume that a migration has made is removed only while nothing can need it: the VM may have moved on to it since.

use std::sync::atomic::{AtomicU32, Ordering};

use model::{LeftoverKind, Migration, Phase, VmState};

use super::{
    leftovers::{half_full, volumes},
    storage::{contents, pool},
    *,
};
use crate::{Chunk, CopyFacts, StateReason, testing::Fault};

/// Another program brings the VM, which is off, to beta.
fn move_definition(sim: &Sim, vm: VmId) {
    let copy = sim.copy(&host("alpha"), vm).unwrap();
    sim.forget(&host("alpha"), vm);
    sim.put(&host("beta"), copy);
}

/// Waits until a leftover could not be removed; returns why.
async fn refused(bench: &Bench, id: MigrationId) -> String {
    let problem = |bench: &Bench| {
        let migrations = bench.engine.snapshot(None).migrations;
        let migration = migrations.into_iter().find(|migration| migration.id == id).unwrap();
        assert!(!migration.leftovers.is_empty(), "it was removed");
        migration.leftovers[0].problem.clone()
    };
    bench.until(|bench| problem(bench).is_some()).await;
    problem(bench).unwrap().sentence
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_the_vm_was_brought_to_while_the_host_was_away_stays() {
    let (bench, vm, end) = half_full().await;
    move_definition(&bench.sim, vm);
    bench.sim.revive(&host("beta"));
    bench.cleaned(end.id).await;
    assert_eq!(volumes(&bench, "beta"), ["web.qcow2"]);
    assert!(bench.told(end.id, "in use: the volume web.qcow2 of the pool images on beta (the VM web)").await);
}

#[tokio::test(start_paused = true)]
async fn a_volume_stays_where_the_vm_is_by_another_path_and_not_on_its_old_image_any_more() {
    let (bench, vm, end) = half_full().await;
    move_definition(&bench.sim, vm);
    // By a name that does not lead to the volume, though it may be the same file.
    bench.sim.move_disk(vm, "vda", "/linked/web.qcow2");
    bench.sim.revive(&host("beta"));
    let why = refused(&bench, end.id).await;
    assert!(why.contains("no longer has the image /images/web.qcow2 on alpha"), "{why}");
    assert_eq!(volumes(&bench, "beta"), ["web.qcow2"]);
}

#[tokio::test(start_paused = true)]
async fn a_finished_copy_stays_if_another_program_moves_the_vm_to_it_at_that_moment() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.fail_next(vm, Fault::Busy);
    let (sim, looks) = (bench.sim.clone(), AtomicU32::new(0));
    bench.sim.shape_vm(vm, move |_| {
        // The first look is the preflight's, the second the preparation's, the third is taken after libvirt has refused.
        if looks.fetch_add(1, Ordering::Relaxed) == 2 {
            move_definition(&sim, vm);
        }
    });
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!(end.phase, Phase::MovedElsewhere, "{:?}", end.problem);
    assert_eq!(bench.sim.contents(&host("beta"), "images", "web.qcow2"), Some(contents()));
    // Once the VM runs there, the definition and its disk are known to be its own.
    let copy = bench.sim.copy(&host("beta"), vm).unwrap();
    bench.sim.put(&host("beta"), CopyFacts { state: VmState::Running, reason: StateReason::Booted, ..copy });
    bench.cleaned(end.id).await;
    assert_eq!(bench.sim.contents(&host("beta"), "images", "web.qcow2"), Some(contents()));
}

#[tokio::test(start_paused = true)]
async fn a_volume_stays_while_a_qemu_is_starting_at_its_host() {
    let (bench, vm, end) = half_full().await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("beta"), CopyFacts { reason: StateReason::StartingUp, persistent: false, ..copy });
    bench.sim.revive(&host("beta"));
    let why = refused(&bench, end.id).await;
    assert!(why.contains("is being moved"), "{why}");
    assert_eq!(volumes(&bench, "beta"), ["web.qcow2"]);
    bench.sim.forget(&host("beta"), vm);
    bench.cleaned(end.id).await;
    assert!(volumes(&bench, "beta").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_being_sent_is_not_on_its_old_image() {
    let (mut bench, vm, end) = half_full().await;
    bench.engine.stop().await;
    let mut unseen: Migration = end.clone();
    let LeftoverKind::Volume { unused, .. } = &mut unseen.leftovers[0].what else { panic!("{end:?}") };
    *unused = false;
    bench.store.update_migration(&unseen, &[]).await.unwrap();
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), CopyFacts { state: VmState::Running, reason: StateReason::Booted, ..copy });
    bench.sim.add_pool(&host("gamma"), pool("images", "/images"), "alpha");
    bench.sim.migrate_behind_everybodys_back(vm, &host("alpha"), &bench.hosts[2]);
    bench.sim.revive(&host("beta"));
    bench.restart().await;
    let why = refused(&bench, end.id).await;
    assert!(why.contains("no longer has the image"), "{why}");
    assert_eq!(volumes(&bench, "beta"), ["web.qcow2"]);
}

#[tokio::test(start_paused = true)]
async fn another_volume_of_the_name_is_not_the_migrations() {
    let (bench, _, end) = half_full().await;
    // A smaller one could be the half of a copy.
    let larger = vec![Chunk::Data(vec![1; 1 << 20]), Chunk::Hole(1 << 40)];
    bench.sim.put_volume(&host("beta"), "images", "web.qcow2", larger);
    bench.sim.revive(&host("beta"));
    bench.cleaned(end.id).await;
    assert_eq!(volumes(&bench, "beta"), ["web.qcow2"]);
    assert!(bench.told(end.id, "is not the volume that this migration made").await);
}
