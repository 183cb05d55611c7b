//! The old images of a VM that has moved are removed at the end, if that was asked for. What was made for one that stayed: `removal.rs`.

use model::{DiskMove, Mode, VmId};

use super::{
    endpoints::Endpoints,
    journal::StorageJournal,
    shared,
    untouched::{CopiedImage, why_not_as_copied},
};
use crate::{context::Context, hypervisor::HostError};

/// Removes the old images of the disks that were copied, if that was asked for: last of all, when the VM is known to be at
/// the destination and only there, and libvirt `succeeded`, too: where the VM runs says nothing of what is on its disks. Only those
/// whose copies are proven, and of a VM that was off only those `images` that are still what was copied. Not if the migration was
/// cancelled too late: whoever cancels has a reason. A failure here does not make the migration a failure.
pub(crate) async fn remove_source_disks(
    context: &Context,
    journal: &mut dyn StorageJournal,
    succeeded: bool,
    images: &[CopiedImage],
) {
    let hosts = Endpoints::of(context, journal.record());
    let copied: Vec<DiskMove> = journal.record().disks.iter().filter(|disk| disk.created).cloned().collect();
    if !journal.record().options.remove_source_disks || copied.is_empty() {
        return;
    }
    let why_not = if journal.unless_cancelled().await.is_err() {
        Some("the migration was cancelled, though too late")
    } else if !succeeded {
        Some("libvirt did not say that all went well")
    } else {
        None
    };
    if let Some(why) = why_not {
        return journal.write(format!("The old images stay on {}: {why}.", hosts.source_name())).await;
    }
    // A guest that runs writes to its disks until it switches over.
    let images = (journal.record().mode == Mode::Offline).then_some(images);
    for DiskMove { source: path, proven, .. } in copied {
        if !proven {
            let text = format!("The old image {path} stays on {}: its copy is not proven.", hosts.source_name());
            journal.write(text).await;
            continue;
        }
        let text = remove_source_disk(&hosts, journal.record().vm, &path, images).await.unwrap_or_else(|problem| {
            format!("Could not remove the old image {path} from {}: {problem}", hosts.source_name())
        });
        journal.write(text).await;
    }
}

/// Removes an image that nothing needs any more; returns what came of it, in words.
async fn remove_source_disk(
    hosts: &Endpoints<'_>,
    vm: VmId,
    path: &str,
    images: Option<&[CopiedImage]>,
) -> Result<String, HostError> {
    let (host, source) = (hosts.source_name(), hosts.source()?);
    if shared::directory(&hosts.configs()?.0, path).is_some() {
        return Ok(format!("The old image {path} is on shared storage, so it was not removed from {host}."));
    }
    let Some((pool, volume)) = source.volume_at(path).await? else {
        return Ok(format!("The old image {path} is in no active pool of {host}, so it was not removed."));
    };
    let users = source.users_of_image(path, Some(vm)).await?;
    let users = [users.here, users.elsewhere].concat();
    if !users.is_empty() {
        let users = users.join(", ");
        return Ok(format!("The old image {path} is still needed on {host} ({users}), so it was not removed."));
    }
    // Looked at last of all.
    let now = source.volume(&pool, &volume.name).await?;
    if let (Some(images), Some(now)) = (images, &now)
        && let Some(why) = why_not_as_copied(path, now, images)
    {
        return Ok(format!("The old image {path} stays on {host}: {why}."));
    }
    source.delete_volume(&pool, &volume.name).await?;
    Ok(format!("Removed the old image {path} from {host}."))
}
