//! Disks of a VM that is shut off: copied through the console, from one libvirt's stream into the other's, and read back.
//!
//! Nothing that a host says proves a copy: libvirt can lose what it wrote last and report success, and so can storage. So contents are
//! hashed while they are read at the source, and hashed again as the destination has them.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    contents::{Contents, Hasher},
    endpoints::Endpoints,
    journal::StorageJournal,
    place,
    plan::{Place, Plan, PlannedDisk},
    transfer::{Meter, UNDER_WAY, ended, pass_on, watch},
    untouched::{CopiedImage, ensure_untouched},
};
use crate::{
    error::{Difference, Error},
    hypervisor::{Disk, Volume},
};

/// A disk that is copied, and how its image was before.
struct Image<'a> {
    disk: &'a Disk,
    path: &'a str,
    pool: String,
    volume: String,
    to: &'a Place,
    /// What is to send, in bytes.
    bytes: u64,
    before: Volume,
}

impl Image<'_> {
    fn as_copied(&self) -> CopiedImage {
        let Self { path, pool, volume, before, .. } = self;
        let (path, pool, volume) = ((*path).to_owned(), pool.clone(), volume.clone());
        CopiedImage { path, pool, volume, modified: before.modified.clone() }
    }
}

/// Copies the contents of all disks into the volumes made for them. Makes sure that the copies have the same contents, and that nothing
/// wrote to the disks meanwhile. Returns what was copied.
pub(super) async fn copy_volumes(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    plan: &Plan,
    limit_bytes_s: Option<u64>,
) -> Result<Vec<CopiedImage>, Error> {
    let mut images = Vec::new();
    for (disk, place) in plan.copies() {
        images.push(image(hosts, journal, disk, place).await?);
    }
    if images.is_empty() {
        return Ok(Vec::new());
    }
    // All goes over the network twice: to the destination and back.
    let meter = Meter::new(2 * images.iter().map(|image| image.bytes).sum::<u64>(), limit_bytes_s);
    let mut copied = Vec::new();
    for image in &images {
        let contents = copy_volume(hosts, journal, image, &meter).await?;
        read_back(hosts, journal, image, contents, &meter).await?;
        copied.push(contents);
    }
    let as_copied: Vec<CopiedImage> = images.iter().map(Image::as_copied).collect();
    ensure_untouched(hosts.context(), journal.record(), &as_copied).await?;
    for (image, contents) in images.iter().zip(copied) {
        let words = proven(hosts, image, contents);
        journal.copy_proven(&image.disk.target, words).await?;
    }
    Ok(as_copied)
}

/// An image as it is before it is copied.
async fn image<'a>(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    PlannedDisk { disk, source: path, .. }: &'a PlannedDisk,
    to: &'a Place,
) -> Result<Image<'a>, Error> {
    let missing = || Error::NoPoolWith { path: path.to_owned(), host: hosts.source_name().clone() };
    let (pool, volume) = to.origin.clone().ok_or_else(missing)?;
    let before = hosts.source()?.volume(&pool, &volume).await?.ok_or_else(missing)?;
    if before.has_backing {
        // The plan refuses it, too. But only now the pool was looked at for certain.
        let findings = vec![place::only_the_top(&disk.target)];
        return Err(Error::DisksChanged { vm: journal.record().vm_name.clone(), findings });
    }
    let bytes = if before.allocation_bytes == 0 { disk.capacity_bytes } else { before.allocation_bytes };
    Ok(Image { disk, path, pool, volume, to, bytes, before })
}

/// Copies one image. While it goes on figures are shown, and it is stopped if the migration is cancelled or the VM started.
async fn copy_volume(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    image: &Image<'_>,
    meter: &Meter,
) -> Result<Contents, Error> {
    let (source, destination) = (hosts.source()?, hosts.destination()?);
    let (read_to, read_from) = mpsc::channel(UNDER_WAY);
    let (write_to, write_from) = mpsc::channel(UNDER_WAY);
    let sent_before = meter.sent();
    let (stop, mut hasher) = (CancellationToken::new(), Hasher::new());
    let parts = async {
        tokio::join!(
            ended(&stop, source.read_volume(&image.pool, &image.volume, read_to)),
            pass_on(read_from, Some(write_to), &mut hasher, meter, &stop),
            ended(&stop, destination.write_volume(&image.to.pool, &image.to.volume, write_from)),
        )
    };
    let ((read, (), written), shut_off) = watch(hosts, journal, meter, &stop, parts).await;
    if written.is_none() {
        journal.volume_hangs(&image.to.pool, &image.to.volume);
    }
    journal.unless_cancelled().await?;
    shut_off?;
    // The part that failed made the others stop. One that did not end has nothing to say of why.
    for part in [written, read].into_iter().flatten() {
        part?;
    }
    meter.set_sent(sent_before + image.bytes);
    let contents = hasher.finish();
    if let Some(expected) = image.before.length_bytes
        && expected != contents.len
    {
        let (host, path) = (hosts.source_name().clone(), image.path.to_owned());
        return Err(Error::ReadIncomplete { path, host, expected_bytes: expected, read_bytes: contents.len });
    }
    let text = format!("Copied {}. Reading the copy back to compare it.", image.path);
    journal.write(text).await;
    Ok(contents)
}

/// Reads a copy back, and compares it with what was read at the source.
async fn read_back(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    image: &Image<'_>,
    expected: Contents,
    meter: &Meter,
) -> Result<(), Error> {
    let destination = hosts.destination()?;
    let Place { pool, volume, is_block, .. } = image.to;
    let (to, from) = mpsc::channel(UNDER_WAY);
    let sent_before = meter.sent();
    // A block device may be larger, because sizes are rounded up there.
    let mut hasher = if *is_block { Hasher::of_first(expected.len) } else { Hasher::new() };
    let stop = CancellationToken::new();
    let parts = async {
        tokio::join!(
            ended(&stop, destination.read_volume(pool, volume, to)),
            pass_on(from, None, &mut hasher, meter, &stop),
        )
    };
    let ((read, ()), shut_off) = watch(hosts, journal, meter, &stop, parts).await;
    if read.is_none() {
        journal.volume_hangs(pool, volume);
    }
    journal.unless_cancelled().await?;
    shut_off?;
    if let Some(read) = read {
        read?;
    }
    let differs = |difference| {
        let host = hosts.destination_name().clone();
        Err(Error::CopyDiffers { pool: pool.clone(), volume: volume.clone(), host, difference })
    };
    if hasher.finish() != expected {
        return differs(Difference::Contents);
    }
    let found = destination.volume(pool, volume).await?;
    if let Some(difference) = difference(&image.before, found.as_ref(), *is_block) {
        return differs(difference);
    }
    meter.set_sent(sent_before + image.bytes);
    journal.show(&meter.figures()).await;
    Ok(())
}

/// What a host says that two volumes of the same contents differ in. A block device has no format, and may be larger than the image on
/// it.
fn difference(image: &Volume, copy: Option<&Volume>, is_block: bool) -> Option<Difference> {
    let Some(copy) = copy else { return Some(Difference::Gone) };
    let (expected, found) = (image.capacity_bytes, copy.capacity_bytes);
    if found < expected || (found > expected && !is_block) {
        return Some(Difference::Size { expected_bytes: expected, found_bytes: found });
    }
    let is_other = copy.format != image.format && !is_block;
    is_other.then(|| Difference::Format { expected: image.format.clone(), found: copy.format.clone() })
}

/// What was proven, in words.
fn proven(hosts: &Endpoints<'_>, Image { path, to, .. }: &Image<'_>, contents: Contents) -> String {
    let (from, host) = (hosts.source_name(), hosts.destination_name());
    let (Place { pool, volume, .. }, data) = (to, model::text::bytes(contents.data));
    format!(
        "Proven: the volume {volume} in the pool {pool} on {host} holds what {path} on {from} does ({data} besides zeroes; SHA-256 of its \
         blocks {contents})."
    )
}
