//! Disks that stay and disks that are copied: of VMs that run.

use std::time::Duration;

use model::{Code, FindingCode, Migration, MigrationOptions, MigrationRequest, Phase, Severity, VmState};

use super::*;
use crate::{
    Chunk, Disk, DiskDevice, DiskSource, ImageExtras, Pool,
    testing::{Fault, StorageFault},
};

pub(super) fn pool(name: &str, path: &str) -> Pool {
    Pool {
        name: name.into(),
        kind: "dir".into(),
        active: true,
        path: Some(path.into()),
        source: None,
        available_bytes: 100 << 30,
        volumes: Vec::new(),
    }
}

fn nfs(name: &str) -> Pool {
    Pool { kind: "netfs".into(), source: Some("filer:/vms".into()), ..pool(name, "/srv/vms") }
}

/// A disk of 64 MiB.
pub(super) fn disk(target: &str, path: &str) -> Disk {
    Disk {
        target: target.into(),
        device: DiskDevice::Disk,
        source: DiskSource::File { path: path.into() },
        format: "qcow2".into(),
        read_only: false,
        shareable: false,
        transient: false,
        capacity_bytes: 64 * MIB,
        allocation_bytes: 64 * MIB,
        has_backing: false,
        has_data_file_or_slice: false,
        extras: Some(ImageExtras::default()),
        optional: false,
    }
}

/// 64 MiB, of which 16 are there.
pub(super) fn contents() -> Vec<Chunk> {
    let mut contents: Vec<Chunk> = (0..16).map(|byte| Chunk::Data(vec![byte; 1 << 20])).collect();
    contents.insert(8, Chunk::Hole(48 * MIB));
    contents
}

impl Bench {
    /// A VM on alpha with a disk in a pool of alpha's own; beta has such a pool, too.
    pub(super) async fn with_disk(state: VmState, load: Load) -> (Self, VmId) {
        let bench = Self::new().await;
        for name in ["alpha", "beta"] {
            bench.sim.add_pool(&host(name), pool("images", "/images"), name);
        }
        bench.sim.put_volume(&host("alpha"), "images", "web.qcow2", contents());
        let vm = bench.vm("web", state, load).await;
        bench.sim.add_disk(vm, disk("vda", "/images/web.qcow2"));
        (bench, vm)
    }

    /// The same with a disk in a pool that both hosts have from an NFS server; `same` is whether it really is.
    pub(super) async fn with_shared_disk(same: bool) -> (Self, VmId) {
        let bench = Self::new().await;
        bench.sim.add_pool(&host("alpha"), nfs("vms"), "filer");
        bench.sim.add_pool(&host("beta"), nfs("nfs"), if same { "filer" } else { "other" });
        bench.sim.put_volume(&host("alpha"), "vms", "web.qcow2", contents());
        let vm = bench.vm("web", VmState::Running, IDLE).await;
        bench.sim.add_disk(vm, disk("vda", "/srv/vms/web.qcow2"));
        (bench, vm)
    }

    pub(super) async fn start_with(&self, vm: VmId, options: MigrationOptions) -> MigrationId {
        self.engine.migrate_to_host(MigrationRequest { options, ..request(vm, "beta") }, "admin").await.unwrap().id
    }

    pub(super) async fn reaches(&self, id: MigrationId, phase: Phase) {
        self.until(|bench| {
            let migrations = bench.engine.snapshot(None).migrations;
            let now = migrations.iter().find(|migration| migration.id == id).unwrap();
            assert!(!now.phase.has_ended(), "{now:?}");
            now.phase == phase
        })
        .await;
    }

    fn volumes(&self, name: &str) -> Vec<String> {
        self.sim.volumes(&host(name), "images")
    }

    /// That nothing is left at the destination, the VM is where it was with its disk, and a second try succeeds.
    pub(super) async fn stayed_and_can_go(&self, vm: VmId, end: &Migration) {
        let end = self.cleaned(end.id).await;
        assert!(self.volumes("beta").is_empty(), "{:?} {:?}", self.volumes("beta"), self.history(end.id).await);
        assert!(end.disks.iter().all(|disk| !disk.created && disk.path.is_none()), "{end:?}");
        assert!(self.sim.copy(&host("alpha"), vm).is_some());
        assert_eq!(self.sim.copy(&host("beta"), vm), None);
        self.arrives(vm).await;
    }

    /// Waits until nothing is left of an ended migration.
    pub(super) async fn cleaned(&self, id: MigrationId) -> Migration {
        let now =
            |bench: &Self| bench.engine.snapshot(None).migrations.into_iter().find(|migration| migration.id == id);
        self.until(|bench| now(bench).is_some_and(|now| now.phase.has_ended() && now.leftovers.is_empty())).await;
        now(self).unwrap()
    }

    /// That the VM moves, with its disk.
    async fn arrives(&self, vm: VmId) -> Migration {
        let end = self.ended(self.start(vm, "beta").await).await;
        assert_eq!((end.phase, end.problem.as_ref()), (Phase::Succeeded, None));
        assert_eq!(self.sim.contents(&host("beta"), "images", "web.qcow2"), Some(contents()));
        assert_eq!(self.volumes("alpha"), ["web.qcow2"], "the old image stays");
        end
    }

    pub(super) async fn told(&self, id: MigrationId, words: &str) -> bool {
        self.history(id).await.iter().any(|text| text.contains(words))
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_not_shared_is_copied() {
    let (bench, vm) = Bench::with_disk(VmState::Running, BUSY).await;
    let states = bench.follow(bench.start(vm, "beta").await).await;
    let end = states.last().unwrap();
    assert_eq!((end.phase, end.problem.as_ref()), (Phase::Succeeded, None));
    assert_eq!(bench.sim.contents(&host("beta"), "images", "web.qcow2"), Some(contents()));
    assert_eq!(bench.volumes("alpha"), ["web.qcow2"], "the old image stays");
    assert_eq!(end.disks[0].path.as_deref(), Some("/images/web.qcow2"));
    let percents: Vec<f64> = states.iter().map(|state| state.progress.percent).collect();
    assert!(percents.is_sorted(), "{percents:?}");
    assert!(states.is_sorted_by_key(|state| state.phase), "phases come in order");
    for phase in [Phase::CopyingDisks, Phase::CopyingMemory, Phase::Converging] {
        assert!(states.iter().any(|state| state.phase == phase), "{phase:?}");
    }
    let copying = states.iter().filter(|state| state.phase == Phase::CopyingDisks);
    let last = copying.map(|state| state.progress.percent).fold(0.0, f64::max);
    assert!((20.0..40.0).contains(&last), "64 of 192 MiB are a third of 85 %, not {last}");
    assert!(bench.told(end.id, "Made the volume web.qcow2 (64 MiB) in the pool images on beta.").await);
}

#[tokio::test(start_paused = true)]
async fn a_disk_goes_to_the_pool_that_was_picked() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.add_pool(&host("beta"), pool("fast", "/fast"), "ssd");
    let pools = [("vda".to_owned(), "fast".to_owned())].into();
    let id = bench.start_with(vm, MigrationOptions { pools, ..MigrationOptions::default() }).await;
    assert_eq!(bench.ended(id).await.disks[0].path.as_deref(), Some("/fast/web.qcow2"));
    assert_eq!(bench.sim.volumes(&host("beta"), "fast"), ["web.qcow2"]);
    assert!(bench.volumes("beta").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_shared_disk_stays_and_is_proven_to_be_shared() {
    let (bench, vm) = Bench::with_shared_disk(true).await;
    let options = MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() };
    let id = bench.start_with(vm, options).await;
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.disks.len()), (Phase::Succeeded, 0));
    assert!(bench.told(id, "Proven: what alpha puts into its pool vms beta sees in its pool nfs.").await);
    assert_eq!(bench.sim.volumes(&host("beta"), "nfs"), ["web.qcow2"], "no token is left, and shared images stay");
}

#[tokio::test(start_paused = true)]
async fn pools_that_only_seem_to_be_one_place_are_found_out() {
    let (bench, vm) = Bench::with_shared_disk(false).await;
    let end = bench.ended(bench.start(vm, "beta").await).await;
    let problem = end.problem.unwrap();
    assert_eq!((end.phase, problem.code), (Phase::Failed, Code::Blocked));
    assert_eq!(problem.findings[0].code, FindingCode::DiskShared);
    assert!(problem.sentence.contains("not the same place"), "{problem:?}");
    assert_eq!(bench.sim.volumes(&host("alpha"), "vms"), ["web.qcow2"], "no token is left");
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_pool_that_takes_no_token_is_told_of() {
    let (bench, vm) = Bench::with_shared_disk(true).await;
    bench.sim.fail_storage(&host("alpha"), StorageFault::CreateFails);
    let id = bench.start(vm, "beta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert!(bench.told(id, "it was not proven").await);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_copy_leaves_nothing() {
    for state in [VmState::Running, VmState::ShutOff] {
        let (bench, vm) = Bench::with_disk(state, IDLE).await;
        let id = bench.start(vm, "beta").await;
        bench.reaches(id, Phase::CopyingDisks).await;
        bench.engine.cancel(id, "admin").await.unwrap();
        let end = bench.ended(id).await;
        assert_eq!((end.phase, end.problem.as_ref()), (Phase::Cancelled, None), "{state:?}");
        bench.stayed_and_can_go(vm, &end).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancel_before_anything_is_made() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.engine.cancel(id, "admin").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!(end.phase, Phase::Cancelled);
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_breaks_off_leaves_nothing() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::DiskCopyFails);
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::Hypervisor));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_after_the_volumes_were_made_leaves_nothing() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::Refused("no".into()));
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!(end.phase, Phase::Failed);
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_can_not_be_made() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_storage(&host("beta"), StorageFault::CreateFails);
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::Hypervisor));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_volumes_the_first_is_removed_when_the_second_fails() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.put_volume(&host("alpha"), "images", "data.qcow2", contents());
    bench.sim.add_disk(vm, disk("vdb", "/images/data.qcow2"));
    bench.sim.fail_storage(&host("beta"), StorageFault::TakenMeanwhile("data.qcow2".into()));
    let end = bench.ended(bench.start(vm, "beta").await).await;
    let problem = end.problem.unwrap();
    assert_eq!((end.phase, problem.details.as_deref()), (Phase::Failed, Some("storage volume exists already")));
    assert_eq!(bench.volumes("beta"), ["data.qcow2"], "what this migration did not make is not touched");
    assert!(end.leftovers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_removed_is_named() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::DiskCopyFails);
    // At the end, and right after it, so that the test sees it before it is tried again.
    bench.sim.fail_storage(&host("beta"), StorageFault::DeleteFails);
    bench.sim.fail_storage(&host("beta"), StorageFault::DeleteFails);
    let id = bench.start(vm, "beta").await;
    let end = bench.ended(id).await;
    assert_eq!(end.leftovers[0].name(), "the volume web.qcow2 of the pool images on beta");
    assert_eq!(end.leftovers[0].problem.as_ref().unwrap().details.as_deref(), Some("cannot unlink file"));
    assert!(bench.told(id, "Could not remove the volume web.qcow2").await);
    assert!(end.disks[0].created, "it is known what was made");
    bench.cleaned(id).await;
    assert!(bench.told(id, "Removed the volume web.qcow2 of the pool images on beta.").await, "it is tried again");
    assert!(bench.volumes("beta").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_dies_while_disks_are_copied_and_comes_back_is_cleaned() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    bench.sim.kill(&host("beta"));
    tokio::time::sleep(Duration::from_secs(20)).await;
    bench.sim.revive(&host("beta"));
    let end = bench.ended(id).await;
    assert_eq!(end.phase, Phase::Failed);
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_dies_while_it_makes_a_volume() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_storage(&host("beta"), StorageFault::DiesCreating);
    let id = bench.start(vm, "beta").await;
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::HostUnreachable));
    assert_eq!(end.leftovers[0].name(), "the volume web.qcow2 of the pool images on beta");
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    assert_eq!(bench.volumes("beta"), ["web.qcow2"]);
    bench.sim.revive(&host("beta"));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_touched_when_it_is_not_certain_where_the_vm_is() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::RunsTwice);
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!(end.phase, Phase::NeedsAttention);
    assert_eq!(bench.volumes("beta"), ["web.qcow2"]);
    assert_eq!(bench.volumes("alpha"), ["web.qcow2"]);
}

#[tokio::test(start_paused = true)]
async fn a_console_that_restarts_while_disks_are_copied_goes_on() {
    let (mut bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    bench.restart().await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.contents(&host("beta"), "images", "web.qcow2"), Some(contents()));
}

#[tokio::test(start_paused = true)]
async fn a_console_that_restarts_cleans_up_what_the_one_before_made() {
    let (mut bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::DiskCopyFails);
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    bench.restart().await;
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::ReasonLost));
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_the_vm_may_have_come_back_with_stays() {
    let (mut bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::DiskCopyFails);
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    bench.sim.shape_vm(vm, |facts| facts.disks = vec![disk("vda", "/mnt/of-beta/web.qcow2")]);
    bench.restart().await;
    let end = bench.ended(id).await;
    assert_eq!(end.phase, Phase::Failed);
    assert_eq!(bench.volumes("beta"), ["web.qcow2"]);
    assert!(
        bench.told(id, "no longer has the image /images/web.qcow2 on alpha").await,
        "{:?}",
        bench.history(id).await
    );
}

#[tokio::test(start_paused = true)]
async fn old_images_go_last_and_only_if_that_was_asked_for() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let options = MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() };
    bench.sim.fail_next(vm, Fault::DiskCopyFails);
    let failed = bench.ended(bench.start_with(vm, options.clone()).await).await;
    assert_eq!(failed.phase, Phase::Failed);
    assert_eq!(bench.volumes("alpha"), ["web.qcow2"], "a VM that stayed keeps its disks");
    let id = bench.start_with(vm, options).await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert!(bench.volumes("alpha").is_empty());
    assert_eq!(bench.volumes("beta"), ["web.qcow2"]);
    let history = bench.history(id).await;
    let at = |words: &str| history.iter().position(|text| text.contains(words)).unwrap();
    assert!(at("Removed the old image /images/web.qcow2 from alpha.") > at("Verifying"), "{history:?}");
}

#[tokio::test(start_paused = true)]
async fn an_old_image_that_can_not_be_removed_is_no_failure() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_storage(&host("alpha"), StorageFault::DeleteFails);
    let options = MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() };
    let id = bench.start_with(vm, options).await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert!(bench.told(id, "Could not remove the old image /images/web.qcow2 from alpha").await);
}

#[tokio::test(start_paused = true)]
async fn old_images_stay_where_libvirt_did_not_say_that_all_went_well() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::ResultLost);
    let options = MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() };
    let id = bench.start_with(vm, options).await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.volumes("alpha"), ["web.qcow2"]);
    assert!(bench.told(id, "The old images stay on alpha").await);
}

#[tokio::test(start_paused = true)]
async fn old_images_stay_where_a_cancel_came_too_late() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let options = MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() };
    let id = bench.start_with(vm, options).await;
    bench.reaches(id, Phase::SwitchingOver).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.cancel_requested), (Phase::Succeeded, true));
    assert_eq!(bench.volumes("alpha"), ["web.qcow2"]);
    assert!(bench.told(id, "admin asked to cancel.").await);
    assert!(bench.told(id, "The old images stay on alpha: the migration was cancelled").await);
}

#[tokio::test(start_paused = true)]
async fn an_old_image_that_another_vm_has_is_not_removed() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let other = bench.vm("twin", VmState::ShutOff, IDLE).await;
    bench.sim.add_disk(other, disk("vda", "/images/web.qcow2"));
    let options = MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() };
    let id = bench.start_with(vm, options).await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.volumes("alpha"), ["web.qcow2"]);
    assert!(bench.told(id, "is still needed on alpha (the VM twin)").await);
}

#[tokio::test(start_paused = true)]
async fn an_old_image_on_storage_that_others_share_is_not_removed() {
    let (bench, vm) = Bench::with_shared_disk(true).await;
    bench.sim.add_pool(&host("gamma"), pool("images", "/images"), "gamma");
    let options = MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() };
    let preflight = bench.engine.preflight(vm, &host("gamma"), &options).await.unwrap();
    let warning = preflight.of(Severity::Warning).find(|finding| finding.code == FindingCode::Pool).unwrap();
    assert!(warning.text.contains("on shared storage"), "{warning:?}");
    let id =
        bench.engine.migrate_to_host(MigrationRequest { options, ..request(vm, "gamma") }, "admin").await.unwrap().id;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.volumes(&host("gamma"), "images"), ["web.qcow2"]);
    assert_eq!(bench.sim.volumes(&host("alpha"), "vms"), ["web.qcow2"]);
    assert!(bench.told(id, "is still needed on alpha (other hosts that share the pool vms)").await);
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_writes_faster_than_the_link_carries_waits_for_both_disks() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.write_to_disks(vm, 40 * MIB);
    let id = bench.start(vm, "beta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert!(bench.told(id, "The guest writes 40 MiB/s to its disks and the link carries 32 MiB/s").await);
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.write_to_disks(vm, 8 * MIB);
    let id = bench.start(vm, "beta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert!(!bench.told(id, "The guest writes").await);
}

#[tokio::test(start_paused = true)]
async fn a_medium_is_ejected_when_everything_else_is_ready() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let medium = Disk { device: DiskDevice::Cdrom, read_only: true, ..disk("sda", "/images/install.iso") };
    bench.sim.add_disk(vm, medium);
    let options = MigrationOptions { eject_media: true, ..MigrationOptions::default() };
    let id = bench.start_with(vm, options).await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert!(bench.told(id, "Took the medium out of sda.").await);
}

#[tokio::test(start_paused = true)]
async fn disks_that_changed_while_it_waited_are_not_moved_unseen() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let mut ids = Vec::new();
    for number in 0..4 {
        let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
        ids.push(bench.start(vm, "beta").await);
    }
    let waits = bench.start(vm, "beta").await;
    bench.sim.put_volume(&host("alpha"), "images", "data.qcow2", contents());
    bench.sim.add_disk(vm, disk("vdb", "/images/data.qcow2"));
    bench.engine.cancel(ids[0], "admin").await.unwrap();
    let end = bench.ended(waits).await;
    let problem = end.problem.unwrap();
    assert_eq!((end.phase, problem.code), (Phase::Failed, Code::Blocked));
    assert!(problem.sentence.contains("have changed since"), "{problem:?}");
    assert!(bench.volumes("beta").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_libvirt_would_take_for_shared_is_not_left_behind() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let device = DiskSource::Block { path: "/dev/sdb".into() };
    bench.sim.add_disk(vm, Disk { source: device, format: "raw".into(), ..disk("vdb", "") });
    let started = bench.engine.migrate_unchecked(request(vm, "beta"), "admin").await.unwrap();
    let end = bench.ended(started.id).await;
    let problem = end.problem.unwrap();
    assert_eq!((end.phase, problem.code), (Phase::Failed, Code::Blocked));
    assert_eq!(problem.findings[0].code, FindingCode::Pool);
    assert!(bench.volumes("beta").is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_image_that_was_not_the_disk_any_more_when_its_turn_came_is_not_removed() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.add_pool(&host("alpha"), pool("fast", "/fast"), "ssd");
    let mut ids = Vec::new();
    for number in 0..4 {
        let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
        ids.push(bench.start(vm, "beta").await);
    }
    let options = MigrationOptions { remove_source_disks: true, ..MigrationOptions::default() };
    let waits = bench.start_with(vm, options).await;
    bench.sim.put_volume(&host("alpha"), "fast", "web.qcow2", contents());
    bench.sim.shape_vm(vm, |facts| facts.disks = vec![disk("vda", "/fast/web.qcow2")]);
    bench.engine.cancel(ids[0], "admin").await.unwrap();
    let end = bench.ended(waits).await;
    assert_eq!(bench.volumes("alpha"), ["web.qcow2"], "it was not copied");
    assert_eq!((end.phase, end.problem.unwrap().code), (Phase::Failed, Code::Blocked));
}
