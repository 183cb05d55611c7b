//! What an image holds beside what the guest sees, and what becomes of it.

use model::{Finding, FindingCode, Mode, Severity, Treatment};

use super::{Bench, file, pool, volume};
use crate::hypervisor::{Disk, ImageExtras};

const SNAPSHOT: ImageExtras = ImageExtras { snapshots: 1, recording_bitmaps: 0, other_bitmaps: 0 };
const RECORDING: ImageExtras = ImageExtras { snapshots: 0, recording_bitmaps: 1, other_bitmaps: 0 };
const STOPPED: ImageExtras = ImageExtras { snapshots: 0, recording_bitmaps: 1, other_bitmaps: 2 };

/// A VM whose image has this, and is in a pool that both hosts have.
fn bench(extras: Option<ImageExtras>) -> Bench {
    let path = "/srv/vms/web.qcow2";
    let mut bench = Bench::of(Disk { extras, ..file(path) });
    let mut here = pool("vms", "/srv/vms");
    here.volumes = vec![volume(path, 1 << 30)];
    (bench.source_pools, bench.destination_pools) = (vec![here], vec![pool("vms", "/srv/vms")]);
    bench
}

/// The finding of this code.
fn found(bench: &Bench, code: FindingCode) -> Option<Finding> {
    bench.plan().1.into_iter().find(|finding| finding.code == code)
}

/// What is found while the VM runs and while it is off, and again if the old image is to be removed: how much it weighs, and whether it
/// needs consent.
fn all(extras: Option<ImageExtras>, code: FindingCode) -> [Option<(Severity, bool)>; 4] {
    let cases = [(Mode::Live, false), (Mode::Offline, false), (Mode::Live, true), (Mode::Offline, true)];
    cases.map(|(mode, removed)| {
        let mut bench = bench(extras);
        (bench.mode, bench.options.remove_source_disks) = (mode, removed);
        found(&bench, code).map(|finding| (finding.severity, finding.consent))
    })
}

#[test]
fn internal_snapshots_stay_behind_only_while_the_vm_runs() {
    let code = FindingCode::InternalSnapshots;
    let (ok, lost, refused) = ((Severity::Ok, false), (Severity::Warning, true), (Severity::Blocker, false));
    assert_eq!(all(Some(SNAPSHOT), code), [Some(lost), Some(ok), Some(refused), Some(ok)]);
    assert_eq!(all(Some(RECORDING), code), [None; 4]);
}

#[test]
fn bitmaps_that_do_not_record_stay_behind_only_while_the_vm_runs() {
    let code = FindingCode::Bitmaps;
    let (ok, lost, refused) = ((Severity::Ok, false), (Severity::Warning, true), (Severity::Blocker, false));
    let unknown = (Severity::Unknown, false);
    assert_eq!(all(Some(STOPPED), code), [Some(lost), Some(ok), Some(refused), Some(ok)]);
    assert_eq!(all(Some(RECORDING), code), [Some(unknown), Some(ok), Some(unknown), Some(ok)]);
    assert_eq!(all(Some(SNAPSHOT), code), [None; 4]);
    let text = found(&bench(Some(STOPPED)), code).unwrap().text;
    assert!(text.contains("2 dirty bitmaps in the image of vda"), "{text}");
}

#[test]
fn an_old_libvirt_copies_no_bitmap() {
    for old in ["source", "destination"] {
        let mut bench = bench(Some(RECORDING));
        let version = if old == "source" { &mut bench.source_libvirt } else { &mut bench.destination_libvirt };
        *version = 7_000_000;
        assert_eq!(found(&bench, FindingCode::Bitmaps).unwrap().severity, Severity::Warning, "{old}");
    }
}

#[test]
fn an_image_that_can_not_be_read_may_hold_anything() {
    let (unknown, risk) = ((Severity::Unknown, false), (Severity::Warning, true));
    assert_eq!(all(None, FindingCode::InternalSnapshots), [Some(unknown), None, Some(risk), None]);
    let mut bench = bench(None);
    bench.source_pools.clear();
    bench.options.remove_source_disks = true;
    let finding = found(&bench, FindingCode::InternalSnapshots).unwrap();
    assert_eq!(finding.severity, Severity::Unknown, "what is in no pool is not removed");
    assert!(finding.text.contains("or does not understand its header"), "{finding:?}");
}

#[test]
fn nothing_is_lost_of_a_disk_that_both_hosts_share() {
    let mut bench = bench(Some(SNAPSHOT));
    for host in [&mut bench.source, &mut bench.destination] {
        host.shared_directories = vec!["/srv/vms".into()];
    }
    bench.options.remove_source_disks = true;
    assert!(matches!(bench.plan().0[0].treatment, Treatment::Shared { .. }));
    assert_eq!(found(&bench, FindingCode::InternalSnapshots), None);
}
