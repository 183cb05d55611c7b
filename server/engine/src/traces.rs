//! What was measured of a migration over time, for the picture of it.

use std::{collections::BTreeMap, sync::Mutex};

use model::{Migration, MigrationId, Phase, Progress, TracePoint};

use crate::lock::lock;

/// The most points that are kept: a picture is a few hundred pixels wide.
const MOST: usize = 240;

/// What was measured of all migrations that run.
#[derive(Default)]
pub(crate) struct Traces(Mutex<BTreeMap<MigrationId, Trace>>);

impl Traces {
    /// Keeps what a sample has shown of a migration.
    pub(crate) fn see(&self, Migration { id, phase, progress, .. }: &Migration) {
        lock(&self.0).entry(*id).or_default().see(*phase, progress);
    }

    /// A migration goes on that had ended, and of which this was kept.
    pub(crate) fn go_on(&self, id: MigrationId, points: Vec<TracePoint>) {
        lock(&self.0).entry(id).or_default().points = points;
    }

    /// What was measured of a migration that runs, oldest first; none if nothing was.
    pub(crate) fn of(&self, id: MigrationId) -> Option<Vec<TracePoint>> {
        lock(&self.0).get(&id).map(|trace| trace.points.clone())
    }

    /// The same of one that has ended, which is kept elsewhere from now on.
    pub(crate) fn take(&self, id: MigrationId) -> Option<Vec<TracePoint>> {
        lock(&self.0).remove(&id).map(|trace| trace.points)
    }
}

/// The points of a migration. When they become too many, every second one is dropped, and from then on only every second sample is kept.
#[derive(Debug)]
struct Trace {
    points: Vec<TracePoint>,
    /// Of so many samples one is kept.
    every: usize,
    seen: usize,
}

impl Default for Trace {
    fn default() -> Self {
        Self { points: Vec::new(), every: 1, seen: 0 }
    }
}

impl Trace {
    fn see(&mut self, phase: Phase, progress: &Progress) {
        self.seen += 1;
        if progress.bytes_total == 0 || !self.seen.is_multiple_of(self.every) {
            return;
        }
        self.points.push(point(phase, progress));
        if self.points.len() > MOST {
            let mut index = 0;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.every *= 2;
        }
    }
}

fn point(phase: Phase, progress: &Progress) -> TracePoint {
    let end = |left_ms: u64| progress.elapsed_ms.saturating_add(left_ms);
    TracePoint {
        elapsed_ms: progress.elapsed_ms,
        pass: if phase < Phase::CopyingMemory { 0 } else { progress.memory_pass.max(1) },
        remaining: progress.bytes_remaining,
        throughput_bytes_s: progress.throughput_bytes_s,
        dirty_bytes_s: progress.dirty_bytes_s,
        end_ms: progress.time_left.map(|left| (end(left.low_ms), end(left.high_ms))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_migration_is_thinned_out_evenly() {
        let mut trace = Trace::default();
        for ms in 1..=10_000 {
            trace.see(Phase::CopyingMemory, &Progress { elapsed_ms: ms, bytes_total: 1, ..Progress::default() });
        }
        let points = trace.points;
        assert!((MOST / 2..=MOST).contains(&points.len()), "{}", points.len());
        assert!(points[0].elapsed_ms < 100 && points.last().unwrap().elapsed_ms > 9_900);
        let gaps: Vec<u64> = points.windows(2).map(|pair| pair[1].elapsed_ms - pair[0].elapsed_ms).collect();
        assert!(gaps.iter().all(|gap| *gap <= 2 * gaps[0]), "{gaps:?}");
    }

    #[test]
    fn nothing_is_kept_before_data_is_sent() {
        let mut trace = Trace::default();
        trace.see(Phase::Preparing, &Progress::default());
        assert!(trace.points.is_empty());
    }
}
