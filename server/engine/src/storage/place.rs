//! Where a disk that is not shared is copied to.

use std::collections::BTreeMap;

use model::{Finding, FindingCode, Mode, PoolChoice, text};

use super::{
    extras,
    plan::{Place, PlanInput, location},
    pool::{self, FILE_POOLS, LOGICAL},
    shared::{self, parent},
};
use crate::hypervisor::{Disk, DiskDevice, DiskSource, Pool, Volume};

/// What a new volume takes on top of its contents, as a part of its capacity: qcow2's tables need 1/6553 of it (16 and 2 bytes
/// for every cluster of 64 KiB, rounded up).
const TABLES: u64 = 4096;
/// What a new volume takes at least, in bytes: qcow2's header and first tables, and whole clusters.
const HEADER: u64 = 1 << 20;

/// What the disks placed so far take: volumes and bytes, by pool.
#[derive(Default)]
pub(super) struct Spent {
    volumes: Vec<(String, String)>,
    bytes: BTreeMap<String, u64>,
}

/// The pool and the volume for a copy; an error where there can be none.
pub(super) fn choose(
    input: PlanInput<'_>,
    disk: &Disk,
    path: &str,
    spent: &mut Spent,
    findings: &mut Vec<Finding>,
) -> Result<Place, Finding> {
    can_be_copied(input, disk, path)?;
    let origin = origin(input, disk, path);
    if input.mode == Mode::Offline && origin.is_none() {
        return Err(not_in_a_pool(input, disk, path));
    }
    let pool = pool::choose(input, disk, path)?;
    let volume = volume_name(disk, path, &pool.name, spent);
    if let Some(existing) = pool.volumes.iter().find(|existing| existing.name == volume) {
        return Err(exists(input, disk, pool, existing));
    }
    space(input, disk, pool, spent, findings)?;
    let stays = why_old_image_stays(input, disk, path, origin.as_ref());
    extras::check(input, disk, stays.is_none(), findings)?;
    tell(input, disk, path, pool, &volume, findings);
    if let Some(why) = stays.filter(|_| input.options.remove_source_disks) {
        findings.push(Finding::warning(FindingCode::Pool, why).with_fix("Remove it by hand afterwards."));
    }
    spent.volumes.push((pool.name.clone(), volume.clone()));
    let others = pool::candidates(input, disk).filter(|other| other.name != pool.name);
    let choice = |other: &Pool| PoolChoice { pool: other.name.clone(), available_bytes: other.available_bytes };
    let other_pools = others.map(choice).collect();
    Ok(Place {
        pool: pool.name.clone(),
        volume,
        is_block: pool.kind == LOGICAL,
        origin,
        available_bytes: pool.available_bytes,
        other_pools,
    })
}

/// Refuses disks that can't be copied, or whose copy would not be the same disk.
fn can_be_copied(input: PlanInput<'_>, disk: &Disk, path: &str) -> Result<(), Finding> {
    let (target, destination) = (&disk.target, input.destination.name());
    let blocker = |text: String, fix: String| Err(Finding::blocker(FindingCode::DiskKind, text).with_fix(fix));
    let declare = format!(
        "If {destination} has it, too, tell vmferry so: define a pool for it on both hosts, or list its directory in both hosts' \
         shared_directories."
    );
    if disk.shareable {
        return blocker(
            format!("{target} may be used by several VMs at a time; a copy would no longer be shared."),
            declare,
        );
    }
    let is_same = |other: &&Disk| other.target != *target && location(input, other) == path;
    if let Some(Disk { target: other, .. }) = input.domain.disks.iter().find(is_same) {
        let text = format!("{target} and {other} are the same image ({path}); their copies would be two images.");
        return blocker(text, "Detach one of the two.".to_owned());
    }
    if disk.has_data_file_or_slice {
        let text = format!("The image of {target} is not a single file: it has a data file, or is a slice of a file.");
        return blocker(text, declare);
    }
    if disk.device == DiskDevice::Lun {
        return blocker(format!("{target} is a SCSI device of the host, which can't be copied."), declare);
    }
    if matches!(disk.source, DiskSource::Block { .. }) && disk.format != "raw" {
        let text = format!("{target} is a {} image on a block device, which can't be copied.", disk.format);
        return blocker(text, declare);
    }
    if input.domain.secrets.iter().any(|secret| &secret.target == target) {
        return blocker(format!("{target} is encrypted; a copy of it would not be."), declare);
    }
    if disk.capacity_bytes == 0 {
        let text = format!("{} does not tell how large {target} is, so no copy can be made.", input.source.name());
        return Err(Finding::blocker(FindingCode::DiskCopied, text).with_fix("See that its image is there."));
    }
    if input.mode == Mode::Offline && disk.has_backing {
        return Err(only_the_top(target));
    }
    Ok(())
}

/// That the copy of a shut-off VM's disk would lack what is in its backing chain.
pub(super) fn only_the_top(target: &str) -> Finding {
    let text = format!("{target} has a backing chain, and only its top image would be copied while the VM is off.");
    Finding::blocker(FindingCode::BackingChain, text).with_fix("Move the VM while it runs: the copy then stands alone.")
}

/// The source's pool and volume in which an image is.
fn origin(input: PlanInput<'_>, disk: &Disk, path: &str) -> Option<(String, String)> {
    if let DiskSource::Volume { pool, volume } = &disk.source {
        return Some((pool.clone(), volume.clone()));
    }
    let active = || input.source.pools().iter().filter(|pool| pool.active);
    let mut volumes = active().flat_map(|pool| pool.volumes.iter().map(move |volume| (pool, volume)));
    if let Some((pool, volume)) = volumes.find(|(_, volume)| volume.path == path) {
        return Some((pool.name.clone(), volume.name.clone()));
    }
    // libvirt lists a file that another program made only after the pool has been refreshed, which happens before the file is read.
    let (directory, name) = path.rsplit_once('/')?;
    let holds = |pool: &&Pool| FILE_POOLS.contains(&pool.kind.as_str()) && pool.path.as_deref() == Some(directory);
    active().find(holds).map(|pool| (pool.name.clone(), name.to_owned()))
}

fn not_in_a_pool(input: PlanInput<'_>, disk: &Disk, path: &str) -> Finding {
    let (source, directory) = (input.source.name(), parent(path).unwrap_or(path));
    let text = format!("{} ({path}) is in no active pool of {source}, so the console can't read it.", disk.target);
    Finding::blocker(FindingCode::Pool, text)
        .with_fix(format!("Define and start a pool for {directory} on {source}, or move the VM while it runs."))
}

/// The file's name; with the disk's target before it if another disk's copy has that name already.
fn volume_name(disk: &Disk, path: &str, pool: &str, spent: &Spent) -> String {
    let name = match &disk.source {
        DiskSource::Volume { volume, .. } => volume.as_str(),
        _ => path.rsplit('/').next().unwrap_or(path),
    };
    let taken = spent.volumes.iter().any(|(other, taken)| other == pool && taken == name);
    if taken { format!("{}-{name}", disk.target) } else { name.to_owned() }
}

fn exists(input: PlanInput<'_>, disk: &Disk, pool: &Pool, existing: &Volume) -> Finding {
    let host = input.destination.name();
    let (now, then) = (text::bytes(existing.capacity_bytes), text::bytes(disk.capacity_bytes));
    let size = if existing.capacity_bytes == disk.capacity_bytes {
        String::new()
    } else {
        format!(" ({} has {then})", disk.target)
    };
    let text = format!(
        "The pool {} on {host} has a volume {} of {now}{size} already; it is not touched.",
        pool.name, existing.name
    );
    if input.destination.left_volumes.iter().any(|(at, name)| (at, name) == (&pool.name, &existing.name)) {
        let text = format!(
            "The pool {} on {host} still has the volume {} that an earlier migration has left. vmferry is removing it.",
            pool.name, existing.name
        );
        return Finding::blocker(FindingCode::DiskExists, text)
            .with_fix("Try again in a minute, or choose another pool.");
    }
    Finding::blocker(FindingCode::DiskExists, text).with_fix(
        "If it is a leftover, delete it; if not, choose another pool. If it is the same disk, tell vmferry so: define a pool of the \
         same source on both hosts, or list the directory in both hosts' shared_directories.",
    )
}

/// Whether the pool has room for this disk and those placed there before it.
fn space(
    input: PlanInput<'_>,
    disk: &Disk,
    pool: &Pool,
    spent: &mut Spent,
    findings: &mut Vec<Finding>,
) -> Result<(), Finding> {
    let tables = disk.capacity_bytes / TABLES + HEADER;
    let most = disk.capacity_bytes.saturating_add(tables);
    // A logical volume has no holes. What a backing chain takes, or an image of unknown allocation, is only known to be at most `most`.
    let least = if pool.kind == LOGICAL {
        disk.capacity_bytes
    } else {
        disk.allocation_bytes.min(disk.capacity_bytes) + tables
    };
    let before = spent.bytes.entry(pool.name.clone()).or_default();
    let left = pool.available_bytes.saturating_sub(*before);
    let (target, destination, name) = (&disk.target, input.destination.name(), &pool.name);
    let room = text::bytes(left);
    if least > left {
        let text = format!(
            "{target} takes at least {}, but the pool {name} on {destination} has only {room} for it.",
            text::bytes(least)
        );
        return Err(Finding::blocker(FindingCode::DiskSpace, text).with_fix("Make room there, or pick another pool."));
    }
    if (disk.has_backing || disk.allocation_bytes == 0) && most > left {
        let text = format!(
            "{target} may take up to {}, and the pool {name} on {destination} has {room} for it.",
            text::bytes(most)
        );
        findings
            .push(Finding::warning(FindingCode::DiskSpace, text).with_fix("Make room there, or pick another pool."));
    }
    *before += least;
    Ok(())
}

/// Adds findings: where the disk is copied to, and that the copy has no backing chain.
fn tell(input: PlanInput<'_>, disk: &Disk, path: &str, pool: &Pool, volume: &str, findings: &mut Vec<Finding>) {
    let (target, destination) = (&disk.target, input.destination.name());
    let size = text::bytes(disk.capacity_bytes);
    let text = format!("{target} ({path}, {size}) is copied to the pool {} on {destination} as {volume}.", pool.name);
    findings.push(Finding::ok(FindingCode::DiskCopied, text));
    if disk.has_backing {
        let text = format!("{target} has a backing chain; its copy will have none and may take up to {size}.");
        findings.push(Finding::warning(FindingCode::BackingChain, text));
    }
}

/// Why an old image can't be removed, if the request says so; none if it can.
fn why_old_image_stays(
    input: PlanInput<'_>,
    disk: &Disk,
    path: &str,
    origin: Option<&(String, String)>,
) -> Option<String> {
    let (target, source) = (&disk.target, input.source.name());
    let pool = origin.and_then(|(pool, _)| input.source.pool(pool));
    let is_shared =
        pool.is_some_and(|pool| pool.source.is_some()) || shared::directory(input.source.config, path).is_some();
    if is_shared {
        return Some(format!("{target} ({path}) is on shared storage, so its old image is not removed."));
    }
    origin
        .is_none()
        .then(|| format!("{target} ({path}) is in no active pool of {source}, so its old image can't be removed."))
}
