//! Progress that tells the truth: never back, never done before it is.
//!
//! libvirt's own percentage starts again at every pass over the memory. Ours gives the first pass the bulk of the bar, because
//! that is where the bytes are, and what comes after only the rest: there it shows how near the remainder has come to what
//! fits into the pause, on a logarithmic scale, since pre-copy shrinks it geometrically when it shrinks it at all. How it goes on says
//! `precopy/`.

use std::sync::Arc;

use model::{Convergence, Phase, Progress};

use crate::{
    hypervisor::{DirtyCurve, Statistics},
    precopy::{Course, DOWNTIME_LIMIT_MS, Estimate, Guest, Known, Observed, PassBegun, estimate, fits, time_to_send},
};

/// The part of the bar for disks and the first pass, in percent.
const FIRST_PASS: f64 = 85.0;
/// The part of the bar for everything but the switch-over and the verdict, in percent.
const CONVERGED: f64 = 97.0;
/// Where the bar stands while hosts switch over and are asked, in percent.
const SWITCHED: f64 = 99.0;

/// Of a guest that was not measured: what it changes, by what the link carries, until the second pass shows it; and how far that is off
/// (the standard deviation of its logarithm).
const GUESSED_RATIO: f64 = 0.2;
const GUESSED_SPREAD: f64 = 0.9;
/// How far off what a guest changes is at the least, where passes have shown it, and where one has.
const SEEN_SPREAD: f64 = 0.15;
const ONCE_SEEN_SPREAD: f64 = 0.4;
/// The first pass whose beginning shows what a guest changes that was not measured: that its changes are the same pages again and again
/// shows only once there are two to compare.
const PASS_TO_JUDGE: u64 = 3;
/// What a pass leaves at the least, by what it found, of a guest that is said not to converge: what is expected of the next ones does not
/// suffice. In the first pass that was measured before.
const NEARLY_ALL: f64 = 0.9;
const MUCH: f64 = 0.7;
/// Until then: the part of what was measured before the start that the guest writes for certain.
const MEASURED: f64 = 0.8;

/// Turns a migration's statistics into its progress.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    progress: Progress,
    /// The memory that follows the disks, in bytes: while disks are copied libvirt does not count it yet. None if not known.
    memory_to_come: Option<u64>,
    observed: Observed,
    /// What the guest was measured to change before the start.
    curve: Option<Arc<DirtyCurve>>,
    /// What is done with it; none before that is known.
    course: Option<Course>,
    convergence: Convergence,
    /// The pause that the guest may take, in ms.
    pause_limit_ms: u64,
    guest_paused: bool,
    /// What was left when the VM went on at the destination, in bytes, and where the bar stood then.
    post_copy: Option<(f64, f64)>,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            progress: Progress::default(),
            memory_to_come: None,
            observed: Observed::default(),
            curve: None,
            course: None,
            convergence: Convergence::default(),
            pause_limit_ms: DOWNTIME_LIMIT_MS,
            guest_paused: false,
            post_copy: None,
        }
    }
}

impl Tracker {
    /// A tracker that goes on from where an earlier one was: a bar must not go back because the console was restarted. `curve` is what
    /// the guest was measured to change.
    pub(crate) fn resume(progress: Progress, curve: Option<Arc<DirtyCurve>>) -> Self {
        Self { progress, curve, ..Self::default() }
    }

    /// What the guest was measured to change before the start.
    pub(crate) fn curve(&self) -> Option<&DirtyCurve> {
        self.curve.as_deref()
    }

    /// So much memory follows the disks, in bytes; 0 if only disks move.
    pub(crate) fn expect_memory(&mut self, bytes: u64) {
        self.memory_to_come = Some(bytes);
    }

    /// What is done with it from now on.
    pub(crate) fn follow(&mut self, course: Course) {
        self.course = Some(course);
    }

    /// The guest may pause for so long, in ms.
    pub(crate) fn allow_pause(&mut self, ms: u32) {
        self.pause_limit_ms = ms.into();
        if self.estimate(self.progress.elapsed_ms).is_some_and(|estimate| estimate.endless.is_none()) {
            self.convergence = Convergence::Converging;
        }
    }

    /// The guest is paused until the end.
    pub(crate) fn pause_guest(&mut self) {
        self.guest_paused = true;
        self.convergence = Convergence::Converging;
    }

    /// The VM goes on at the destination, and what is left follows.
    pub(crate) fn enter_post_copy(&mut self) {
        self.post_copy = Some(((self.progress.bytes_remaining as f64).max(1.0), self.progress.percent));
        self.convergence = Convergence::Converging;
    }

    /// It begins again from the first byte. The bar stays where it is until it is passed.
    pub(crate) fn begin_again(&mut self) {
        *self = Self {
            progress: self.progress.clone(),
            memory_to_come: self.memory_to_come,
            curve: self.curve.take(),
            course: self.course,
            pause_limit_ms: self.pause_limit_ms,
            ..Self::default()
        };
    }

    /// The pass that has begun since this was last asked.
    pub(crate) fn take_new_pass(&mut self) -> Option<PassBegun> {
        self.observed.take_new_pass()
    }

    /// The phase these statistics show.
    pub(crate) fn phase(statistics: &Statistics) -> Phase {
        if statistics.disk_total > 0 && statistics.memory_total == 0 {
            Phase::CopyingDisks
        } else if statistics.memory_pass > 1 {
            Phase::Converging
        } else if statistics.data_total > 0 {
            Phase::CopyingMemory
        } else {
            Phase::Preparing
        }
    }

    /// Takes a sample, `elapsed_ms` after the migration began.
    pub(crate) fn sample(&mut self, statistics: &Statistics, elapsed_ms: u64) -> Progress {
        if statistics.data_total == 0 && self.observed.last().is_some() {
            // The job is over and its figures are gone: what was last seen stands.
            self.progress.elapsed_ms = elapsed_ms;
            return self.progress.clone();
        }
        let pass_before = self.observed.pass().map(|pass| pass.number);
        if self.post_copy.is_some() {
            self.observed.send_on(statistics);
        } else {
            let (pause_ms, switchover) = (self.pause_limit_ms as f64, self.switchover());
            self.observed.sample(statistics, pause_ms, switchover, self.curve.as_deref());
        }
        let estimate = self.estimate(elapsed_ms);
        if self.observed.pass().map(|pass| pass.number) != pass_before {
            self.judge(estimate.as_ref());
        }
        let percent = self.percent(statistics);
        let is_endless = matches!(self.convergence, Convergence::NotConverging { .. });
        let mut estimate = estimate.unwrap_or_default();
        if let (None, false, Some(pass)) = (estimate.time_left, is_endless, self.observed.pass()) {
            let sends = statistics.data_remaining as f64 / (1.0 - pass.ratio.clamp(0.0, NEARLY_ALL));
            estimate.time_left = Some(time_to_send(sends, self.observed.throughput() / 1000.0, GUESSED_SPREAD));
        }
        self.progress = Progress {
            percent: percent.clamp(self.progress.percent, SWITCHED),
            elapsed_ms,
            bytes_total: statistics.data_total,
            bytes_processed: statistics.data_processed.max(self.progress.bytes_processed),
            bytes_remaining: statistics.data_remaining,
            throughput_bytes_s: self.observed.throughput() as u64,
            dirty_bytes_s: statistics.dirty_pages_s.saturating_mul(statistics.page_bytes),
            memory_pass: statistics.memory_pass,
            expected_downtime_ms: statistics.downtime_ms,
            predicted_pause_ms: estimate.pause_ms,
            time_left: estimate.time_left,
            convergence: self.convergence,
            slowed_percent: statistics.throttle_percent,
        };
        self.progress.clone()
    }

    /// The hosts switch over, or are asked where the VM is: nothing is left to send.
    pub(crate) fn switched(&mut self, elapsed_ms: u64) -> Progress {
        let percent = self.progress.percent.max(SWITCHED);
        self.progress = Progress { percent, elapsed_ms, time_left: None, ..self.progress.clone() };
        self.progress.clone()
    }

    /// Judges at the beginning of a pass, once, whether the migration will end by itself.
    fn judge(&mut self, estimate: Option<&Estimate>) {
        let (Some(estimate), Some(pass)) = (estimate, self.observed.pass()) else { return };
        let shows = if pass.number < PASS_TO_JUDGE {
            self.curve.is_some() && pass.ratio > MUCH
        } else {
            pass.ratio > NEARLY_ALL
        };
        self.convergence = match estimate.endless {
            None => Convergence::Converging,
            Some(needed_downtime_ms) if shows => Convergence::NotConverging { needed_downtime_ms },
            Some(_) => Convergence::Unknown,
        };
    }

    /// How it goes on; none while too little is known.
    fn estimate(&self, elapsed_ms: u64) -> Option<Estimate> {
        let statistics = self.observed.last()?;
        let throughput = self.observed.throughput() / 1000.0;
        if throughput <= 0.0 || statistics.data_total == 0 {
            return None;
        }
        let left = statistics.data_remaining as f64 + self.uncounted_memory(statistics);
        if self.post_copy.is_some() || self.guest_paused {
            let time_left = Some(time_to_send(left, throughput, 0.0));
            return Some(Estimate { time_left, ..Estimate::default() });
        }
        let waited_ms = self.course.map_or(0, |course| course.waited_ms);
        let mut position = self.observed.position(elapsed_ms.saturating_sub(waited_ms), self.pause_limit_ms as f64)?;
        position.left = left;
        let memory = match statistics.memory_total {
            0 => self.memory_to_come.map_or(left, |bytes| bytes as f64),
            bytes => bytes as f64,
        };
        let curve = self.curve.as_deref();
        let (guest, spread) = match self.observed.guest().expected(curve) {
            Some(guest) => (guest, self.spread()),
            None => (Guest::steady(GUESSED_RATIO * throughput), GUESSED_SPREAD),
        };
        let is_limited = self.course.is_some_and(|course| course.is_limited);
        let certain = if position.pass < PASS_TO_JUDGE { MEASURED } else { 1.0 };
        let known = Known { position, memory, throughput, is_limited, guest, spread, certain };
        Some(estimate(&known, self.course.as_ref()))
    }

    /// How far what the guest will change is off.
    fn spread(&self) -> f64 {
        match (self.observed.guest().surprise(), &self.curve) {
            (Some(surprise), _) => surprise.clamp(SEEN_SPREAD, 1.0),
            (None, Some(curve)) => curve.error().max(SEEN_SPREAD),
            (None, None) => ONCE_SEEN_SPREAD,
        }
    }

    fn percent(&self, statistics: &Statistics) -> f64 {
        if statistics.data_total == 0 {
            return 0.0;
        }
        let remaining = statistics.data_remaining as f64;
        if let Some((began_with, percent)) = self.post_copy {
            return percent + (SWITCHED - percent) * (1.0 - remaining / began_with).clamp(0.0, 1.0);
        }
        let Some(pass) = self.observed.pass() else {
            let memory = self.uncounted_memory(statistics);
            let total = statistics.data_total as f64 + memory;
            return FIRST_PASS * (1.0 - (remaining + memory) / total).clamp(0.0, 1.0);
        };
        // Half-way through a pass we are half-way to what the next one is expected to begin with.
        let done = (1.0 - remaining / pass.began_with).clamp(0.0, 1.0);
        let now = pass.began_with * pass.ratio.clamp(f64::MIN_POSITIVE, 1.0).powf(done);
        let target = self.fits_the_pause();
        let reached = if pass.first <= target { 1.0 } else { (pass.first / now).ln() / (pass.first / target).ln() };
        FIRST_PASS + (CONVERGED - FIRST_PASS) * reached.clamp(0.0, 1.0)
    }

    /// Memory that libvirt does not count yet, in bytes; half of everything if not known.
    fn uncounted_memory(&self, statistics: &Statistics) -> f64 {
        match self.memory_to_come {
            _ if statistics.memory_total > 0 => 0.0,
            Some(bytes) => bytes as f64,
            None => statistics.disk_total as f64,
        }
    }

    /// What is sent during the longest pause that the guest may take, in bytes.
    fn fits_the_pause(&self) -> f64 {
        fits(self.pause_limit_ms as f64, self.observed.throughput() / 1000.0, self.switchover()).max(1.0)
    }

    /// What QEMU was told that the link carries during the pause, in bytes a ms.
    fn switchover(&self) -> Option<f64> {
        self.course.and_then(|course| course.switchover)
    }
}

#[cfg(test)]
mod replay;
#[cfg(test)]
mod tests;
