//! Internal snapshots and dirty bitmaps of qcow2 images: what libvirt copies of them, and what the preflight says.

use std::{fs, path::Path};

use model::{Mode, Phase, VmState};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    DEMO,
    guest::{image_info, qemu_img},
    privileged::severities,
    vm::Vm,
};

/// Makes an internal snapshot, and a bitmap that does not record and one that does, in the image of a VM that is off.
fn add_extras(image: &Path) {
    qemu_img(&["snapshot", "-c", "before"], &[image]);
    for arguments in [&["bitmap", "--add", "--disable"][..], &["bitmap", "--add"]] {
        let name = if arguments.len() == 3 { "old" } else { "new" };
        qemu_img(arguments, &[image, Path::new(name)]);
    }
}

/// The names of an image's internal snapshots, and of its bitmaps.
fn extras(image: &Path) -> [Vec<String>; 2] {
    let info = image_info(image);
    let names = |list: &Value| {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|one| one["name"].as_str().expect("it has a name").to_owned()).collect()
    };
    [names(&info["snapshots"]), names(&info["format-specific"]["data"]["bitmaps"])]
}

#[tokio::test]
async fn what_a_mirror_lacks_needs_consent_and_is_not_removed() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::define(&demo, "album");
    add_extras(&vm.image("alpha"));
    demo.virsh_succeeds("alpha", &["start", vm.name]);
    vm.console.until_passes(1).await;
    stream.until_vm(vm.name, |found| found.state == VmState::Running).await;

    let (_, answer) = api.get("/plugins/kimchi/vms/album/migrate?destination=beta").await;
    let preflight = &answer["destinations"][0];
    for code in ["internal-snapshots", "bitmaps"] {
        assert_eq!(severities(preflight, code), ["warning"], "{preflight}");
    }
    let accept = json!(["internal-snapshots", "bitmaps"]);
    let refused = [
        ("needs-consent", json!({"destination": "beta"})),
        ("blocked", json!({"destination": "beta", "accept": accept, "remove_source_disks": true})),
    ];
    for (code, request) in refused {
        let (status, answer) = api.post("/plugins/kimchi/vms/album/migrate", request).await;
        assert_eq!((status, answer["code"].as_str()), (StatusCode::CONFLICT, Some(code)), "{answer}");
    }

    api.migrate_with(vm.name, json!({"destination": "beta", "accept": accept})).await;
    let end = stream.until_migration(vm.name, |now| now.phase.has_ended()).await;
    assert_eq!(end.phase, Phase::Succeeded, "{end:?}");
    vm.stop("beta");
    assert_eq!(extras(&vm.image("beta")), [vec![], vec!["new".to_owned()]], "libvirt copies this one");
    assert_eq!(extras(&vm.image("alpha"))[0], ["before"], "the old image has it");
}

#[tokio::test]
async fn a_vm_that_is_off_moves_with_its_snapshots_even_where_libvirt_has_to_forget_them() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let vm = Vm::define(&demo, "diary");
    add_extras(&vm.image("alpha"));
    demo.virsh_succeeds("alpha", &["snapshot-create-as", vm.name, "known"]);
    stream.until_vm(vm.name, |found| found.state == VmState::ShutOff).await;
    let (_, answer) = api.get("/plugins/kimchi/vms/diary/migrate?destination=beta").await;
    assert_eq!(severities(&answer["destinations"][0], "snapshots"), ["blocker"], "{answer}");

    // What the finding advises.
    let definition = demo.dir().join("known.xml");
    let [here, there] = ["alpha", "beta"].map(|host| vm.image(host).to_string_lossy().into_owned());
    let known = demo.virsh_succeeds("alpha", &["snapshot-dumpxml", vm.name, "known"]).replace(&here, &there);
    fs::write(&definition, known).expect("the demo's directory takes files");
    demo.virsh_succeeds("alpha", &["snapshot-delete", vm.name, "known", "--metadata"]);
    api.migrate_with(vm.name, json!({"destination": "beta", "remove_source_disks": true})).await;
    let end = stream.until_migration(vm.name, |now| now.phase.has_ended()).await;
    assert_eq!((end.phase, end.mode), (Phase::Succeeded, Mode::Offline), "{end:?}");
    vm.assert_nothing_on("alpha");
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(extras(&vm.image("beta")), [all(&["before", "known"]), all(&["old", "new"])]);
    demo.virsh_succeeds("beta", &["snapshot-create", vm.name, &definition.to_string_lossy(), "--redefine"]);
    // QEMU goes back to no snapshot of an image that has bitmaps.
    for bitmap in ["old", "new"] {
        qemu_img(&["bitmap", "--remove"], &[&vm.image("beta"), Path::new(bitmap)]);
    }
    demo.virsh_succeeds("beta", &["snapshot-revert", vm.name, "known"]);
}
