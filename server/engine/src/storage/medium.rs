//! Media in drives, and disks that the guest can't write to: libvirt copies none of them, so the destination has to have them.

use model::{Finding, FindingCode, Mode, Severity, text};

use super::{
    plan::{Plan, PlanInput, location},
    shared::{self, parent},
};
use crate::hypervisor::{Disk, DiskDevice, DiskSource, Volume};

/// What the destination has in place of an image.
enum AtDestination {
    /// The very same, and how that is known.
    Same(String),
    /// A volume of this path. Only name and size were compared.
    Namesake(Volume),
    /// A pool for the directory, and no such volume in it; or no way to have it.
    Missing(String),
    /// No pool for the directory.
    Unknown,
}

/// Checks whether the destination has the image; plans to eject it if it has not and the request says so.
pub(super) fn check(input: PlanInput<'_>, disk: &Disk, plan: &mut Plan) {
    let is_drive = matches!(disk.device, DiskDevice::Cdrom | DiskDevice::Floppy);
    let path = location(input, disk);
    let found = at_destination(input, disk, &path);
    let is_present = matches!(found, AtDestination::Same(_) | AtDestination::Namesake(_));
    if is_drive && input.options.eject_media && !is_present {
        let text = format!("{path} will be ejected from {} first.", disk.target);
        plan.findings.push(Finding::ok(FindingCode::Medium, text));
        plan.eject.push(disk.target.clone());
        return;
    }
    let code = match (is_drive, &found) {
        (true, _) => FindingCode::Medium,
        (false, AtDestination::Missing(_)) => FindingCode::DiskKind,
        (false, _) => FindingCode::DiskShared,
    };
    plan.findings.push(finding(input, disk, &path, found, code));
}

fn at_destination(input: PlanInput<'_>, disk: &Disk, path: &str) -> AtDestination {
    match shared::evidence(input, disk, path) {
        Ok(Some(evidence)) => return AtDestination::Same(evidence.words()),
        Err(problem) => return AtDestination::Missing(problem.text),
        Ok(None) => {}
    }
    let host = input.destination.name();
    let by_name = |disk: &Disk| match &disk.source {
        DiskSource::Volume { pool, volume } => Some((pool.clone(), volume.clone())),
        _ => None,
    };
    let mut active = input.destination.pools().iter().filter(|pool| pool.active);
    if let Some((pool, volume)) = by_name(disk) {
        let found = active
            .find(|known| known.name == pool)
            .map(|known| known.volumes.iter().find(|known| known.name == volume));
        return match found {
            Some(Some(volume)) => AtDestination::Namesake(volume.clone()),
            Some(None) => AtDestination::Missing(format!("The pool {pool} on {host} has no volume {volume}.")),
            None => AtDestination::Missing(format!("{host} has no active pool {pool}.")),
        };
    }
    let covering: Vec<_> = active.filter(|pool| pool.path.is_some() && pool.path.as_deref() == parent(path)).collect();
    let found = covering.iter().flat_map(|pool| &pool.volumes).find(|volume| volume.path == path);
    match (found, covering.first()) {
        (Some(volume), _) => AtDestination::Namesake(volume.clone()),
        (None, Some(pool)) => AtDestination::Missing(format!("The pool {} on {host} has no {path}.", pool.name)),
        (None, None) => AtDestination::Unknown,
    }
}

fn finding(input: PlanInput<'_>, disk: &Disk, path: &str, found: AtDestination, code: FindingCode) -> Finding {
    let (target, host) = (&disk.target, input.destination.name());
    let is_drive = code == FindingCode::Medium;
    let copy = format!("Copy {path} to {host}");
    let fix = if is_drive { format!("{copy}, or eject it.") } else { format!("{copy}.") };
    match found {
        AtDestination::Same(words) => Finding::ok(code, format!("{target}: {words}.")),
        AtDestination::Namesake(volume) if is_other_size(disk, &volume) => {
            let (now, then) = (text::bytes(volume.capacity_bytes), text::bytes(disk.capacity_bytes));
            Finding::warning(code, format!("{host} has {path} for {target}, but with {now} instead of {then}."))
                .with_fix(fix)
        }
        AtDestination::Namesake(_) => {
            Finding::ok(code, format!("{host} has {path} for {target}; only name and size were compared."))
        }
        AtDestination::Missing(words) if disk.optional => {
            Finding::warning(code, format!("{words} {target} will arrive empty.")).with_fix(fix)
        }
        // A definition alone can go; the VM will not start before the image is there.
        AtDestination::Missing(words) if input.mode == Mode::Offline => Finding::warning(code, words).with_fix(fix),
        AtDestination::Missing(words) => Finding::new(code, Severity::Blocker, words).with_fix(fix),
        AtDestination::Unknown => {
            let text = format!(
                "Whether {host} has {path} for {target} can't be seen: none of its pools is for that directory."
            );
            Finding::unknown(code, text).with_fix(fix)
        }
    }
}

/// Whether a volume has another size than the image, where both are known.
fn is_other_size(disk: &Disk, volume: &Volume) -> bool {
    let (image, volume) = (disk.capacity_bytes, volume.capacity_bytes);
    image > 0 && volume > 0 && image != volume
}
