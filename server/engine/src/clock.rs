//! Wall-clock time that a test can pause: read once, then carried on by tokio's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// Between two samples of a running migration: at least four a second.
const SAMPLE: Duration = Duration::from_millis(200);

/// Tells the time in ms since 1970.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    origin_ms: u64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { origin: Instant::now(), origin_ms: millis(since_1970) }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.origin_ms + millis(self.origin.elapsed())
    }
}

/// A duration in whole ms; what does not fit (500 million years) is the largest that does.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Ticks for each sample of a running migration, the first at once.
pub(crate) fn every_sample() -> Interval {
    let mut ticks = interval(SAMPLE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
