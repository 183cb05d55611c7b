//! Contents of volumes on their way through the console: counted, hashed and paced, and stopped where that is asked for.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use model::Migration;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{contents::Hasher, endpoints::Endpoints, journal::StorageJournal};
use crate::{
    clock::{every_sample, millis},
    error::Error,
    hypervisor::{Chunk, HostError, Statistics},
    lock::lock,
};

/// Chunks in transit between the two hosts. A few hide the latency of either; more only take memory.
pub(super) const UNDER_WAY: usize = 4;
/// How long a side has to end once the transfer is to stop: storage that hangs keeps it for ever.
const END_LIMIT: Duration = Duration::from_secs(30);

/// Counts what went through, and keeps to the limit. Shared by the transfer, which counts, and the loop that shows the figures.
pub(super) struct Meter {
    begun: Instant,
    limit_bytes_s: Option<u64>,
    /// In bytes.
    total: u64,
    /// In bytes.
    sent: AtomicU64,
    /// When the limit lets the next chunk go.
    next: Mutex<Instant>,
}

/// Waits for the parts of a transfer. Meanwhile figures are shown; and it is stopped if the migration is cancelled or, which is
/// returned as an error beside the parts, the VM started or nothing is sent any more.
pub(super) async fn watch<T>(
    hosts: &Endpoints<'_>,
    journal: &mut dyn StorageJournal,
    meter: &Meter,
    stop: &CancellationToken,
    parts: impl Future<Output = T>,
) -> (T, Result<(), Error>) {
    tokio::pin!(parts);
    let mut ticks = every_sample();
    ticks.reset();
    let mut shut_off = Ok(());
    loop {
        tokio::select! {
            biased;
            results = &mut parts => return (results, shut_off),
            () = journal.cancelled(), if !stop.is_cancelled() => stop.cancel(),
            _ = ticks.tick(), if !stop.is_cancelled() => {
                journal.show(&meter.figures()).await;
                shut_off = still_shut_off(hosts, journal.record()).and_then(|()| journal.unless_stalled());
                if shut_off.is_err() {
                    stop.cancel();
                }
            }
        }
    }
}

/// Takes chunks in and hands them on, if `to` is given, at the pace that is allowed: until there are no more or it is to stop.
pub(super) async fn pass_on(
    mut from: mpsc::Receiver<Chunk>,
    to: Option<mpsc::Sender<Chunk>>,
    hasher: &mut Hasher,
    meter: &Meter,
    stop: &CancellationToken,
) {
    while !hasher.is_full() {
        let passed_on = async {
            let Some(chunk) = from.recv().await else { return false };
            if let Chunk::Data(data) = &chunk {
                meter.pace(data.len() as u64).await;
            }
            hasher.add(&chunk);
            match &to {
                Some(to) => to.send(chunk).await.is_ok(),
                None => true,
            }
        };
        let goes_on = tokio::select! {
            biased;
            () = stop.cancelled() => false,
            goes_on = passed_on => goes_on,
        };
        if !goes_on {
            return;
        }
    }
}

/// What came of a host's part of a transfer; none if it did not end though it had to. If it failed, the others have to stop.
pub(super) async fn ended(
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

/// As far as the console has heard.
fn still_shut_off(hosts: &Endpoints<'_>, migration: &Migration) -> Result<(), Error> {
    match hosts.context().inventory().copy(&migration.source, migration.vm) {
        Some(copy) if copy.state.is_active() => Err(Error::StartedMeanwhile { vm: migration.vm_name.clone() }),
        _ => Ok(()),
    }
}

impl Meter {
    /// For so many bytes in all.
    pub(super) fn new(total: u64, limit_bytes_s: Option<u64>) -> Self {
        let now = Instant::now();
        Self { begun: now, limit_bytes_s, total, sent: AtomicU64::new(0), next: Mutex::new(now) }
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// So many bytes count as sent: what a host counts as allocated is not quite what it sends.
    pub(super) fn set_sent(&self, bytes: u64) {
        self.sent.store(bytes.min(self.total), Ordering::Relaxed);
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
    pub(super) fn figures(&self) -> Statistics {
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
