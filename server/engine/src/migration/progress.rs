//! Progress that tells the truth: never back, never done before it is.
//!
//! libvirt's own percentage starts again at every pass over the memory. Ours gives the first pass the bulk of the bar, because
//! that is where the bytes are, and what comes after only the rest: there it shows how near the remainder has come to what
//! fits into the pause, on a logarithmic scale, since pre-copy shrinks it geometrically when it shrinks it at all.

use model::{Convergence, Phase, Progress, TimeLeft};

use crate::hypervisor::{DOWNTIME_LIMIT_MS, HOPELESS_RATIO, Statistics};

/// The part of the bar for disks and the first pass, in percent.
const FIRST_PASS: f64 = 85.0;
/// The part of the bar for everything but the switch-over and the verdict, in percent.
const CONVERGED: f64 = 97.0;
/// Where the bar stands while hosts switch over and are asked, in percent.
const SWITCHED: f64 = 99.0;

/// Weight of the newest throughput sample (KubeVirt's live migration monitor uses the same).
const SMOOTHING: f64 = 0.5;
/// Passes to see before judging: the dirty rate is measured from the second on, and one bad pass proves nothing.
const PASSES_TO_JUDGE: u64 = 3;

/// Turns a migration's statistics into its progress.
#[derive(Clone, Debug)]
pub(crate) struct Tracker {
    progress: Progress,
    /// The memory that follows the disks, in bytes: while disks are copied libvirt does not count it yet. None if not known.
    memory_to_come: Option<u64>,
    throughput: f64,
    last_sample: Option<(u64, u64)>,
    /// The pass over what the guest changed; none during the first pass.
    pass: Option<Pass>,
    /// Whether a policy has yet to look at the beginning of this pass.
    is_new_pass: bool,
    convergence: Convergence,
    /// The pause that QEMU may take, in ms.
    pause_limit_ms: u64,
    /// What was left when the VM went on at the destination, in bytes, and where the bar stood then.
    post_copy: Option<(f64, f64)>,
}

/// A pass over what the guest changed during the one before. Its beginning is what counts: within a pass the remainder says
/// nothing, it always shrinks.
#[derive(Clone, Copy, Debug)]
struct Pass {
    number: u64,
    /// What is left at its beginning, in bytes.
    began_with: f64,
    /// What the second pass began with, in bytes.
    first: f64,
    /// The least any pass began with, in bytes.
    least: f64,
    /// What the next pass is expected to begin with, by what this one began with.
    ratio: f64,
    /// Passes in a row, with this one, that began with about the least or more.
    fruitless: u64,
}

/// A pass, as a policy sees its beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PassBegun {
    pub(crate) number: u64,
    /// What was left, in bytes.
    pub(crate) remaining: f64,
    /// What the link carries, in bytes a second.
    pub(crate) throughput: f64,
    /// What the next pass is expected to begin with, by what this one began with.
    pub(crate) ratio: f64,
    /// Passes in a row, with this one, that began with about the least or more.
    pub(crate) fruitless: u64,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            progress: Progress::default(),
            memory_to_come: None,
            throughput: 0.0,
            last_sample: None,
            pass: None,
            is_new_pass: false,
            convergence: Convergence::default(),
            pause_limit_ms: DOWNTIME_LIMIT_MS,
            post_copy: None,
        }
    }
}

impl Tracker {
    /// A tracker that goes on from where an earlier one was: a bar must not go back because the console was restarted.
    pub(crate) fn resume(progress: Progress) -> Self {
        Self { progress, ..Self::default() }
    }

    /// So much memory follows the disks, in bytes; 0 if only disks move.
    pub(crate) fn expect_memory(&mut self, bytes: u64) {
        self.memory_to_come = Some(bytes);
    }

    /// QEMU may pause the guest for so long, in ms.
    pub(crate) fn allow_pause(&mut self, ms: u32) {
        self.pause_limit_ms = ms.into();
        if self.pass.is_some_and(|pass| pass.began_with * pass.ratio.min(1.0) <= self.fits_the_pause()) {
            self.convergence = Convergence::Converging;
        }
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
            pause_limit_ms: self.pause_limit_ms,
            ..Self::default()
        };
    }

    /// The pass that has begun since this was last asked.
    pub(crate) fn take_new_pass(&mut self) -> Option<PassBegun> {
        let pass = self.pass.filter(|_| std::mem::take(&mut self.is_new_pass))?;
        Some(PassBegun {
            number: pass.number,
            remaining: pass.began_with,
            throughput: self.throughput,
            ratio: pass.ratio,
            fruitless: pass.fruitless,
        })
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
        if statistics.data_total == 0 && self.last_sample.is_some() {
            // The job is over and its figures are gone: what was last seen stands.
            self.progress.elapsed_ms = elapsed_ms;
            return self.progress.clone();
        }
        self.measure_throughput(statistics);
        let dirty_bytes_s = statistics.dirty_pages_s.saturating_mul(statistics.page_bytes);
        if self.post_copy.is_none() && statistics.memory_pass > self.pass.map_or(1, |pass| pass.number) {
            self.begin_pass(statistics, dirty_bytes_s as f64);
        }
        let percent = self.percent(statistics);
        self.progress = Progress {
            percent: percent.clamp(self.progress.percent, SWITCHED),
            elapsed_ms,
            bytes_total: statistics.data_total,
            bytes_processed: statistics.data_processed.max(self.progress.bytes_processed),
            bytes_remaining: statistics.data_remaining,
            throughput_bytes_s: self.throughput as u64,
            dirty_bytes_s,
            memory_pass: statistics.memory_pass,
            expected_downtime_ms: statistics.downtime_ms,
            time_left: self.time_left(statistics),
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

    fn measure_throughput(&mut self, statistics: &Statistics) {
        let now = (statistics.elapsed_ms, statistics.data_processed);
        let measured = match self.last_sample {
            Some((then_ms, then_bytes)) if now.0 > then_ms => {
                now.1.saturating_sub(then_bytes) as f64 * 1000.0 / (now.0 - then_ms) as f64
            }
            // QEMU's own figure, until two samples give ours.
            None => statistics.memory_bytes_s as f64,
            Some(_) => return,
        };
        self.last_sample = Some(now);
        self.throughput =
            if self.throughput == 0.0 { measured } else { SMOOTHING * measured + (1.0 - SMOOTHING) * self.throughput };
    }

    /// Judges at the beginning of a pass, once, whether the migration will end by itself.
    fn begin_pass(&mut self, statistics: &Statistics, dirty_bytes_s: f64) {
        let began_with = statistics.data_remaining.max(1) as f64;
        let before = self.pass;
        let by_rate = if self.throughput > 0.0 { dirty_bytes_s / self.throughput } else { 0.0 };
        let pass = Pass {
            number: statistics.memory_pass,
            began_with,
            first: before.map_or(began_with, |before| before.first),
            least: before.map_or(began_with, |before| before.least.min(began_with)),
            ratio: before.map_or(by_rate, |before| by_rate.max(began_with / before.began_with)),
            fruitless: before
                .map_or(0, |before| if began_with < HOPELESS_RATIO * before.least { 0 } else { before.fruitless + 1 }),
        };
        (self.pass, self.is_new_pass) = (Some(pass), true);
        self.convergence = if pass.ratio < HOPELESS_RATIO || began_with <= self.fits_the_pause() {
            Convergence::Converging
        } else if pass.number < PASSES_TO_JUDGE {
            Convergence::Unknown
        } else {
            Convergence::NotConverging { needed_downtime_ms: (pass.least / self.throughput.max(1.0) * 1000.0) as u64 }
        };
    }

    fn percent(&self, statistics: &Statistics) -> f64 {
        if statistics.data_total == 0 {
            return 0.0;
        }
        let remaining = statistics.data_remaining as f64;
        if let Some((began_with, percent)) = self.post_copy {
            return percent + (SWITCHED - percent) * (1.0 - remaining / began_with).clamp(0.0, 1.0);
        }
        let Some(pass) = self.pass else {
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

    /// What the link carries during the longest pause QEMU may take, in bytes.
    fn fits_the_pause(&self) -> f64 {
        (self.throughput * self.pause_limit_ms as f64 / 1000.0).max(1.0)
    }

    /// Pre-copy as a geometric series: each pass sends what was changed during the one before, `ratio` times as much, until
    /// the remainder fits into the pause (Clark et al., "Live Migration of Virtual Machines", NSDI 2005).
    fn time_left(&self, statistics: &Statistics) -> Option<TimeLeft> {
        let hopeless = matches!(self.convergence, Convergence::NotConverging { .. });
        if hopeless || self.throughput <= 0.0 || statistics.data_total == 0 {
            return None;
        }
        let this_pass = (statistics.data_remaining as f64 + self.uncounted_memory(statistics)) / self.throughput;
        // Whether the guest writes is not known in the first pass: one more of the same length is possible.
        let ratio = match (self.post_copy, self.pass) {
            (Some(_), _) => 0.0,
            (None, Some(pass)) => pass.ratio.min(HOPELESS_RATIO),
            (None, None) => 0.5,
        };
        let (low, high) = (this_pass, this_pass / (1.0 - ratio));
        Some(TimeLeft { low_ms: (low * 1000.0) as u64, high_ms: (high * 1000.0) as u64 })
    }
}

#[cfg(test)]
mod tests;
