//! Removes a volume that a migration has left, if it is certain that it is the migration's and that nothing needs it.

use model::{DiskMove, Leftover, LeftoverKind, Migration};

use super::endpoints::Endpoints;
use crate::{
    context::Context,
    error::Error,
    hypervisor::{DiskSource, HostConnection, HostError, HostErrorKind, Presence, Volume},
};

/// What a volume takes at most that nothing was written to, in bytes: qcow2's header and first tables, and whole clusters.
const EMPTY: u64 = 1 << 20;

/// What came of looking after a leftover.
#[derive(Debug)]
pub(crate) enum Removal {
    /// It was there, and was removed.
    Removed,
    /// It is not there, or nothing that a migration has left.
    Absent,
    /// It is not this migration's to remove: why, in a sentence.
    Kept(String),
}

/// Removes a volume.
///
/// # Errors
/// Why it can't be removed now.
pub(crate) async fn remove_volume(
    context: &Context,
    connection: &dyn HostConnection,
    migration: &Migration,
    leftover: &Leftover,
) -> Result<Removal, Error> {
    let Some((pool, name)) = leftover.what.volume() else { return Ok(Removal::Absent) };
    let Some(volume) = connection.volume(pool, name).await? else { return Ok(Removal::Absent) };
    if let LeftoverKind::Volume { .. } = leftover.what {
        if let Some(why) = is_not_ours(migration, leftover, &volume) {
            return Ok(Removal::Kept(why));
        }
        if let Some(why) = is_needed(context, connection, migration, leftover, &volume).await? {
            return Ok(Removal::Kept(why));
        }
    }
    connection.delete_volume(pool, name).await?;
    Ok(Removal::Removed)
}

/// Why a volume may not be the one that the migration has made, in a sentence; none if it is.
fn is_not_ours(migration: &Migration, leftover: &Leftover, volume: &Volume) -> Option<String> {
    let LeftoverKind::Volume { capacity_bytes, confirmed, .. } = leftover.what else { return None };
    let name = leftover.name();
    if !confirmed {
        let is_ours = is_as_made(volume, capacity_bytes);
        return (!is_ours).then(|| format!("Whether this migration made {name} is not certain, so it is not touched."));
    }
    let path = disk_of(migration, leftover).and_then(|disk| disk.path.as_ref());
    // A raw file of which a hole was written last is cut off there (libvirt's `virFDStreamThreadDoWrite`), and is whole only at the end.
    // Earlier versions have not written down how large it was made.
    let is_ours = path == Some(&volume.path) && (volume.capacity_bytes <= capacity_bytes || capacity_bytes == 0);
    (!is_ours).then(|| format!("{name} is not the volume that this migration made, so it is not touched."))
}

/// What needs a volume, in a sentence; none if nothing does. What was seen before does not count: the VM may have been brought to it
/// since. Only a host that has no copy of the VM at all needs not be doubted.
///
/// # Errors
/// Why that can't be told now.
async fn is_needed(
    context: &Context,
    connection: &dyn HostConnection,
    migration: &Migration,
    leftover: &Leftover,
    volume: &Volume,
) -> Result<Option<String>, Error> {
    let LeftoverKind::Volume { confirmed, unused, .. } = leftover.what else { return Ok(None) };
    let has_copy = is_at_rest(connection, migration, leftover).await? != Presence::Absent;
    let users = connection.users_of_image(&volume.path, None).await?.here;
    if !users.is_empty() {
        let is_definition = |left: &Leftover| left.host == leftover.host && left.what == LeftoverKind::Definition;
        if migration.leftovers.iter().any(is_definition) {
            // It may be the definition that the migration has left, and that is to go first.
            let (vm, host) = (migration.vm_name.clone(), leftover.host.clone());
            return Err(Error::DefinitionMayBeNeeded { vm, host });
        }
        return Ok(Some(format!("It stays, because it is in use: {} ({}).", leftover.name(), users.join(", "))));
    }
    let is_unused = match has_copy {
        true => has_its_old_image_now(context, migration, leftover).await?,
        false => unused || !confirmed,
    };
    if !is_unused {
        return Err(old_image_gone(migration, leftover));
    }
    // Looking took its time.
    is_at_rest(connection, migration, leftover).await?;
    Ok(None)
}

async fn has_its_old_image_now(
    context: &Context,
    migration: &Migration,
    leftover: &Leftover,
) -> Result<bool, HostError> {
    match disk_of(migration, leftover) {
        Some(disk) => has_its_old_image(context, migration, disk).await,
        None => Ok(false),
    }
}

/// The disk that a volume was made for.
fn disk_of<'a>(migration: &'a Migration, leftover: &Leftover) -> Option<&'a DiskMove> {
    let volume = leftover.what.volume();
    migration.disks.iter().find(|disk| Some((disk.pool.as_str(), disk.volume.as_str())) == volume)
}

/// Whether the VM is at the source, not on its way from there, and on the image that was copied. It may have arrived, and come back with
/// the copy while no console watched: storage that both hosts reach may have another path at each.
///
/// # Errors
/// Why the source can't be asked.
pub(crate) async fn has_its_old_image(
    context: &Context,
    migration: &Migration,
    copied: &DiskMove,
) -> Result<bool, HostError> {
    let source = Endpoints::of(context, migration).source()?;
    let copy = source.copy(migration.vm).await?;
    if !matches!(Presence::of(copy.as_ref()), Presence::Active | Presence::Inactive) {
        return Ok(false);
    }
    let domain = source.domain(migration.vm).await?;
    // Another program may send it to where the copy is: asked last, so that it was on the image before it was sent.
    if source.job(migration.vm).await?.is_some() {
        return Ok(false);
    }
    let now = domain.disks.iter().find(|disk| disk.target == copied.target).map(|disk| &disk.source);
    Ok(match now {
        Some(DiskSource::File { path } | DiskSource::Block { path }) => *path == copied.source,
        Some(DiskSource::Volume { pool, volume }) => {
            let old = source.volume_at(&copied.source).await?;
            old.is_some_and(|(of, old)| of == *pool && old.name == *volume)
        }
        _ => false,
    })
}

/// Whether it is as it was made, with nothing in it: even if another program made it, nothing is lost with it.
fn is_as_made(volume: &Volume, capacity_bytes: u64) -> bool {
    volume.capacity_bytes == capacity_bytes && volume.allocation_bytes <= EMPTY
}

/// What the host has of the VM. Nothing is deleted that a copy on its way to the host, or from there, or starting there, might have open:
/// it can't be asked for its disks.
async fn is_at_rest(
    connection: &dyn HostConnection,
    migration: &Migration,
    left: &Leftover,
) -> Result<Presence, HostError> {
    let copy = connection.copy(migration.vm).await?;
    match Presence::of(copy.as_ref()) {
        at_rest @ (Presence::Absent | Presence::Inactive | Presence::Active) => Ok(at_rest),
        _ => {
            let text = format!("{} is being moved to {} or from there.", migration.vm_name, left.host);
            Err(HostError::new(HostErrorKind::WrongState, text))
        }
    }
}

fn old_image_gone(migration: &Migration, leftover: &Leftover) -> Error {
    let image = disk_of(migration, leftover).map(|disk| disk.source.clone()).unwrap_or_default();
    Error::OldImageGone { vm: migration.vm_name.clone(), image, host: migration.source.clone() }
}
