//! Disks of a VM that is shut off: copied through the console, from one libvirt's stream into the other's.

use std::time::Duration;

use model::{Code, Problem, VmState};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::plan::{Place, Plan, PlannedDisk};
use crate::{
    Chunk, Disk, Statistics, Volume,
    clock::millis,
    migration::lifecycle::{Runner, SAMPLE},
};

/// Chunks under way between the two hosts. A few hide the latency of either; more only take memory.
const UNDER_WAY: usize = 4;
/// How long a side has to end once the copy is worth nothing: storage that hangs keeps it for ever.
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

/// Counts what went through, and keeps to the limit.
struct Meter {
    begun: Instant,
    /// When the limit lets the next chunk go.
    next: Instant,
    shown: Instant,
    limit_bytes_s: Option<u64>,
    total: u64,
    sent: u64,
}

impl Runner<'_> {
    /// Copies the contents of all disks into the volumes made for them, and makes sure that nobody wrote to them meanwhile.
    pub(super) async fn copy_volumes(&mut self, plan: &Plan) -> Result<(), Problem> {
        let mut images = Vec::new();
        for (PlannedDisk { disk, source, .. }, place) in plan.copies() {
            images.push(self.image(disk, source, place).await?);
        }
        if images.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        let total = images.iter().map(|image| image.bytes).sum();
        let mut meter =
            Meter { begun: now, next: now, shown: now, limit_bytes_s: self.bandwidth_bytes_s(), total, sent: 0 };
        for image in &images {
            self.copy_volume(image, &mut meter).await?;
        }
        self.is_untouched(&images).await
    }

    /// Looks at an image before it is copied.
    async fn image(&self, disk: &Disk, path: &str, place: &Place) -> Result<Image, Problem> {
        let missing = || {
            let sentence = format!("{} has no pool with {path}, so the console can't read it.", self.migration.source);
            Problem::new(Code::Blocked, sentence).with_fix("Define and start a pool for its directory.")
        };
        let (pool, volume) = place.origin.clone().ok_or_else(missing)?;
        let before = self.source()?.volume(&pool, &volume).await?.ok_or_else(missing)?;
        let bytes = if before.allocation_bytes == 0 { disk.capacity_bytes } else { before.allocation_bytes };
        Ok(Image { pool, volume, to_pool: place.pool.clone(), to_volume: place.volume.clone(), bytes, before })
    }

    async fn copy_volume(&mut self, image: &Image, meter: &mut Meter) -> Result<(), Problem> {
        let (source, destination) = (self.source()?, self.destination()?);
        let (read_to, read_from) = mpsc::channel(UNDER_WAY);
        let (write_to, write_from) = mpsc::channel(UNDER_WAY);
        let ended_with = meter.sent + image.bytes;
        let stop = self.handle.cancel.child_token();
        let (read, pumped, written) = tokio::join!(
            ended(&stop, source.read_volume(&image.pool, &image.volume, read_to)),
            ended(&stop, self.pump(read_from, write_to, meter, &stop)),
            ended(&stop, destination.write_volume(&image.to_pool, &image.to_volume, write_from)),
        );
        if written.is_none() {
            self.still_written = Some((image.to_pool.clone(), image.to_volume.clone()));
        }
        self.unless_cancelled().await?;
        // Whoever failed made the others stop. One that did not end has nothing to say of why.
        [pumped, written, read].into_iter().flatten().collect::<Result<(), Problem>>()?;
        // What the host counts as taken up is not quite what it sends.
        meter.sent = ended_with.min(meter.total);
        self.show(&meter.statistics()).await;
        Ok(())
    }

    /// Hands chunks on, at the pace that is allowed, until there are no more or it shall stop.
    async fn pump(
        &mut self,
        mut from: mpsc::Receiver<Chunk>,
        to: mpsc::Sender<Chunk>,
        meter: &mut Meter,
        stop: &CancellationToken,
    ) -> Result<(), Problem> {
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
                () = stop.cancelled() => return self.unless_cancelled().await,
                goes_on = passed_on => goes_on,
            };
            if !goes_on {
                return Ok(());
            }
            if meter.shown.elapsed() >= SAMPLE {
                meter.shown = Instant::now();
                self.show(&meter.statistics()).await;
                self.still_shut_off()?;
            }
        }
    }

    /// As far as the console has heard.
    fn still_shut_off(&self) -> Result<(), Problem> {
        let Self { migration, engine, .. } = self;
        match engine.inventory().copy(&migration.source, migration.vm) {
            Some(copy) if copy.state.is_active() => Err(started(&migration.vm_name)),
            _ => Ok(()),
        }
    }

    /// Asks the source whether the VM was started, or its images were written to, while they were copied.
    async fn is_untouched(&self, images: &[Image]) -> Result<(), Problem> {
        let source = self.source()?;
        let name = &self.migration.vm_name;
        let copy = source.copy(self.migration.vm).await?;
        if copy.is_none_or(|copy| copy.state != VmState::ShutOff) {
            return Err(started(name));
        }
        for Image { pool, volume, before, .. } in images {
            let now = source.volume(pool, volume).await?;
            if now.is_none_or(|now| now.modified != before.modified) {
                let sentence = format!("{volume} of the pool {pool} was written to while it was copied.");
                return Err(Problem::new(Code::WrongState, sentence)
                    .with_fix(format!("See that nothing uses the disks of {name}, then try again.")));
            }
        }
        Ok(())
    }
}

/// What came of one part of a copy; none if it did not end though it had to. If it failed, the others have to stop.
async fn ended(
    stop: &CancellationToken,
    part: impl Future<Output = Result<(), Problem>>,
) -> Option<Result<(), Problem>> {
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

fn started(name: &str) -> Problem {
    Problem::new(
        Code::WrongState,
        format!("{name} was started while its disks were copied, so the copy is worth nothing."),
    )
    .with_fix("Move it while it runs, or shut it down and try again.")
}

impl Meter {
    /// Counts bytes, and waits until the limit lets them go.
    async fn pace(&mut self, bytes: u64) {
        self.sent += bytes;
        if let Some(limit) = self.limit_bytes_s {
            sleep_until(self.next).await;
            let takes = Duration::from_micros(bytes.saturating_mul(1_000_000) / limit.max(1));
            // Time in which nothing came is not made up for.
            self.next = self.next.max(Instant::now()) + takes;
        }
    }

    fn statistics(&self) -> Statistics {
        let processed = self.sent.min(self.total);
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
