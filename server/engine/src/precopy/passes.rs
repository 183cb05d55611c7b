//! Pre-copy pass by pass, as QEMU does it, from its beginning or from where it is: how much is still sent, with what a guest changes within
//! a time and what a policy does.

use std::time::Duration;

use model::Policy;

use super::{Decision, Guest, HOPELESS_RATIO, Rules, View, decide, fits, left_of_pass};
use crate::hypervisor::{Throttle, Tuning};

/// QEMU sends what its limit lets through in a tenth of a second, and only then looks how much is left (`BUFFER_DELAY`), in ms. What it
/// finds is on average half of that below what would have been enough.
pub(super) const WINDOW_MS: f64 = 100.0;
/// QEMU judges whether the guest is to be slowed once a second at the most, in ms (`migration_bitmap_sync`).
const JUDGED_MS: f64 = 1000.0;
/// QEMU slows the guest at the second pass in which it changed more than this part of what was sent (`throttle-trigger-threshold`).
const MUCH: f64 = 0.5;
/// The most that QEMU slows a guest, in percent.
const MOST_SLOWED: u8 = 99;
/// A guest that is slowed runs for so long at a time, in ms (`CPU_THROTTLE_TIMESLICE_NS`), and sleeps for the rest. Before a pass, QEMU waits
/// for it to wake up.
const SLICE_MS: f64 = 10.0;
/// So many passes in a row that bring nothing are enough, where nothing is done about it.
const STOOD_ENOUGH: u8 = 2;
/// More passes than any migration makes: one whose passes shrink so slowly does not end.
const MOST_PASSES: u32 = 2_000;
/// The same where nothing is done about it: a guest that leaves nine tenths of each pass needs about as many.
const MOST_BY_ITSELF: u32 = 30;

/// A migration to be gone through. Sizes in bytes, times in ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Precopy<'a> {
    /// All that a pass can send.
    pub(crate) memory: f64,
    /// What the link carries, in bytes a ms; more than 0.
    pub(crate) throughput: f64,
    /// What QEMU was told that it carries while the guest is paused, without the limit that holds before, in bytes a ms; none if it was told
    /// nothing.
    pub(crate) switchover: Option<f64>,
    pub(crate) guest: Guest<'a>,
    /// What is done where it does not finish by itself; none is nothing.
    pub(crate) rules: Option<Rules>,
    /// How QEMU slows the guest further; none leaves it as it is.
    pub(crate) throttle: Option<Throttle>,
    /// Whether it can switch to post-copy.
    pub(crate) post_copy: bool,
}

/// Where it is. Sizes in bytes, times in ms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// Since the migration was asked for.
    pub(crate) elapsed_ms: f64,
    /// The pass; 1 is the first.
    pub(crate) pass: u64,
    /// What is left of it.
    pub(crate) left: f64,
    /// What it began with.
    pub(crate) began_with: f64,
    /// How long ago it began.
    pub(crate) lasted_ms: f64,
    /// The least that a pass began with.
    pub(crate) least: f64,
    /// Passes in a row that began with about the least or more.
    pub(crate) fruitless: u64,
    /// The pause that the guest may take.
    pub(crate) pause_ms: f64,
    /// The part of their time that the guest's CPUs lose, in percent.
    pub(crate) slowed: u8,
    /// How often the guest changed too much, since it was last slowed (`dirty_rate_high_cnt`).
    pub(crate) high: u8,
}

impl Position {
    /// At the beginning: so much memory is to be sent, and the guest may take this pause.
    pub(crate) fn start(memory: f64, pause_ms: f64) -> Self {
        Self {
            elapsed_ms: 0.0,
            pass: 1,
            left: memory,
            began_with: memory,
            lasted_ms: 0.0,
            least: memory,
            fruitless: 0,
            pause_ms,
            slowed: 0,
            high: 0,
        }
    }
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    After {
        /// What is still sent, in bytes: all passes, and what is left for the pause.
        bytes: f64,
        /// How long nothing is sent because the guest is slowed, in ms.
        waits_ms: f64,
        /// What is sent while the guest is paused; 0 with post-copy.
        pause_bytes: f64,
        /// How long that takes, in ms.
        pause_ms: f64,
        /// The part of their time that the guest's CPUs lose at the end, in percent.
        slowed: u8,
        post_copy: bool,
    },
    /// The least that a pass began with, in bytes.
    Never { least: f64 },
}

impl Precopy<'_> {
    /// Goes through it from this position to its end.
    pub(crate) fn end(&self, from: Position) -> End {
        let mut under_way = UnderWay {
            of: self,
            at: from,
            sent: 0.0,
            unsent: from.left,
            guest_ms: 0.0,
            changed: 0.0,
            carried: 0.0,
            waited_ms: 0.0,
            since_judged: [0.0; 3],
            stood: 0,
        };
        for _ in 0..if self.rules.is_some() { MOST_PASSES } else { MOST_BY_ITSELF } {
            let ratio = under_way.pass();
            if under_way.fits() {
                return under_way.ended(under_way.at.left, false);
            }
            match self.rules.and_then(|rules| decide(&rules, &under_way.view(ratio))) {
                Some(Decision::Tune(Tuning::PostCopy, _)) => return under_way.ended(0.0, true),
                Some(Decision::Tune(Tuning::PauseGuest, _)) => return under_way.ended(under_way.at.left, false),
                Some(Decision::Tune(Tuning::PauseLimit { ms }, _)) => under_way.at.pause_ms = ms.into(),
                Some(Decision::GiveUp) => break,
                Some(Decision::Tune(Tuning::Bandwidth { .. }, _)) | None => {}
            }
            if under_way.stands() {
                break;
            }
        }
        match self.finishes() {
            true => under_way.ended(under_way.at.left, false),
            false => End::Never { least: under_way.at.least },
        }
    }

    /// How long it takes to send so many bytes while the guest is paused, in ms: without the limit only what QEMU leaves for the
    /// switch-over, if it was told what the link carries then.
    fn paused_ms(&self, bytes: f64, limit_ms: f64) -> f64 {
        let Some(switchover) = self.switchover else { return bytes / self.throughput };
        let last = bytes.min(fits(limit_ms, self.throughput, self.switchover));
        (bytes - last) / self.throughput + last / switchover
    }

    /// Whether its policy finishes in any case.
    fn finishes(&self) -> bool {
        self.rules.is_some_and(|rules| rules.policy == Policy::Certain)
    }
}

/// On the way.
struct UnderWay<'a> {
    of: &'a Precopy<'a>,
    at: Position,
    sent: f64,
    /// What was left at first and has not been sent since: QEMU goes on where it stopped.
    unsent: f64,
    /// How long the guest has written, in ms in which it was not slowed.
    guest_ms: f64,
    /// What the guest changed during the last pass of what was not left anyway.
    changed: f64,
    /// What the link carried during it.
    carried: f64,
    /// How long nothing was sent, in ms.
    waited_ms: f64,
    /// Since QEMU last judged the guest: how long, what it changed, what was sent.
    since_judged: [f64; 3],
    /// Passes in a row that brought nothing, with nothing left to be done about it.
    stood: u8,
}

impl UnderWay<'_> {
    fn fits(&self) -> bool {
        self.at.left <= fits(self.at.pause_ms, self.of.throughput, self.of.switchover)
    }

    /// What the policy sees at the beginning of the pass.
    fn view(&self, ratio: f64) -> View {
        View {
            elapsed: Duration::from_millis(self.at.elapsed_ms as u64),
            pass: self.at.pass,
            remaining: self.at.left,
            throughput: self.of.throughput * 1000.0,
            switchover: self.of.switchover.map(|bytes_ms| bytes_ms * 1000.0),
            ratio,
            fruitless_passes: self.at.fruitless,
            pause_limit_ms: self.at.pause_ms as u32,
            slowed_percent: self.at.slowed,
            slows_guest: self.of.throttle.is_some(),
            post_copy: self.of.post_copy,
        }
    }

    /// Whether it goes on like this for ever: passes bring nothing, and neither QEMU nor the policy has anything left to do.
    fn stands(&mut self) -> bool {
        let slows_on = self.of.throttle.is_some() && self.at.slowed < MOST_SLOWED;
        let brings_nothing = self.changed > HOPELESS_RATIO * self.carried && !slows_on && !self.of.finishes();
        self.stood = if brings_nothing { self.stood + 1 } else { 0 };
        self.stood >= STOOD_ENOUGH
    }

    /// Sends what is left, but for what fits into the pause, and finds what was changed meanwhile. Returns what the next pass is expected
    /// to begin with, by what this one does.
    fn pass(&mut self) -> f64 {
        let Precopy { memory, throughput, switchover, guest, .. } = self.of;
        let rest = left_of_pass(self.at.pause_ms, *throughput, *switchover).min(self.at.left);
        let sent = self.at.left - rest;
        let lasted = self.at.lasted_ms + sent / throughput;
        let guest_ms = lasted * guest.slowed_to(self.at.slowed);
        self.guest_ms += guest_ms;
        self.unsent = (self.unsent - sent).max(0.0);
        // What it changes again is among what is left.
        let most = (self.unsent + guest.bytes_within(self.guest_ms)).min(*memory);
        let left = (rest + guest.bytes_within(guest_ms)).min(most);
        self.changed = (left - rest).max(0.0);
        self.carried = lasted * throughput;
        self.waited_ms += wait_ms(self.at.slowed);
        let by_rate = self.changed / self.carried.max(1.0);
        let ratio = if self.at.pass > 1 { by_rate.max(left / self.at.began_with.max(1.0)) } else { by_rate };
        self.at.fruitless = match self.at.pass {
            1 => 0,
            _ if left < HOPELESS_RATIO * self.at.least => 0,
            _ => self.at.fruitless + 1,
        };
        self.at.least = if self.at.pass > 1 { self.at.least.min(left) } else { left };
        self.sent += sent;
        self.at.elapsed_ms += sent / throughput;
        (self.at.pass, self.at.left, self.at.began_with, self.at.lasted_ms) = (self.at.pass + 1, left, left, 0.0);
        self.judge(lasted, self.carried);
        ratio
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
            self.at.high += 1;
        }
        if self.at.high >= 2 {
            self.at.high = 0;
            self.at.slowed = if self.at.slowed == 0 { initial } else { (self.at.slowed + increment).min(MOST_SLOWED) };
        }
    }

    fn ended(&self, pause_bytes: f64, post_copy: bool) -> End {
        End::After {
            bytes: self.sent + self.at.left,
            waits_ms: self.waited_ms + wait_ms(self.at.slowed),
            pause_bytes,
            pause_ms: self.of.paused_ms(pause_bytes, self.at.pause_ms),
            slowed: self.at.slowed,
            post_copy,
        }
    }
}

/// How long QEMU waits on average for a guest that is slowed by so many percent to wake up, in ms.
fn wait_ms(slowed: u8) -> f64 {
    let slowed = f64::from(slowed.min(MOST_SLOWED));
    SLICE_MS * slowed / (100.0 - slowed) / 2.0
}
