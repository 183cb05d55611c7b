//! What an image holds beside what the guest sees, and a copy might not: internal snapshots and dirty bitmaps of qcow2.
//!
//! While a VM is off, images are copied byte for byte, with all that is in them. While it runs, QEMU copies what the guest sees;
//! libvirt adds the bitmaps in which QEMU records what the guest writes (`qemuMigrationCookieBlockDirtyBitmaps`), and refuses to
//! migrate with one that a crash has made inconsistent.

use model::{Finding, FindingCode, Mode};

use super::plan::PlanInput;
use crate::hypervisor::{Disk, ImageExtras};

/// The first libvirt that copies bitmaps with a disk.
const COPIES_BITMAPS: u64 = 7_001_000;

/// Adds what a copy would lack. `removable` says whether the old image can be removed, which the request may want.
///
/// # Errors
/// If the old image is to be removed, and would be the only one that has it.
pub(super) fn check(
    input: PlanInput<'_>,
    disk: &Disk,
    removable: bool,
    findings: &mut Vec<Finding>,
) -> Result<(), Finding> {
    let removed = input.options.remove_source_disks && removable;
    let found = match disk.extras {
        Some(extras) => [snapshots(input, disk, extras.snapshots), bitmaps(input, disk, extras)],
        None => [unread(input, disk, removed), None],
    };
    for finding in found.into_iter().flatten() {
        if removed && finding.consent && disk.extras.is_some() {
            let text = format!("{} Its old image, the only one that has them, would be removed.", finding.text);
            let fix = "Keep the old image, or move the VM while it is off: then the whole image is copied.";
            return Err(Finding::blocker(finding.code, text).with_fix(fix));
        }
        findings.push(finding);
    }
    Ok(())
}

fn snapshots(input: PlanInput<'_>, disk: &Disk, count: u32) -> Option<Finding> {
    let (code, target) = (FindingCode::InternalSnapshots, &disk.target);
    if count == 0 {
        return None;
    }
    let have = format!("{} in the image of {target}", counted(count, "internal snapshot"));
    if input.mode == Mode::Offline {
        return Some(Finding::ok(code, format!("The copy will have the {have}, too.")));
    }
    let text = format!("The copy of a running VM's disk will not have the {have}.");
    let fix = "Move the VM while it is off: then the whole image is copied. Or keep the old image.";
    Some(Finding::warning(code, text).with_fix(fix).needs_consent())
}

fn bitmaps(input: PlanInput<'_>, disk: &Disk, extras: ImageExtras) -> Option<Finding> {
    let (code, target) = (FindingCode::Bitmaps, &disk.target);
    let all = extras.recording_bitmaps + extras.other_bitmaps;
    if all == 0 {
        return None;
    }
    if input.mode == Mode::Offline {
        let have = format!("{} in the image of {target}", counted(all, "dirty bitmap"));
        return Some(Finding::ok(code, format!("The copy will have the {have}, too.")));
    }
    let copies = [input.source, input.destination].iter().all(|side| side.survey.libvirt_version >= COPIES_BITMAPS);
    let lost = if copies { extras.other_bitmaps } else { all };
    if lost > 0 {
        let have = format!("{} in the image of {target}", counted(lost, "dirty bitmap"));
        let text = format!("The copy of a running VM's disk will not have the {have}.");
        let fix = "Move the VM while it is off: then the whole image is copied. Or make a full backup afterwards: an incremental one \
                   has nothing to stand on.";
        return Some(Finding::warning(code, text).with_fix(fix).needs_consent());
    }
    let have = format!("{} in the image of {target}", counted(all, "dirty bitmap"));
    let text = format!(
        "libvirt copies the {have}, but refuses to migrate if a crash has left one inconsistent, which can't be seen while the VM runs."
    );
    let fix = "If it refuses, remove that bitmap while the VM is off (qemu-img bitmap --remove).";
    Some(Finding::unknown(code, text).with_fix(fix))
}

/// An image that can't be read, or not be understood, may hold anything.
fn unread(input: PlanInput<'_>, disk: &Disk, removed: bool) -> Option<Finding> {
    if input.mode == Mode::Offline {
        return None;
    }
    let (target, source) = (&disk.target, input.source.name());
    let text = format!(
        "Whether the image of {target} has internal snapshots or dirty bitmaps can't be seen: the console can't read it through a \
         storage pool of {source}, or does not understand its header. The copy of a running VM's disk has no snapshots."
    );
    let fix = format!("Look with qemu-img info on {source}. Where no started pool has its directory, one helps.");
    let code = FindingCode::InternalSnapshots;
    if removed {
        return Some(
            Finding::warning(code, format!("{text} Its old image would be removed.")).with_fix(fix).needs_consent(),
        );
    }
    Some(Finding::unknown(code, text).with_fix(fix))
}

fn counted(count: u32, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
