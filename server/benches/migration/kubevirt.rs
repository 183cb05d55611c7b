//! KubeVirt's two experimental schedules.

use std::time::Duration;

use engine::Statistics;

use crate::schedule::{LONGEST_PAUSE_MS, Schedule, Step, allow};

/// `completionTimeoutPerGiB`, for one GiB, after which both stop.
const BUDGET: Duration = Duration::from_secs(150);

/// VEP 291: 150 ms, and from the third pass on in 7 steps to the longest pause, at most one every 10 s.
#[derive(Default)]
pub(crate) struct Ramp {
    step: u32,
    stepped: Option<Duration>,
}

impl Ramp {
    const FIRST_MS: u32 = 150;
    const STEPS: u32 = 7;
    const AFTER_PASS: u64 = 3;
    const COOLDOWN: Duration = Duration::from_secs(10);
}

impl Schedule for Ramp {
    fn first_pause_ms(&self) -> u32 {
        Self::FIRST_MS
    }

    fn look(&mut self, elapsed: Duration, figures: &Statistics) -> Option<Step> {
        if elapsed >= BUDGET {
            return Some(Step::Abort);
        }
        let is_cool = self.stepped.is_none_or(|stepped| elapsed >= stepped + Self::COOLDOWN);
        if figures.memory_pass <= Self::AFTER_PASS || self.step == Self::STEPS || !is_cool {
            return None;
        }
        self.step += 1;
        self.stepped = Some(elapsed);
        allow(Self::FIRST_MS + (LONGEST_PAUSE_MS - Self::FIRST_MS) * self.step / Self::STEPS)
    }
}

/// VEP 248, without disruption of the workload: where no pass of the last 40 s began with 4 % less than the best before them, the longest
/// pause is allowed at the next pass that begins with about the least, if that fits into 1.5 times that pause; else it stops. What has not
/// switched over 60 s later stops, too.
#[derive(Default)]
pub(crate) struct Detector {
    /// When passes began, and with how many bytes.
    passes: Vec<(Duration, u64)>,
    pass: u64,
    /// Smoothed, in bytes a second.
    bandwidth: Option<f64>,
    deadline: Option<Duration>,
}

impl Detector {
    const WINDOW: Duration = Duration::from_secs(40);
    const MARGIN: f64 = 0.04;
    const SMOOTHING: f64 = 0.4;
    const POSSIBLE: f64 = 1.5;
    const SWITCHOVER: Duration = Duration::from_secs(60);

    fn see(&mut self, elapsed: Duration, figures: &Statistics) -> bool {
        if figures.memory_bytes_s > 0 {
            let now = figures.memory_bytes_s as f64;
            self.bandwidth =
                Some(self.bandwidth.map_or(now, |mean| Self::SMOOTHING * now + (1.0 - Self::SMOOTHING) * mean));
        }
        let is_new = figures.memory_pass > self.pass;
        self.pass = figures.memory_pass;
        if is_new {
            self.passes.push((elapsed, figures.memory_remaining));
        }
        is_new
    }

    /// The least that the passes of the window began with, where it stalls.
    fn stalls_at(&self, elapsed: Duration) -> Option<u64> {
        let begin = elapsed.checked_sub(Self::WINDOW)?;
        let least = |is_within: bool| {
            self.passes.iter().filter(|(at, _)| (*at >= begin) == is_within).map(|(_, left)| *left).min()
        };
        let (within, before) = (least(true)?, least(false)?);
        (within as f64 > before as f64 * (1.0 - Self::MARGIN)).then_some(within)
    }
}

impl Schedule for Detector {
    fn first_pause_ms(&self) -> u32 {
        LONGEST_PAUSE_MS.min(300)
    }

    fn look(&mut self, elapsed: Duration, figures: &Statistics) -> Option<Step> {
        let begins_pass = self.see(elapsed, figures);
        if elapsed >= 2 * BUDGET || self.deadline.is_some_and(|deadline| elapsed >= deadline) {
            return Some(Step::Abort);
        }
        if self.deadline.is_some() || !begins_pass {
            return None;
        }
        let (least, left) = (self.stalls_at(elapsed)? as f64, figures.memory_remaining as f64);
        if left > least * (1.0 + Self::MARGIN) {
            return None;
        }
        let implied_ms = left / self.bandwidth? * 1_000.0;
        if implied_ms > f64::from(LONGEST_PAUSE_MS) * Self::POSSIBLE {
            return Some(Step::Abort);
        }
        self.deadline = Some(elapsed + Self::SWITCHOVER);
        allow(LONGEST_PAUSE_MS)
    }
}
