//! Disks of a VM that is shut off: copied through the console, from one libvirt's stream into the other's.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use model::{Migration, VmState};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    endpoints::Endpoints,
    journal::StorageJournal,
    plan::{Place, Plan, PlannedDisk},
};
use crate::{
    clock::{every_sample, millis},
    error::Error,
    hypervisor::{Chunk, Disk, HostError, Statistics, Volume},
    lock::lock,
};

/// Chunks in transit between the two hosts. A few hide the latency of either; more only take memory.
const UNDER_WAY: usize = 4;
/// How long a side has to end once the copy is to stop: storage that hangs keeps it for ever.
const END_LIMIT: Duration = Duration::from_secs(30);

/// A disk that is copied, and how its image was before.
struct Image {
    pool: String,
    volume: String,
    to_pool: String,
    to_volume: String,
    /// What is to send, in bytes.
    bytes: u64,
    before: Volume,
}

/// Counts what went through, and keeps to the limit. Shared by the copy, which counts, and the loop that shows the figures.
struct Meter {
    begun: Instant,
    limit_bytes_s: Option<u64>,
    /// In bytes.
    total: u64,
    /// In bytes.
    sent: AtomicU64,
    /// When the limit lets the next chunk go.
    next: Mutex<Instant>,
}

/// Copies the contents of all disks into the volumes made for them, and makes sure that nothing wrote to them meanwhile.
pub(super) async fn copy_volumes(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    plan: &Plan,
    limit_bytes_s: Option<u64>,
) -> Result<(), Error> {
    let mut images = Vec::new();
    for (PlannedDisk { disk, source, .. }, place) in plan.copies() {
        images.push(image(hosts, disk, source, place).await?);
    }
    if images.is_empty() {
        return Ok(());
    }
    let meter = Meter::new(images.iter().map(|image| image.bytes).sum(), limit_bytes_s);
    for image in &images {
        copy_volume(hosts, journal, image, &meter).await?;
    }
    is_untouched(hosts, journal.record(), &images).await
}

/// An image as it is before it is copied.
async fn image(hosts: &Endpoints<'_>, disk: &Disk, path: &str, place: &Place) -> Result<Image, Error> {
    let missing = || Error::NoPoolWith { path: path.to_owned(), host: hosts.source_name().clone() };
    let (pool, volume) = place.origin.clone().ok_or_else(missing)?;
    let before = hosts.source()?.volume(&pool, &volume).await?.ok_or_else(missing)?;
    let bytes = if before.allocation_bytes == 0 { disk.capacity_bytes } else { before.allocation_bytes };
    Ok(Image { pool, volume, to_pool: place.pool.clone(), to_volume: place.volume.clone(), bytes, before })
}

/// Copies one image. While it goes on figures are shown, and it is stopped if the migration is cancelled or the VM started.
async fn copy_volume(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    image: &Image,
    meter: &Meter,
) -> Result<(), Error> {
    let (source, destination) = (hosts.source()?, hosts.destination()?);
    let (read_to, read_from) = mpsc::channel(UNDER_WAY);
    let (write_to, write_from) = mpsc::channel(UNDER_WAY);
    let sent_before = meter.sent();
    let stop = CancellationToken::new();
    let copying = async {
        tokio::join!(
            ended(&stop, source.read_volume(&image.pool, &image.volume, read_to)),
            ended(&stop, pump(read_from, write_to, meter, &stop)),
            ended(&stop, destination.write_volume(&image.to_pool, &image.to_volume, write_from)),
        )
    };
    tokio::pin!(copying);
    let mut ticks = every_sample();
    ticks.reset();
    let mut shut_off = Ok(());
    let (read, pumped, written) = loop {
        tokio::select! {
            biased;
            results = &mut copying => break results,
            () = journal.cancelled(), if !stop.is_cancelled() => stop.cancel(),
            _ = ticks.tick(), if !stop.is_cancelled() => {
                journal.show(&meter.figures()).await;
                shut_off = still_shut_off(hosts, journal.record());
                if shut_off.is_err() {
                    stop.cancel();
                }
            }
        }
    };
    if written.is_none() {
        journal.volume_hangs(&image.to_pool, &image.to_volume);
    }
    journal.unless_cancelled().await?;
    shut_off?;
    // The part that failed made the others stop. One that did not end has nothing to say of why.
    [pumped, written, read].into_iter().flatten().collect::<Result<(), HostError>>()?;
    // What the host counts as allocated is not quite what it sends.
    meter.set_sent((sent_before + image.bytes).min(meter.total));
    journal.show(&meter.figures()).await;
    Ok(())
}

/// Hands chunks on, at the pace that is allowed, until there are no more or it is to stop.
async fn pump(
    mut from: mpsc::Receiver<Chunk>,
    to: mpsc::Sender<Chunk>,
    meter: &Meter,
    stop: &CancellationToken,
) -> Result<(), HostError> {
    loop {
        let passed_on = async {
            let Some(chunk) = from.recv().await else { return false };
            if let Chunk::Data(data) = &chunk {
                meter.pace(data.len() as u64).await;
            }
            to.send(chunk).await.is_ok()
        };
        let goes_on = tokio::select! {
            biased;
            () = stop.cancelled() => false,
            goes_on = passed_on => goes_on,
        };
        if !goes_on {
            return Ok(());
        }
    }
}

/// As far as the console has heard.
fn still_shut_off(hosts: &Endpoints<'_>, migration: &Migration) -> Result<(), Error> {
    match hosts.context().inventory().copy(&migration.source, migration.vm) {
        Some(copy) if copy.state.is_active() => Err(Error::StartedMeanwhile { vm: migration.vm_name.clone() }),
        _ => Ok(()),
    }
}

/// Asks the source whether the VM was started, or its images were written to, while they were copied.
async fn is_untouched(hosts: &Endpoints<'_>, migration: &Migration, images: &[Image]) -> Result<(), Error> {
    let source = hosts.source()?;
    let vm = migration.vm_name.clone();
    let copy = source.copy(migration.vm).await?;
    if copy.is_none_or(|copy| copy.state != VmState::ShutOff) {
        return Err(Error::StartedMeanwhile { vm });
    }
    for Image { pool, volume, before, .. } in images {
        let now = source.volume(pool, volume).await?;
        if now.is_none_or(|now| now.modified != before.modified) {
            return Err(Error::WrittenMeanwhile { vm, pool: pool.clone(), volume: volume.clone() });
        }
    }
    Ok(())
}

/// What came of one part of a copy; none if it did not end though it had to. If it failed, the others have to stop.
async fn ended(
    stop: &CancellationToken,
    part: impl Future<Output = Result<(), HostError>>,
) -> Option<Result<(), HostError>> {
    let too_late = async {
        stop.cancelled().await;
        sleep(END_LIMIT).await;
    };
    let result = tokio::select! {
        result = part => result,
        () = too_late => return None,
    };
    if result.is_err() {
        stop.cancel();
    }
    Some(result)
}

impl Meter {
    fn new(total: u64, limit_bytes_s: Option<u64>) -> Self {
        let now = Instant::now();
        Self { begun: now, limit_bytes_s, total, sent: AtomicU64::new(0), next: Mutex::new(now) }
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn set_sent(&self, bytes: u64) {
        self.sent.store(bytes, Ordering::Relaxed);
    }

    /// Counts bytes, and waits until the limit lets them go.
    async fn pace(&self, bytes: u64) {
        self.sent.fetch_add(bytes, Ordering::Relaxed);
        if let Some(limit) = self.limit_bytes_s {
            let next = *lock(&self.next);
            sleep_until(next).await;
            let takes = Duration::from_micros(bytes.saturating_mul(1_000_000) / limit.max(1));
            // Time in which nothing came is not made up for.
            *lock(&self.next) = next.max(Instant::now()) + takes;
        }
    }

    /// As libvirt would give them.
    fn figures(&self) -> Statistics {
        let processed = self.sent().min(self.total);
        let remaining = self.total - processed;
        Statistics {
            elapsed_ms: millis(self.begun.elapsed()),
            data_total: self.total,
            data_processed: processed,
            data_remaining: remaining,
            disk_total: self.total,
            disk_processed: processed,
            disk_remaining: remaining,
            ..Statistics::default()
        }
    }
}
