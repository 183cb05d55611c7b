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
        Self { origin: Instant::now(), origin_ms: wall_ms() }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.origin_ms + millis(self.origin.elapsed())
    }
}

/// What the machine's clock says, in ms since 1970: it goes on while the machine sleeps, and may be set back.
pub(crate) fn wall_ms() -> u64 {
    millis(wall().duration_since(UNIX_EPOCH).unwrap_or_default())
}

#[cfg(not(test))]
fn wall() -> SystemTime {
    SystemTime::now()
}

/// Tests pause tokio's clock, and the machine's follows.
#[cfg(test)]
fn wall() -> SystemTime {
    static ORIGIN: std::sync::LazyLock<(SystemTime, Instant)> =
        std::sync::LazyLock::new(|| (SystemTime::now(), Instant::now()));
    let (wall, origin) = *ORIGIN;
    wall + Instant::now().saturating_duration_since(origin)
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
