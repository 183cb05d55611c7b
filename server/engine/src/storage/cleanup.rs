//! What is removed at the end: the copies of a VM that stayed, or the old images of one that moved.

use std::time::Duration;

use model::{DiskMove, Migration, VmId};
use tokio::time::{Instant, sleep};

use super::{endpoints::Endpoints, journal::StorageJournal, shared};
use crate::{
    context::Context,
    error::Error,
    hypervisor::{DiskSource, HostError, HostErrorKind, Presence},
};

/// How long a destination that does not answer is waited for.
const LIMIT: Duration = Duration::from_secs(60);
/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);

/// Removes the volumes that the migration made for copies; returns those that could not be removed, in words.
pub(crate) async fn remove_copies(context: &Context, journal: &mut dyn StorageJournal) -> Vec<String> {
    let hosts = Endpoints::of(context, journal.record());
    let (begun, mut left) = (Instant::now(), Vec::new());
    for disk in journal.record().disks.clone() {
        let DiskMove { pool, volume, .. } = &disk;
        let what = format!("the volume {volume} of the pool {pool} on {}", hosts.destination_name());
        if !disk.created {
            tell_of_a_namesake(&hosts, journal, &disk, &what, begun).await;
            continue;
        }
        if journal.does_volume_hang(pool, volume) {
            journal.write(format!("Could not remove {what}: it is still being written to.")).await;
            left.push(format!("{what} (once its storage answers)"));
            continue;
        }
        let removed = patiently(begun, || remove_copy(&hosts, journal.record(), &disk)).await;
        match removed {
            Ok(()) => journal.volume_removed(&disk.target, format!("Removed {what}.")).await,
            Err(problem) => {
                journal.write(format!("Could not remove {what}: {problem}")).await;
                left.push(what);
            }
        }
    }
    left
}

async fn remove_copy(hosts: &Endpoints<'_>, migration: &Migration, disk: &DiskMove) -> Result<(), Error> {
    let destination = hosts.destination()?;
    let copy = destination.copy(migration.vm).await?;
    // The verdict said so; all the same nothing is deleted that a VM might have open.
    if !matches!(Presence::of(copy.as_ref()), Presence::Absent | Presence::Inactive) {
        let host = hosts.destination_name();
        let active = format!("{host} has an active copy of the VM.");
        return Err(HostError::new(HostErrorKind::WrongState, active).into());
    }
    if !has_its_old_image(hosts, migration, disk).await? {
        let Migration { vm_name: vm, source: host, .. } = migration.clone();
        return Err(Error::OldImageGone { vm, image: disk.source.clone(), host });
    }
    Ok(destination.delete_volume(&disk.pool, &disk.volume).await?)
}

/// Whether the VM at the source is on the image that was copied. It may have arrived, and come back with the copy while no console
/// watched: storage that both hosts reach may have another path at each.
async fn has_its_old_image(hosts: &Endpoints<'_>, migration: &Migration, copied: &DiskMove) -> Result<bool, HostError> {
    let source = hosts.source()?;
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

/// A volume that is there without this migration knowing that it made it is not touched. It may have: a host can die between
/// making a volume and saying so, and so can the console between hearing of it and writing it down.
async fn tell_of_a_namesake(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    DiskMove { pool, volume, .. }: &DiskMove,
    what: &str,
    begun: Instant,
) {
    let found = patiently(begun, async || Ok(hosts.destination()?.volume(pool, volume).await?.is_some())).await;
    if let Ok(true) = found {
        let text = format!("There is {what}. Whether this migration made it is not certain, so it was not touched.");
        journal.write(text).await;
    }
}

/// Removes the old images of the disks that were copied, if that was asked for: last of all, when the VM is known to be at
/// the destination and only there, and libvirt `succeeded`, too: where the VM runs says nothing of what is on its disks. Not if
/// the migration was cancelled too late: whoever cancels has a reason. A failure here does not make the migration a failure.
pub(crate) async fn remove_source_disks(context: &Context, journal: &mut dyn StorageJournal, succeeded: bool) {
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
    for DiskMove { source: path, .. } in copied {
        let text = remove_source_disk(&hosts, journal.record().vm, &path).await.unwrap_or_else(|problem| {
            format!("Could not remove the old image {path} from {}: {problem}", hosts.source_name())
        });
        journal.write(text).await;
    }
}

/// Removes an image that nothing needs any more; returns what came of it, in words.
async fn remove_source_disk(hosts: &Endpoints<'_>, vm: VmId, path: &str) -> Result<String, HostError> {
    let (host, source) = (hosts.source_name(), hosts.source()?);
    if shared::directory(&hosts.configs()?.0, path).is_some() {
        return Ok(format!("The old image {path} is on shared storage, so it was not removed from {host}."));
    }
    let Some((pool, volume)) = source.volume_at(path).await? else {
        return Ok(format!("The old image {path} is in no active pool of {host}, so it was not removed."));
    };
    let users = source.users_of_image(path, vm).await?;
    if !users.is_empty() {
        let users = users.join(", ");
        return Ok(format!("The old image {path} is still needed on {host} ({users}), so it was not removed."));
    }
    source.delete_volume(&pool, &volume.name).await?;
    Ok(format!("Removed the old image {path} from {host}."))
}

/// Asks the destination until it is there and at rest, or for too long.
async fn patiently<T, F>(begun: Instant, ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    loop {
        let answer = ask().await;
        let is_away = matches!(
            &answer,
            Err(Error::Host(HostError {
                kind: HostErrorKind::Unreachable | HostErrorKind::TimedOut | HostErrorKind::WrongState,
                ..
            }))
        );
        if !is_away || begun.elapsed() > LIMIT {
            return answer;
        }
        sleep(AGAIN).await;
    }
}
