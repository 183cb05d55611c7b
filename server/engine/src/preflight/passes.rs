//! Pre-copy pass by pass, as QEMU does it: how long it takes, with what a guest changes within a time.

use crate::hypervisor::{DirtyCurve, Throttle, slowed_to};

/// QEMU sends what its limit lets through in a tenth of a second, and only then looks how much is left (`BUFFER_DELAY`), in ms. What it
/// finds is on average half of that below what would have been enough.
const WINDOW_MS: f64 = 100.0;
/// QEMU judges whether the guest is to be slowed once a second at the most, in ms (`migration_bitmap_sync`).
const JUDGED_MS: f64 = 1000.0;
/// QEMU slows the guest at the second pass in which it changed more than this part of what was sent (`throttle-trigger-threshold`).
const MUCH: f64 = 0.5;
/// The most that QEMU slows a guest, in percent.
const MOST_SLOWED: u8 = 99;
/// As in `migration/policy.rs`.
const SOON_DONE_RATIO: f64 = 0.5;
const PAUSE_MARGIN: f64 = 1.2;
/// A pass that leaves more than this of what it found brings nothing.
const STANDS: f64 = 0.999;
/// So many of them are enough.
const FRUITLESS_PASSES: u8 = 2;
/// More passes than any migration makes: one whose passes shrink so slowly does not end.
const MOST_PASSES: u32 = 10_000;

/// A migration to be gone through. Sizes in bytes, times in ms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Precopy<'a> {
    /// What the first pass sends.
    pub(super) memory: f64,
    /// What the link carries, in bytes a ms; more than 0.
    pub(super) throughput: f64,
    pub(super) curve: &'a DirtyCurve,
    /// The pause that QEMU may take from the beginning.
    pub(super) pause_ms: f64,
    /// The pause that the policy allows where that lets it finish.
    pub(super) longest_pause_ms: f64,
    pub(super) throttle: Option<Throttle>,
    /// What the policy does where none of that ends it.
    pub(super) last_resort: LastResort,
}

/// What a policy does with a guest that changes its memory too fast for all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastResort {
    Nothing,
    PauseGuest,
    PostCopy,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    After {
        /// What is sent, in bytes: all passes, and what is left for the pause.
        bytes: f64,
        /// What is sent while the guest is paused; 0 with post-copy.
        pause_bytes: f64,
        /// The part of their time that the guest's CPUs lose at the end, in percent.
        slowed: u8,
        post_copy: bool,
    },
    /// The least that a pass began with, in bytes.
    Never { least: f64 },
}

impl Precopy<'_> {
    /// Goes through it to its end. What it decides at the beginning of each pass is what `migration/policy.rs` does.
    pub(super) fn end(&self) -> End {
        let mut under_way = UnderWay::new(self);
        for _ in 0..MOST_PASSES {
            let before = under_way.left;
            under_way.pass();
            if under_way.fits() {
                return under_way.ended(under_way.left, false);
            }
            let ratio = under_way.left / before;
            let expected_ms = under_way.left * ratio.min(1.0) / self.throughput;
            let soon_over = expected_ms <= under_way.pause_ms || ratio < SOON_DONE_RATIO;
            if !soon_over && self.last_resort == LastResort::PostCopy {
                return under_way.ended(0.0, true);
            }
            if !soon_over && expected_ms <= self.longest_pause_ms {
                let wanted = (PAUSE_MARGIN * expected_ms).min(self.longest_pause_ms);
                under_way.pause_ms = under_way.pause_ms.max(wanted);
            }
            let slows_on = self.throttle.is_some() && under_way.slowed < MOST_SLOWED;
            if ratio > STANDS && !slows_on && under_way.passes_stood() {
                break;
            }
        }
        match self.last_resort {
            LastResort::PauseGuest => under_way.ended(under_way.left, false),
            LastResort::PostCopy => under_way.ended(0.0, true),
            LastResort::Nothing => End::Never { least: under_way.least },
        }
    }
}

/// Where it is.
struct UnderWay<'a> {
    of: &'a Precopy<'a>,
    left: f64,
    /// The pause that QEMU may take now.
    pause_ms: f64,
    sent: f64,
    least: f64,
    slowed: u8,
    /// What the guest changed during the last pass.
    changed: f64,
    /// Since QEMU last judged the guest: how long, what it changed, what was sent.
    since_judged: [f64; 3],
    /// How often the guest changed too much, since it was last slowed (`dirty_rate_high_cnt`).
    high: u8,
    /// Passes in a row that brought nothing.
    stood: u8,
}

impl<'a> UnderWay<'a> {
    fn new(of: &'a Precopy<'a>) -> Self {
        let (left, pause_ms) = (of.memory, of.pause_ms);
        let judged = [0.0; 3];
        Self {
            of,
            left,
            pause_ms,
            sent: 0.0,
            least: left,
            slowed: 0,
            changed: 0.0,
            since_judged: judged,
            high: 0,
            stood: 0,
        }
    }

    fn fits(&self) -> bool {
        self.left <= self.pause_ms * self.of.throughput
    }

    /// One more pass brought nothing. Whether that were enough.
    fn passes_stood(&mut self) -> bool {
        self.stood += 1;
        self.stood >= FRUITLESS_PASSES
    }

    /// Sends what is left, but for what fits into the pause, and finds what was changed meanwhile.
    fn pass(&mut self) {
        let Precopy { memory, throughput, curve, .. } = *self.of;
        let rest = ((self.pause_ms - WINDOW_MS / 2.0) * throughput).clamp(0.0, self.left);
        let sent = self.left - rest;
        let lasted = sent / throughput;
        let slowed_to = slowed_to(self.slowed, curve.cpu_share().unwrap_or(1.0));
        self.changed = curve.bytes_within(lasted * slowed_to).min(memory);
        self.left = (rest + self.changed).min(memory);
        self.least = self.least.min(self.left);
        self.sent += sent;
        self.judge(lasted, sent);
    }

    /// `migration_trigger_throttle`.
    fn judge(&mut self, lasted: f64, sent: f64) {
        let Some(Throttle { initial, increment }) = self.of.throttle else { return };
        for (sum, more) in self.since_judged.iter_mut().zip([lasted, self.changed, sent]) {
            *sum += more;
        }
        let [time, changed, sent] = self.since_judged;
        if time < JUDGED_MS {
            return;
        }
        self.since_judged = [0.0; 3];
        if changed > MUCH * sent {
            self.high += 1;
        }
        if self.high >= 2 {
            self.high = 0;
            self.slowed = if self.slowed == 0 { initial } else { (self.slowed + increment).min(MOST_SLOWED) };
        }
    }

    fn ended(&self, pause_bytes: f64, post_copy: bool) -> End {
        End::After { bytes: self.sent + self.left, pause_bytes, slowed: self.slowed, post_copy }
    }
}
