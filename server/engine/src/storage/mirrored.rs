//! Disks of a running VM, which libvirt mirrored: what is looked at before their copies count as proven.
//!
//! QEMU reports each write to the mirror that failed, and libvirt then fails the migration; so its success is the proof of the contents,
//! which the guest goes on to change. What it does not prove is that the VM has the volume that was made for it.

use model::{DiskMove, text};

use super::{endpoints::Endpoints, journal::StorageJournal};
use crate::{
    context::Context,
    hypervisor::{DiskSource, DomainFacts, HostError, Volume},
};

/// Looks at the copies once the VM is at the destination and libvirt has said that all went well. A copy that is not proven is no
/// failure, as the VM runs: its old image stays.
pub(crate) async fn prove_mirrored(context: &Context, journal: &mut dyn StorageJournal) {
    let hosts = Endpoints::of(context, journal.record());
    let copied: Vec<DiskMove> =
        journal.record().disks.iter().filter(|disk| disk.created && !disk.proven).cloned().collect();
    for disk in copied {
        let target = &disk.target;
        let doubt = match look(&hosts, journal, &disk).await {
            Ok(Ok(copy)) => {
                let (size, host) = (text::bytes(copy.capacity_bytes), hosts.destination_name());
                let DiskMove { pool, volume, .. } = &disk;
                let text = format!(
                    "Proven: {target} on {host} is the volume {volume} ({size}) in the pool {pool}, to which libvirt mirrored every write."
                );
                journal.copy_proven(target, text).await.err().map(|error| error.to_string())
            }
            Ok(Err(doubt)) => Some(doubt),
            Err(error) => Some(error.to_string()),
        };
        if let Some(doubt) = doubt {
            journal.write(format!("The copy of {target} is not proven: {doubt}")).await;
        }
    }
}

/// The volume that the VM has at the destination, or what speaks against it, in words.
async fn look(
    hosts: &Endpoints<'_>,
    journal: &dyn StorageJournal,
    disk: &DiskMove,
) -> Result<Result<Volume, String>, HostError> {
    let (source, destination) = (hosts.source()?, hosts.destination()?);
    let domain = destination.domain(journal.record().vm).await?;
    let copy = destination.volume(&disk.pool, &disk.volume).await?;
    let image = source.volume_at(&disk.source).await?.map(|(_, image)| image);
    Ok(judge(disk, &domain, image, copy))
}

fn judge(disk: &DiskMove, domain: &DomainFacts, image: Option<Volume>, copy: Option<Volume>) -> Result<Volume, String> {
    let DiskMove { target, source, pool, volume, .. } = disk;
    let Some(copy) = copy else { return Err(format!("the pool {pool} has no volume {volume}.")) };
    let Some(image) = image else {
        return Err(format!("{source} is in no active pool, so there is nothing to compare with."));
    };
    if domain.io_error {
        return Err("the VM was paused by an I/O error.".to_owned());
    }
    let used = domain.disks.iter().find(|used| used.target == *target).map(|used| &used.source);
    let is_used = match used {
        Some(DiskSource::File { path } | DiskSource::Block { path }) => *path == copy.path,
        Some(DiskSource::Volume { pool: of, volume: used }) => (of, used) == (pool, volume),
        _ => false,
    };
    if !is_used {
        return Err(format!("the VM has another image than {}.", copy.path));
    }
    if copy.capacity_bytes != image.capacity_bytes {
        let (now, then) = (text::bytes(copy.capacity_bytes), text::bytes(image.capacity_bytes));
        return Err(format!("{volume} has {now}, but {source} has {then}."));
    }
    // How much a copy takes up says little: zeroes may be holes, and a backing chain has become one image. But not nothing.
    if copy.allocation_bytes == 0 && image.allocation_bytes > 0 {
        return Err(format!("{volume} takes up no space."));
    }
    Ok(copy)
}
