//! A shut-off VM moves with its disk.

use std::fs;

use model::{Mode, Phase, VmState};
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
