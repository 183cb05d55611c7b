//! Another program takes the last space of the destination's pool while the end of a disk is written. libvirt may then report success
//! and have lost what it wrote last, or hang.

use std::{fs, path::Path};

use model::{Host, Phase};
use serde_json::json;

use super::{
    lab::{Entry, LabHost, Sandbox},
    privileged::{Site, severities},
};

const POOL: &str = "/var/lib/libvirt/images";
/// The disk's size, in bytes.
const SIZE: u64 = 64 << 20;
/// MiB/s. Sending the disk takes some seconds, so that the moment can be chosen.
const SLOWLY: u32 = 16;

#[tokio::test]
async fn a_pool_that_fills_up_at_the_end_of_a_copy_costs_no_image() {
    let test = "full::a_pool_that_fills_up_at_the_end_of_a_copy_costs_no_image";
    let Entry::Inside(sandbox) = Sandbox::enter(test) else { return };
    let mut site = Site::start(sandbox).await;
    for host in [&site.lab.red, &site.lab.blue] {
        host.run("mkdir", &["-p", POOL]);
        if host.name == "blue" {
            host.run("mount", &["-t", "tmpfs", "-o", "size=76M", "tmpfs", POOL]);
        }
        let xml = format!("<pool type='dir'><name>images</name><target><path>{POOL}</path></target></pool>");
        site.start_pool(host, "images", &xml);
    }
    // How much of the disk is missing when the space is taken, in KiB: of what is missing then, libvirt has queued most.
    for (name, missing) in [("late", 768), ("latest", 256)] {
        let image = format!("{POOL}/{name}.raw");
        let disk = noise();
        fs::write(site.lab.red.path(&image), &disk).expect("there is room");
        let xml = format!(
            "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{image}'/><target dev='vda' bus='virtio'/></disk>"
        );
        site.define_vm(name, &xml).await;
        let preflight = site.preflight(name).await;
        assert_eq!(severities(&preflight, "disk-copied"), ["ok"], "{preflight}");
        fill_once_written(&site.lab.blue, &image, SIZE - (missing << 10));
        let request = json!({"destination": "blue", "bandwidth_mib_s": SLOWLY, "remove_source_disks": true});
        site.api.migrate_with(name, request).await;
        let states = site.stream.migration_of(name).await;
        let end = states.last().expect("it has an end");
        match end.phase {
            Phase::Succeeded => assert_eq!(sum(&site.lab.blue, &image), sum_of(&site, &disk), "{name}: {end:?}"),
            Phase::Failed => assert_eq!(sum(&site.lab.red, &image), sum_of(&site, &disk), "{name}: {end:?}"),
            _ => panic!("{name}: {end:?}"),
        }
        site.lab.blue.run("sh", &["-c", &format!("rm -f {POOL}/*")]);
        revive(&mut site).await;
    }
}

/// Starts blue's daemon again if it did not survive.
async fn revive(site: &mut Site) {
    let blue = &site.lab.blue;
    if !blue.try_virsh(&["list"]).status.success() {
        blue.start_daemon().await;
        site.stream.until_host("blue", Host::is_connected).await;
    }
    if !blue.try_virsh(&["pool-refresh", "images"]).status.success() {
        blue.virsh(&["pool-start", "images"]);
    }
}

/// Bytes without a hole in them.
fn noise() -> Vec<u8> {
    let mut word = 1_u32;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (word >> 16) as u8 | 1
    };
    (0..SIZE).map(|_| next()).collect()
}

/// Has another program take all the space that is left in the host's pool, as soon as so much of a file is written, in bytes.
fn fill_once_written(host: &LabHost, file: &str, bytes: u64) {
    let blocks = bytes / 512;
    let watch = format!(
        "(until [ \"$(stat -c %b {file} 2>/dev/null || echo 0)\" -ge {blocks} ]; do :; done; cat /dev/zero >{POOL}/filler) \
         >/dev/null 2>&1 &"
    );
    host.run("sh", &["-c", &watch]);
}

/// The sum of a file as a host sees it.
fn sum(host: &LabHost, file: &str) -> String {
    let output = host.run("sha256sum", &[file]);
    output.split_whitespace().next().unwrap_or_default().to_owned()
}

fn sum_of(site: &Site, bytes: &[u8]) -> String {
    let file = site.lab.red.path("/run/noise");
    fs::write(&file, bytes).expect("there is room");
    let sum = sum(&site.lab.red, "/run/noise");
    fs::remove_file(Path::new(&file)).expect("it was just written");
    sum
}
