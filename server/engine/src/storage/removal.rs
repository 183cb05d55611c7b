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
    connection: &dyn HostConnection,
    migration: &Migration,
    leftover: &Leftover,
) -> Result<Removal, Error> {
    let Some((pool, name)) = leftover.what.volume() else { return Ok(Removal::Absent) };
    let Some(volume) = connection.volume(pool, name).await? else { return Ok(Removal::Absent) };
    if let LeftoverKind::Volume { capacity_bytes, confirmed, unused, .. } = leftover.what {
        if !confirmed && !is_as_made(&volume, capacity_bytes) {
            let text = format!("Whether this migration made {} is not certain, so it is not touched.", leftover.name());
            return Ok(Removal::Kept(text));
        }
        is_at_rest(connection, migration, leftover).await?;
        let users = connection.users_of_image(&volume.path, migration.vm).await?.here;
        if !users.is_empty() {
            return Ok(Removal::Kept(format!(
                "It stays, because it is in use: {} ({}).",
                leftover.name(),
                users.join(", ")
            )));
        }
        if confirmed && !unused {
            return Err(old_image_gone(migration, leftover));
        }
    }
    connection.delete_volume(pool, name).await?;
    Ok(Removal::Removed)
}

/// Whether the VM is at the source, and on the image that was copied. It may have arrived, and come back with the copy while no
/// console watched: storage that both hosts reach may have another path at each.
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

/// Nothing is deleted that a copy on its way to the host, or from there, might have open: it can't be asked for its disks.
async fn is_at_rest(connection: &dyn HostConnection, migration: &Migration, left: &Leftover) -> Result<(), HostError> {
    let copy = connection.copy(migration.vm).await?;
    match Presence::of(copy.as_ref()) {
        Presence::Absent | Presence::Inactive | Presence::Active => Ok(()),
        _ => {
            let text = format!("{} is being moved to {} or from there.", migration.vm_name, left.host);
            Err(HostError::new(HostErrorKind::WrongState, text))
        }
    }
}

fn old_image_gone(migration: &Migration, leftover: &Leftover) -> Error {
    let volume = leftover.what.volume();
    let disk = migration.disks.iter().find(|disk| Some((disk.pool.as_str(), disk.volume.as_str())) == volume);
    let image = disk.map(|disk| disk.source.clone()).unwrap_or_default();
    Error::OldImageGone { vm: migration.vm_name.clone(), image, host: migration.source.clone() }
}
