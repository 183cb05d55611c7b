//! A running VM moves with its disk, while the guest writes to it.

use std::{fs, time::Duration};

use model::{Host, Phase};
use reqwest::Method;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::{
    DEMO,
    guest::{assert_disk, image_info},
    support::{Api, LIMIT, Stream},
    vm::{POOL, Vm},
};

/// MiB/s. Copying the disk takes some seconds, so that the guest writes meanwhile.
const SLOWLY: u32 = 4;
/// MiB/s. There is time to cancel the copy or to kill the destination.
const VERY_SLOWLY: u32 = 1;
/// The largest size of a sparse image, in bytes: 24 MiB were ever written to the disk, whose capacity is 64 MiB.
const SPARSE: u64 = 32 << 20;

#[tokio::test]
async fn a_disk_is_copied_while_the_guest_writes_to_it() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::start(&demo, "scribe").await;
    stream.until_vm(vm.name, |found| found.state.is_active()).await;

    api.migrate_with(vm.name, json!({"destination": "beta", "bandwidth_mib_s": SLOWLY})).await;
    let states = stream.migration_of(vm.name).await;
    let end = states.last().expect("it has an end");
    assert_eq!(end.phase, Phase::Succeeded, "{end:?}");
    assert!(states.iter().any(|state| state.phase == Phase::CopyingDisks), "{states:?}");
    assert!(states.is_sorted_by(|one, next| one.phase <= next.phase && one.progress.percent <= next.progress.percent));
    let left = fs::read(vm.image("alpha")).expect("the old image stays");
    vm.console.until_two_more_passes().await;

    assert_eq!((demo.runs_on(vm.name), demo.defined_on(vm.name)), (vec!["beta"], vec!["beta"]));
    let image = vm.image("beta");
    assert_eq!(vm.disk_according_to("beta"), [image.clone(), image.clone()]);
    let info = image_info(&image);
    assert_eq!((info["format"].as_str(), info["virtual-size"].as_u64()), (Some("qcow2"), Some(64 << 20)));
    assert!(info["actual-size"].as_u64() < Some(SPARSE), "sparse stays sparse: {info}");
    vm.stop("beta");
    assert_disk(&image, vm.console.passes());
    assert!(fs::read(vm.image("alpha")).expect("it stays") == left, "nothing writes to the old image any more");
}

#[tokio::test]
async fn a_backing_chain_becomes_one_image_and_its_base_stays() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::define(&demo, "layer");
    let (top, base) = (vm.image("alpha"), vm.image("alpha").with_file_name("ground.qcow2"));
    fs::rename(&top, &base).expect("one directory");
    demo.virsh_succeeds("alpha", &["pool-refresh", POOL]);
    let new = ["vol-create-as", POOL, "layer.qcow2", "64M", "--format", "qcow2"];
    let over = ["--backing-vol", "ground.qcow2", "--backing-vol-format", "qcow2"];
    demo.virsh_succeeds("alpha", &[&new[..], &over].concat());
    let ground = fs::read(&base).expect("it was renamed");
    demo.virsh_succeeds("alpha", &["start", vm.name]);
    vm.console.until_passes(1).await;
    stream.until_vm(vm.name, |found| found.state.is_active()).await;

    let request = json!({"destination": "beta", "remove_source_disks": true, "accept": ["backing-chain"]});
    api.migrate_with(vm.name, request).await;
    let end = stream.until_migration(vm.name, |now| now.phase.has_ended()).await;
    assert_eq!((end.phase, end.disks[0].proven), (Phase::Succeeded, true), "{end:?}");
    vm.assert_nothing_on("alpha");
    assert!(fs::read(&base).expect("it stays") == ground, "the base is not the VM's alone");
    vm.console.until_two_more_passes().await;
    vm.stop("beta");
    assert_eq!(image_info(&vm.image("beta"))["backing-filename"], serde_json::Value::Null);
    assert_disk(&vm.image("beta"), vm.console.passes());
}

#[tokio::test]
async fn a_cancelled_copy_leaves_nothing_behind() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::start(&demo, "draft").await;
    stream.until_vm(vm.name, |found| found.state.is_active()).await;

    let task = vm.begin_copy(&api, &mut stream, VERY_SLOWLY).await;
    assert!(api.send(Method::DELETE, &task, None).await.status().is_success());
    assert_eq!(api.ended(&task).await["status"], "killed");
    vm.assert_nothing_on("beta");
    assert_stayed_and_migrates(&api, &mut stream, &vm).await;
}

#[tokio::test]
async fn a_copy_whose_destination_died_leaves_nothing_behind() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::start(&demo, "letter").await;
    stream.until_vm(vm.name, |found| found.state.is_active()).await;

    let task = vm.begin_copy(&api, &mut stream, VERY_SLOWLY).await;
    demo.signal_daemon("beta", "-KILL");
    stream.until_host("beta", |host| !host.is_connected()).await;
    // The demo starts it again.
    stream.until_host("beta", Host::is_connected).await;
    assert_eq!(api.ended(&task).await["status"], "failed");
    let gone = async {
        while vm.files_on("beta") > 0 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(LIMIT, gone).await.expect("the volume is removed once the host is connected again");
    vm.assert_nothing_on("beta");
    assert_stayed_and_migrates(&api, &mut stream, &vm).await;
}

/// Fails unless the VM is on alpha with all it wrote, and a second migration moves it and its disk to beta.
async fn assert_stayed_and_migrates(api: &Api, stream: &mut Stream, vm: &Vm<'_>) {
    assert_eq!((vm.demo.runs_on(vm.name), vm.demo.defined_on(vm.name)), (vec!["alpha"], vec!["alpha"]));
    assert_eq!(vm.disk_according_to("alpha"), [vm.image("alpha"), vm.image("alpha")]);
    vm.console.until_two_more_passes().await;

    api.migrate_with(vm.name, json!({"destination": "beta", "remove_source_disks": true})).await;
    stream.until_migration(vm.name, |now| now.phase == Phase::Succeeded).await;
    vm.assert_nothing_on("alpha");
    vm.console.until_two_more_passes().await;
    assert_eq!((vm.demo.runs_on(vm.name), vm.demo.defined_on(vm.name)), (vec!["beta"], vec!["beta"]));
    vm.stop("beta");
    assert_disk(&vm.image("beta"), vm.console.passes());
}
