//! Media in drives and disks that the guest can't write to.

use model::{FindingCode, Mode, Severity};

use super::{Bench, file, pool, volume};
use crate::hypervisor::{Disk, DiskDevice, DiskSource};

const ISO: &str = "/srv/iso/install.iso";
const SIZE: u64 = 1 << 20;

fn cdrom() -> Disk {
    Disk {
        target: "sda".into(),
        device: DiskDevice::Cdrom,
        read_only: true,
        format: "raw".into(),
        capacity_bytes: SIZE,
        ..file(ISO)
    }
}

fn read_only() -> Disk {
    Disk { device: DiskDevice::Disk, ..cdrom() }
}

/// That this is found, with these words, and no disk is planned.
#[track_caller]
fn finds(bench: &Bench, code: FindingCode, severity: Severity, words: &str) {
    let (disks, findings) = bench.plan();
    assert_eq!(disks, []);
    let [found] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((found.code, found.severity), (code, severity), "{found:?}");
    assert!(found.text.contains(words), "{found:?}");
}

#[test]
fn an_empty_drive_is_nothing() {
    let bench = Bench::of(Disk { source: DiskSource::Empty, ..cdrom() });
    assert_eq!(bench.plan(), (Vec::new(), Vec::new()));
}

#[test]
fn what_the_destination_has_of_a_medium() {
    let mut bench = Bench::of(cdrom());
    finds(&bench, FindingCode::Medium, Severity::Unknown, "none of its pools");
    bench.destination_pools = vec![pool("iso", "/srv/iso")];
    finds(&bench, FindingCode::Medium, Severity::Blocker, "has no /srv/iso/install.iso");
    bench.mode = Mode::Offline;
    finds(&bench, FindingCode::Medium, Severity::Warning, "has no /srv/iso/install.iso");
    bench.mode = Mode::Live;
    bench.destination_pools[0].volumes = vec![volume(ISO, SIZE)];
    finds(&bench, FindingCode::Medium, Severity::Ok, "only name and size were compared");
    bench.destination_pools[0].volumes = vec![volume(ISO, 2 * SIZE)];
    finds(&bench, FindingCode::Medium, Severity::Warning, "2 MiB instead of 1 MiB");
    bench.source.shared_directories = vec!["/srv/iso".into()];
    bench.destination.shared_directories = vec!["/srv/iso".into()];
    finds(&bench, FindingCode::Medium, Severity::Ok, "share /srv/iso");
}

#[test]
fn a_medium_that_is_missing_can_be_ejected() {
    let mut bench = Bench::of(cdrom());
    bench.destination_pools = vec![pool("iso", "/srv/iso")];
    bench.options.eject_media = true;
    finds(&bench, FindingCode::Medium, Severity::Ok, "will be ejected");
    assert_eq!(bench.decide().eject, ["sda"]);
    bench.destination_pools[0].volumes = vec![volume(ISO, SIZE)];
    assert!(bench.decide().eject.is_empty(), "what is there stays in the drive");
}

#[test]
fn a_drive_that_may_be_empty() {
    let mut bench = Bench::of(Disk { optional: true, ..cdrom() });
    bench.destination_pools = vec![pool("iso", "/srv/iso")];
    finds(&bench, FindingCode::Medium, Severity::Warning, "will arrive empty");
}

#[test]
fn disks_that_the_guest_only_reads() {
    let mut bench = Bench::of(read_only());
    finds(&bench, FindingCode::DiskShared, Severity::Unknown, "none of its pools");
    bench.destination_pools = vec![pool("iso", "/srv/iso")];
    finds(&bench, FindingCode::DiskKind, Severity::Blocker, "has no /srv/iso/install.iso");
    bench.options.eject_media = true;
    finds(&bench, FindingCode::DiskKind, Severity::Blocker, "has no /srv/iso/install.iso");
    bench.destination_pools[0].volumes = vec![volume(ISO, SIZE)];
    finds(&bench, FindingCode::DiskShared, Severity::Ok, "only name and size were compared");
}

#[test]
fn a_medium_that_is_a_volume() {
    let source = DiskSource::Volume { pool: "iso".into(), volume: "install.iso".into() };
    let mut bench = Bench::of(Disk { source, ..cdrom() });
    finds(&bench, FindingCode::Medium, Severity::Blocker, "no active pool iso");
    bench.destination_pools = vec![pool("iso", "/elsewhere")];
    finds(&bench, FindingCode::Medium, Severity::Blocker, "has no volume install.iso");
    bench.destination_pools[0].volumes = vec![volume("/elsewhere/install.iso", SIZE)];
    finds(&bench, FindingCode::Medium, Severity::Ok, "only name and size were compared");
}
