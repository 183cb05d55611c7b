//! A shut-off VM moves with its disk.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::Path,
};

use model::{Code, Mode, Phase, VmState};
use reqwest::Method;
use serde_json::json;

use super::{
    DEMO,
    guest::{assert_disk, qemu_img},
    privileged::severities,
    vm::{OTHER_POOL, Vm},
};

#[tokio::test]
async fn a_shut_off_vm_moves_with_its_disk() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::define(&demo, "shelf");
    let disk = fs::read(vm.image("alpha")).expect("it was made");
    stream.until_vm(vm.name, |found| found.state == VmState::ShutOff).await;

    // A first migration is cancelled half-way.
    let task = vm.begin_copy(&api, &mut stream, 1).await;
    assert!(api.send(Method::DELETE, &task, None).await.status().is_success());
    assert_eq!(api.ended(&task).await["status"], "killed");
    vm.assert_nothing_on("beta");
    assert_eq!(demo.defined_on(vm.name), ["alpha"]);

    api.migrate_with(vm.name, json!({"destination": "beta", "pools": {"vda": OTHER_POOL}})).await;
    let end = stream.until_migration(vm.name, |now| now.phase == Phase::Succeeded).await;
    let image = vm.image_in("beta", OTHER_POOL);
    assert_eq!(end.mode, Mode::Offline);
    assert!(fs::read(&image).expect("it was copied") == disk, "byte for byte the same");
    assert!(fs::read(vm.image("alpha")).expect("it stays") == disk);
    assert_eq!((demo.runs_on(vm.name), demo.defined_on(vm.name)), (vec![], vec!["beta"]));

    demo.virsh_succeeds("beta", &["start", vm.name]);
    vm.console.until_passes(2).await;
    assert_eq!(vm.disk_according_to("beta"), [image.clone(), image.clone()]);
    vm.stop("beta");
    assert_disk(&image, vm.console.passes());
    assert!(fs::read(vm.image("alpha")).expect("it stays") == disk, "nothing writes to the old image");
}

/// MiB/s. Sending the disk's 24 MiB takes long enough to damage what was written first.
const SLOWLY: u32 = 8;

#[tokio::test]
async fn a_copy_that_lost_what_was_written_to_it_does_not_count() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::define(&demo, "drawer");
    let disk = fs::read(vm.image("alpha")).expect("it was made");
    stream.until_vm(vm.name, |found| found.state == VmState::ShutOff).await;

    let request = json!({"destination": "beta", "bandwidth_mib_s": SLOWLY, "remove_source_disks": true});
    api.migrate_with(vm.name, request).await;
    stream.until_migration(vm.name, |now| now.progress.bytes_processed > 8 << 20).await;
    lose_a_block(&vm.image("beta"), 1 << 20);
    let end = stream.until_migration(vm.name, |now| now.phase.has_ended()).await;
    let code = end.problem.as_ref().map(|problem| problem.code);
    assert_eq!((end.phase, code), (Phase::Failed, Some(Code::CopyDiffers)), "{end:?}");
    assert!(fs::read(vm.image("alpha")).expect("it stays") == disk, "the only complete image");
    vm.assert_nothing_on("beta");

    // With nothing lost, it may go.
    api.migrate_with(vm.name, json!({"destination": "beta", "remove_source_disks": true})).await;
    let end = stream.until_migration(vm.name, |now| now.phase == Phase::Succeeded).await;
    assert!(end.disks[0].proven, "{end:?}");
    vm.assert_nothing_on("alpha");
    assert!(fs::read(vm.image("beta")).expect("it was copied") == disk, "byte for byte the same");
}

/// Overwrites 64 KiB of a file with zeroes: so it reads what was not written for want of space.
fn lose_a_block(image: &Path, at: u64) {
    let mut file = File::options().write(true).open(image).expect("the copy is there");
    file.seek(SeekFrom::Start(at)).expect("a file can be sought in");
    file.write_all(&[0; 64 << 10]).expect("it can be written to");
}

#[tokio::test]
async fn an_image_with_a_data_file_is_not_copied_without_it() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::define(&demo, "cashbook");
    let image = vm.image("alpha");
    let option = format!("data_file={}.data,size=64M", image.display());
    qemu_img(&["create", "-q", "-f", "qcow2", "-o", &option], &[&image]);
    stream.until_vm(vm.name, |found| found.state == VmState::ShutOff).await;
    let (_, answer) = api.get("/plugins/kimchi/vms/cashbook/migrate?destination=beta").await;
    let preflight = &answer["destinations"][0];
    assert_eq!(severities(preflight, "disk-kind"), ["blocker"], "{preflight}");
}
