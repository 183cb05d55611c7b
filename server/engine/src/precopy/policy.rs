//! What a policy does to a migration that does not finish by itself: decided from figures alone, at the beginning of each pass over the
//! memory, when what remains is known.
//!
//! Between two such moments what remains only shrinks, so that a decision would be made of half a pass.

use std::time::Duration;

use model::{Acted, Policy, text};

use super::BEYOND_LIMIT_MS;
use crate::{
    clock::millis,
    hypervisor::{HostError, HostErrorKind, Tuning},
};

/// What the pause may be longer than what is expected to remain, so that a guest that writes a little more than before still fits.
const PAUSE_MARGIN: f64 = 1.2;
/// A guest that leaves less than this of each pass is soon done: nothing is done to it (half, as QEMU's own trigger for slowing it).
const SOON_DONE_RATIO: f64 = 0.5;
/// From so much on QEMU can't slow the guest noticeably further, in percent of its CPUs' time (its limit is 99).
const SLOWED_ENOUGH: u8 = 90;
/// So many passes in a row have to bring nothing before a guest is paused until the end.
const FRUITLESS_PASSES: u64 = 2;

/// What a migration may do to finish.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    /// In ms.
    pub(crate) longest_pause_ms: u32,
    /// How long it may take while it does not converge. [`Policy::Certain`] finishes instead of giving up.
    pub(crate) budget: Duration,
}

impl Rules {
    /// Of a VM with so much memory. What is chosen in the options replaces what the policy says.
    pub(crate) fn of(policy: Policy, longest_pause_ms: Option<u32>, budget_s: Option<u32>, memory_bytes: u64) -> Self {
        Self {
            policy,
            longest_pause_ms: longest_pause_ms.unwrap_or_else(|| policy.longest_pause_ms()),
            budget: Duration::from_secs(budget_s.map_or_else(|| Policy::budget_s(memory_bytes), u64::from)),
        }
    }
}

/// What is known at the beginning of a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Since the migration was asked for, without the time that it waited in the queue.
    pub(crate) elapsed: Duration,
    /// The pass that begins; 2 is the first over what the guest changed.
    pub(crate) pass: u64,
    /// What is left, in bytes.
    pub(crate) remaining: f64,
    /// What the link carries, in bytes a second.
    pub(crate) throughput: f64,
    /// What QEMU was told that it carries while the guest is paused, without a limit, in bytes a second; none if it was told nothing.
    pub(crate) switchover: Option<f64>,
    /// What the next pass is expected to begin with, by what this one does.
    pub(crate) ratio: f64,
    /// Passes in a row, with this one, that began with no less than the least before.
    pub(crate) fruitless_passes: u64,
    /// The pause that the guest may take now, in ms.
    pub(crate) pause_limit_ms: u32,
    /// How much the guest is slowed, in percent.
    pub(crate) slowed_percent: u8,
    /// Whether QEMU may slow the guest.
    pub(crate) slows_guest: bool,
    /// Whether it can switch to post-copy.
    pub(crate) post_copy: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// This is changed.
    Tune(Tuning, Acted),
    /// The migration is stopped.
    GiveUp,
}

impl View {
    /// The pause that it would take if it switched over with so much left, in ms.
    fn pause_ms(&self, bytes: f64) -> u32 {
        (bytes / self.pause_throughput().max(1.0) * 1_000.0 + BEYOND_LIMIT_MS).ceil() as u32
    }

    /// What the link carries while the guest is paused for the switch-over, in bytes a second.
    fn pause_throughput(&self) -> f64 {
        self.switchover.unwrap_or(self.throughput)
    }

    /// How long a guest would be paused that is paused now, until the end, in ms: a limit holds until QEMU switches over.
    fn paused_now_ms(&self) -> u32 {
        Self { switchover: None, ..*self }.needed_ms()
    }

    /// The pause that it would take now, in ms.
    pub(crate) fn needed_ms(&self) -> u32 {
        self.pause_ms(self.remaining)
    }

    /// What it is expected to take at the end of this pass, in ms.
    fn expected_ms(&self) -> u32 {
        self.pause_ms(self.remaining * self.ratio.clamp(0.0, 1.0))
    }

    /// Whether it is over at the end of this pass or of the next one, with the pause that it may take.
    fn is_soon_over(&self) -> bool {
        self.expected_ms() <= self.pause_limit_ms || self.ratio < SOON_DONE_RATIO
    }
}

/// What a policy does at the beginning of a pass; none if it lets the migration go on as it is.
pub(crate) fn decide(rules: &Rules, view: &View) -> Option<Decision> {
    if view.pass < 2 || view.throughput <= 0.0 || view.is_soon_over() {
        return None;
    }
    if rules.policy == Policy::Certain && view.post_copy {
        return Some(Decision::Tune(Tuning::PostCopy, Acted::PostCopy));
    }
    if let Some(ms) = longer_pause(rules, view) {
        return Some(Decision::Tune(Tuning::PauseLimit { ms }, Acted::Pause { ms }));
    }
    let is_over_budget = view.elapsed >= rules.budget;
    if rules.policy != Policy::Certain {
        return is_over_budget.then_some(Decision::GiveUp);
    }
    let can_slow_more = view.slows_guest && view.slowed_percent < SLOWED_ENOUGH;
    let is_in_vain = view.fruitless_passes >= FRUITLESS_PASSES && !can_slow_more;
    (is_in_vain || is_over_budget).then_some(Decision::Tune(Tuning::PauseGuest, Acted::GuestPaused))
}

/// The pause that lets it finish at the end of this pass, if the rules allow that and it is not allowed yet.
fn longer_pause(rules: &Rules, view: &View) -> Option<u32> {
    let wanted = (f64::from(view.expected_ms()) * PAUSE_MARGIN).ceil() as u32;
    let allowed = wanted.min(rules.longest_pause_ms);
    (view.expected_ms() <= rules.longest_pause_ms && allowed > view.pause_limit_ms).then_some(allowed)
}

/// A decision in a sentence with its numbers, for the history.
pub(crate) fn explain(rules: &Rules, view: &View, decision: Decision, vm: &str) -> String {
    let (left, policy) = (text::bytes(view.remaining as u64), rules.policy.as_str());
    let facts = format!(
        "Pass {} begins with {left}, which is {} at {}; each pass leaves about {:.0} % of the one before.",
        view.pass,
        text::duration(view.needed_ms().into()),
        text::rate(view.pause_throughput() as u64),
        view.ratio * 100.0
    );
    let done = match decision {
        Decision::Tune(Tuning::PauseLimit { ms }, _) => {
            format!(
                "{policy} allows a pause of {} instead of {}.",
                text::duration(ms.into()),
                text::duration(view.pause_limit_ms.into())
            )
        }
        Decision::Tune(Tuning::PostCopy, _) => format!("{policy} switches to post-copy."),
        Decision::Tune(Tuning::PauseGuest, _) => {
            format!(
                "{policy} pauses {vm} until its memory is sent, in about {}.",
                text::duration(view.paused_now_ms().into())
            )
        }
        Decision::Tune(Tuning::Bandwidth { mib_s }, _) => format!("{policy} limits the bandwidth to {mib_s} MiB/s."),
        Decision::GiveUp => {
            format!("{policy} gives up after its budget of {}.", text::duration(millis(rules.budget)))
        }
    };
    format!("{facts} {done}")
}

/// Why a migration ended that its policy gave up.
pub(crate) fn gave_up(rules: &Rules, view: &View, vm: &str) -> HostError {
    let sentence = format!(
        "{vm} writes too fast: {} of it were left at {}, which would have been a pause of {}, and the policy {} gave up after {}.",
        text::bytes(view.remaining as u64),
        text::rate(view.pause_throughput() as u64),
        text::duration(view.needed_ms().into()),
        rules.policy.as_str(),
        text::duration(millis(rules.budget))
    );
    HostError::new(HostErrorKind::TimedOut, sentence)
        .with_fix("Allow a longer pause or more bandwidth, or move it with the policy balanced or certain.")
}
