//! A file at the same path is not proof of shared storage: the destination's may be a blank one.

use std::{fs::File, path::Path};

use model::Phase;
use reqwest::StatusCode;
use serde_json::json;

use super::{
    guest,
    lab::{Entry, Sandbox},
    privileged::{Site, files, severities},
    vm::file_disk_xml,
};

/// The same path on both hosts, but not the same directory.
const POOL: &str = "/var/lib/libvirt/images";
const DISK: &str = "/var/lib/libvirt/images/ledger.qcow2";

#[tokio::test]
async fn a_blank_file_of_the_same_path_is_not_taken_for_the_disk() {
    let Entry::Inside(sandbox) = Sandbox::enter("blank::a_blank_file_of_the_same_path_is_not_taken_for_the_disk")
    else {
        return;
    };
    let mut site = Site::start(sandbox).await;
    for host in [&site.lab.red, &site.lab.blue] {
        host.run("mkdir", &["-p", POOL]);
        let xml = format!("<pool type='dir'><name>images</name><target><path>{POOL}</path></target></pool>");
        site.start_pool(host, "images", &xml);
    }
    let (image, blank) = (site.lab.red.path(DISK), site.lab.blue.path(DISK));
    guest::write_new_disk(&image);
    let console = site.start_vm("ledger", &file_disk_xml(Path::new(DISK))).await;
    let size = image.metadata().expect("it was written").len();
    File::create(&blank).and_then(|file| file.set_len(size)).expect("there is room");

    let preflight = site.preflight("ledger").await;
    assert_eq!(severities(&preflight, "disk-exists"), ["blocker"], "{preflight}");
    assert_eq!(severities(&preflight, "disk-shared"), [""; 0], "{preflight}");
    let (status, refusal) = site.api.post("/plugins/kimchi/vms/ledger/migrate", json!({"destination": "blue"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refusal}");
    assert_eq!(severities(&refusal, "disk-exists"), ["blocker"], "{refusal}");
    assert_eq!((site.vms_on(&site.lab.red), site.vms_on(&site.lab.blue)), ("ledger".into(), String::new()));
    assert_eq!(blank.metadata().expect("it is not touched").len(), size);

    site.lab.blue.virsh(&["vol-delete", "--pool", "images", "ledger.qcow2"]);
    site.api.migrate("ledger", "blue").await;
    let states = site.stream.migration_of("ledger").await;
    assert_eq!(states.last().map(|end| end.phase), Some(Phase::Succeeded), "{states:?}");
    console.until_two_more_passes().await;
    assert_eq!((site.vms_on(&site.lab.red), site.vms_on(&site.lab.blue)), (String::new(), "ledger".into()));
    assert_eq!(files(&site.lab.blue.path(POOL)), ["ledger.qcow2"]);
    site.lab.blue.virsh(&["destroy", "ledger"]);
    guest::assert_disk(&blank, console.passes());
}
