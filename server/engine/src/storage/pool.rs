//! Which pool of the destination a disk is copied to.

use model::{Finding, FindingCode};

use super::{plan::PlanInput, shared::parent};
use crate::hypervisor::{Disk, DiskSource, Pool};

/// Pools whose volumes are files.
pub(super) const FILE_POOLS: [&str; 3] = ["dir", "fs", "netfs"];
/// Pools whose volumes are block devices that can be made (LVM).
pub(super) const LOGICAL: &str = "logical";

/// Active pools of the destination in which a copy can be made.
pub(super) fn candidates<'a>(input: PlanInput<'a>, disk: &'a Disk) -> impl Iterator<Item = &'a Pool> {
    input.destination.pools().iter().filter(|pool| pool.active && suits(pool, disk))
}

/// Whether a pool's volumes can hold such a disk. A block device goes to a block device only.
fn suits(pool: &Pool, disk: &Disk) -> bool {
    match disk.source {
        DiskSource::Block { .. } => pool.kind == LOGICAL,
        _ => FILE_POOLS.contains(&pool.kind.as_str()) || (pool.kind == LOGICAL && disk.format == "raw"),
    }
}

/// The pool that the request names; else the one at the same path, else one of the same name, else the one with the most free space.
pub(super) fn choose<'a>(input: PlanInput<'a>, disk: &'a Disk, path: &str) -> Result<&'a Pool, Finding> {
    let (target, destination) = (&disk.target, input.destination.name());
    let blocker = |text: String, fix: String| Err(Finding::blocker(FindingCode::Pool, text).with_fix(fix));
    if input.destination.survey.pools.is_none() {
        let text =
            format!("{destination} does not say what storage pools it has, so where {target} can go is not known.");
        return Err(Finding::unknown(FindingCode::Pool, text)
            .with_fix(format!("See that the console may use storage on {destination}.")));
    }
    if let Some(name) = input.options.pools.get(target) {
        return picked(input, disk, name);
    }
    let at_same_path = |pool: &Pool| pool.path.is_some() && pool.path.as_deref() == parent(path);
    let of_same_name = |pool: &Pool| source_pool(input, disk, path) == Some(pool.name.as_str());
    let suitable = || input.destination.pools().iter().filter(|pool| suits(pool, disk));
    if let Some(pool) = suitable().find(|pool| at_same_path(pool)) {
        return if pool.active {
            Ok(pool)
        } else {
            let text = format!("{target} would go to the pool {} on {destination}, but that is not active.", pool.name);
            blocker(text, format!("Start the pool {} on {destination}, or pick another.", pool.name))
        };
    }
    let chosen = candidates(input, disk).find(|pool| of_same_name(pool)).or_else(|| {
        // A volume group is not chosen for its free space: it may be meant for something else.
        let files = candidates(input, disk).filter(|pool| pool.kind != LOGICAL);
        files.max_by_key(|pool| pool.available_bytes)
    });
    chosen.map_or_else(|| Err(no_pool(input, disk, path)), Ok)
}

/// The pool that the request names for a disk, if the disk can be copied there.
fn picked<'a>(input: PlanInput<'a>, disk: &Disk, name: &str) -> Result<&'a Pool, Finding> {
    let (target, destination) = (&disk.target, input.destination.name());
    let (text, fix) = match input.destination.pool(name) {
        Some(pool) if !suits(pool, disk) => (
            format!("{target} can't be copied to a pool of type {} ({name}).", pool.kind),
            format!("Pick another pool of {destination}."),
        ),
        Some(pool) if !pool.active => (
            format!("The pool {name} on {destination} is not active."),
            format!("Start the pool {name} on {destination}, or pick another."),
        ),
        Some(pool) => return Ok(pool),
        None => (format!("{destination} has no pool called {name}."), format!("Pick another pool of {destination}.")),
    };
    Err(Finding::blocker(FindingCode::Pool, text).with_fix(fix))
}

/// The name of the source's pool that a disk is in.
fn source_pool<'a>(input: PlanInput<'a>, disk: &'a Disk, path: &str) -> Option<&'a str> {
    if let DiskSource::Volume { pool, .. } = &disk.source {
        return Some(pool);
    }
    let at = parent(path)?;
    let mut pools = input.source.pools().iter();
    pools.find(|pool| pool.path.as_deref() == Some(at)).map(|pool| pool.name.as_str())
}

fn no_pool(input: PlanInput<'_>, disk: &Disk, path: &str) -> Finding {
    let (target, destination, directory) = (&disk.target, input.destination.name(), parent(path).unwrap_or(path));
    let (text, fix) = if matches!(disk.source, DiskSource::Block { .. }) {
        (
            format!(
                "{target} ({path}) is a block device that {destination} is not known to have, and {destination} has no volume group \
                 (logical pool) of the same name to copy it to."
            ),
            format!(
                "If {destination} has the device, too: an iSCSI or SCSI pool for it on both hosts, or {directory} in both hosts' \
                 shared_directories."
            ),
        )
    } else {
        (
            format!(
                "{target} ({path}) is not shared, and {destination} has no active storage pool it could be copied to."
            ),
            format!("Define and start a directory pool on {destination}, preferably at {directory}."),
        )
    };
    Finding::blocker(FindingCode::Pool, text).with_fix(fix)
}
