//! A copy is proven before it counts, and nothing is removed at the source without that proof.

use std::time::Duration;

use model::{Code, Migration, MigrationOptions, Phase, VmState};

use super::{
    storage::{contents, disk, pool},
    *,
};
use crate::{Chunk, Disk, Pool, testing::StorageFault};

fn remove_old_images() -> MigrationOptions {
    MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() }
}

impl Bench {
    /// The end of a migration that is to remove the old images.
    async fn moved_for_good(&self, vm: VmId) -> Migration {
        self.ended(self.start_with(vm, remove_old_images()).await).await
    }

    fn old_images(&self) -> Vec<String> {
        self.sim.volumes(&host("alpha"), "images")
    }

    /// Waits until all 16 MiB were sent, and a part was read back.
    pub(super) async fn reads_back(&self, id: MigrationId) {
        self.until(|bench| {
            let migrations = bench.engine.snapshot(None).migrations;
            migrations.iter().any(|now| now.id == id && now.progress.bytes_processed > 17 * MIB)
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_was_lost_without_a_word_is_noticed() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.fail_storage(&host("beta"), StorageFault::LosesEnd);
    let end = bench.moved_for_good(vm).await;
    assert_eq!(bench.old_images(), ["web.qcow2"], "the only complete image stays");
    assert_eq!(bench.sim.contents(&host("alpha"), "images", "web.qcow2"), Some(contents()));
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::CopyDiffers));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_proven_copy_is_told_of_and_the_old_image_may_go() {
    for (state, words) in [
        (VmState::ShutOff, "holds what /images/web.qcow2 on alpha does (15 MiB besides zeroes"),
        (VmState::Running, "Proven: vda on beta is the volume web.qcow2 (64 MiB)"),
    ] {
        let (bench, vm) = Bench::with_disk(state, IDLE).await;
        let end = bench.moved_for_good(vm).await;
        assert_eq!((end.phase, end.disks[0].proven), (Phase::Succeeded, true), "{state:?}");
        assert!(bench.told(end.id, words).await, "{:?}", bench.history(end.id).await);
        assert!(bench.old_images().is_empty(), "{state:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_sends_less_than_there_is_is_not_believed() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.fail_storage(&host("alpha"), StorageFault::ReadEnds);
    let end = bench.moved_for_good(vm).await;
    let problem = end.problem.as_ref().unwrap();
    assert_eq!((end.phase, problem.code), (Phase::Failed, Code::CopyDiffers));
    assert!(problem.sentence.contains("alpha sent 8 MiB of the 64 MiB of /images/web.qcow2"), "{problem:?}");
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_cancel_while_the_copy_is_read_back() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start_with(vm, remove_old_images()).await;
    bench.reads_back(id).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem.as_ref()), (Phase::Cancelled, None));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_started_while_the_copy_is_read_back() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start_with(vm, remove_old_images()).await;
    bench.reads_back(id).await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), crate::CopyFacts { state: VmState::Running, ..copy });
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::WrongState));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_can_not_be_read_back() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.fail_storage(&host("beta"), StorageFault::ReadFails);
    let end = bench.moved_for_good(vm).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::Hypervisor));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn storage_that_hangs_while_the_copy_is_read_back_is_named() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.fail_storage(&host("beta"), StorageFault::ReadHangs);
    let id = bench.start_with(vm, remove_old_images()).await;
    bench.reads_back(id).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!(end.phase, Phase::Cancelled);
    assert_eq!(bench.old_images(), ["web.qcow2"]);
    assert!(bench.told(id, "Still to be removed: the volume web.qcow2 of the pool images on beta.").await);
}

#[tokio::test(start_paused = true)]
async fn an_overlay_that_was_made_after_the_pool_was_looked_at_is_not_copied_alone() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.lay_over_another(&host("alpha"), "images", "web.qcow2");
    let end = bench.moved_for_good(vm).await;
    let problem = end.problem.as_ref().unwrap();
    assert_eq!((end.phase, problem.code), (Phase::Failed, Code::Blocked));
    assert!(problem.sentence.contains("backing chain"), "{problem:?}");
    assert_eq!(bench.old_images(), ["web.qcow2"]);
    assert!(bench.sim.volumes(&host("beta"), "images").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_logical_volume_may_be_larger_than_the_image_but_has_to_hold_it() {
    for (fault, phase) in [(None, Phase::Succeeded), (Some(StorageFault::LosesEnd), Phase::Failed)] {
        let bench = Bench::new().await;
        bench.sim.add_pool(&host("alpha"), pool("images", "/images"), "alpha");
        bench.sim.add_pool(&host("beta"), Pool { kind: "logical".into(), ..pool("vg", "/dev/vg") }, "beta");
        // 65 MiB, which is no whole number of extents.
        let image = [contents(), vec![Chunk::Data(vec![7; 1 << 20])]].concat();
        bench.sim.put_volume(&host("alpha"), "images", "web.raw", image);
        let vm = bench.vm("web", VmState::ShutOff, IDLE).await;
        let raw = Disk { format: "raw".into(), capacity_bytes: 65 * MIB, ..disk("vda", "/images/web.raw") };
        bench.sim.add_disk(vm, raw);
        fault.into_iter().for_each(|fault| bench.sim.fail_storage(&host("beta"), fault));
        let pools = [("vda".to_owned(), "vg".to_owned())].into();
        let end = bench.ended(bench.start_with(vm, MigrationOptions { pools, ..remove_old_images() }).await).await;
        assert_eq!(end.phase, phase, "{:?}", end.problem);
        assert_eq!(bench.old_images().is_empty(), phase == Phase::Succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_volume_is_no_proof_that_libvirt_copied_the_disk() {
    let faults = [(StorageFault::MirrorsNothing, "takes up no space"), (StorageFault::MirrorsHalf, "has 32 MiB, but")];
    for (fault, words) in faults {
        let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
        bench.sim.fail_storage(&host("beta"), fault.clone());
        let end = bench.moved_for_good(vm).await;
        assert_eq!((end.phase, end.disks[0].proven), (Phase::Succeeded, false), "{fault:?}");
        assert_eq!(bench.old_images(), ["web.qcow2"], "{fault:?}");
        assert!(bench.told(end.id, words).await, "{:?}", bench.history(end.id).await);
        assert!(bench.told(end.id, "The old image /images/web.qcow2 stays on alpha: its copy is not proven.").await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_the_vm_does_not_use_is_no_proof_either() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let sim = bench.sim.clone();
    bench.sim.shape_vm(vm, move |facts| {
        if sim.copy(&host("beta"), vm).is_some_and(|copy| !copy.incoming) {
            facts.disks = vec![disk("vda", "/images/other.qcow2")];
        }
    });
    let end = bench.moved_for_good(vm).await;
    assert_eq!(end.phase, Phase::Succeeded);
    assert_eq!(bench.old_images(), ["web.qcow2"]);
    assert!(bench.told(end.id, "the VM has another image than /images/web.qcow2").await);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_arrived_with_an_io_error_keeps_its_old_image() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let sim = bench.sim.clone();
    bench.sim.shape_vm(vm, move |facts| {
        facts.io_error = sim.copy(&host("beta"), vm).is_some_and(|copy| !copy.incoming);
    });
    let end = bench.moved_for_good(vm).await;
    assert_eq!(end.phase, Phase::Succeeded);
    assert_eq!(bench.old_images(), ["web.qcow2"]);
}
