//! What a policy does to a migration that does not finish by itself: decided from figures alone, at the beginning of each pass over the
//! memory, when what remains is known.
//!
//! Between two such moments what remains only shrinks, so that a decision would be made of half a pass.

use std::time::Duration;

use model::{Acted, Policy, text};

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
pub(super) struct Rules {
    pub(super) policy: Policy,
    /// In ms.
    pub(super) longest_pause_ms: u32,
    /// How long it may take while it does not converge. [`Policy::Certain`] finishes instead of giving up.
    pub(super) budget: Duration,
}

/// What is known at the beginning of a pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// Since the migration was asked for.
    pub(super) elapsed: Duration,
    /// The pass that begins; 2 is the first over what the guest changed.
    pub(super) pass: u64,
    /// What is left, in bytes.
    pub(super) remaining: f64,
    /// What the link carries, in bytes a second.
    pub(super) throughput: f64,
    /// What the next pass is expected to begin with, by what this one does.
    pub(super) ratio: f64,
    /// Passes in a row, with this one, that began with no less than the least before.
    pub(super) fruitless_passes: u64,
    /// The pause that QEMU may take now, in ms.
    pub(super) pause_limit_ms: u32,
    /// How much the guest is slowed, in percent.
    pub(super) slowed_percent: u8,
    /// Whether QEMU may slow the guest.
    pub(super) slows_guest: bool,
    /// Whether it can switch to post-copy.
    pub(super) post_copy: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// This is changed.
    Tune(Tuning, Acted),
    /// The migration is stopped.
    GiveUp,
}

impl View {
    /// The pause that it would take if it switched over with so much left, in ms.
    fn pause_ms(&self, bytes: f64) -> u32 {
        (bytes / self.throughput.max(1.0) * 1_000.0).ceil() as u32
    }

    /// The pause that it would take now, in ms.
    pub(super) fn needed_ms(&self) -> u32 {
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
pub(super) fn decide(rules: &Rules, view: &View) -> Option<Decision> {
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

/// The pause that lets it finish at the end of this pass, if the rules allow that and QEMU does not know of it yet.
fn longer_pause(rules: &Rules, view: &View) -> Option<u32> {
    let wanted = (f64::from(view.expected_ms()) * PAUSE_MARGIN).ceil() as u32;
    let allowed = wanted.min(rules.longest_pause_ms);
    (view.expected_ms() <= rules.longest_pause_ms && allowed > view.pause_limit_ms).then_some(allowed)
}

/// A decision in a sentence with its numbers, for the history.
pub(super) fn explain(rules: &Rules, view: &View, decision: Decision, vm: &str) -> String {
    let (left, policy) = (text::bytes(view.remaining as u64), rules.policy.as_str());
    let facts = format!(
        "Pass {} begins with {left}, which is {} at {}; each pass leaves about {:.0} % of the one before.",
        view.pass,
        text::duration(view.needed_ms().into()),
        text::rate(view.throughput as u64),
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
                text::duration(view.needed_ms().into())
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
pub(super) fn gave_up(rules: &Rules, view: &View, vm: &str) -> HostError {
    let sentence = format!(
        "{vm} writes too fast: {} of it were left at {}, which would have been a pause of {}, and the policy {} gave up after {}.",
        text::bytes(view.remaining as u64),
        text::rate(view.throughput as u64),
        text::duration(view.needed_ms().into()),
        rules.policy.as_str(),
        text::duration(millis(rules.budget))
    );
    HostError::new(HostErrorKind::TimedOut, sentence)
        .with_fix("Allow a longer pause or more bandwidth, or move it with the policy balanced or certain.")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: f64 = 1_048_576.0;

    fn rules(policy: Policy) -> Rules {
        Rules { policy, longest_pause_ms: policy.longest_pause_ms(), budget: Duration::from_mins(5) }
    }

    /// A pass that begins with so many MiB over 32 MiB/s, of a guest that writes that again and again.
    fn view(mib: f64) -> View {
        View {
            elapsed: Duration::from_secs(10),
            pass: 3,
            remaining: mib * MIB,
            throughput: 32.0 * MIB,
            ratio: 1.0,
            fruitless_passes: 1,
            pause_limit_ms: 300,
            slowed_percent: 0,
            slows_guest: true,
            post_copy: false,
        }
    }

    #[test]
    fn what_finishes_by_itself_is_left_alone() {
        for policy in Policy::ALL {
            let rules = rules(*policy);
            assert_eq!(
                decide(&rules, &View { pass: 1, ..view(64.0) }),
                None,
                "the first pass says nothing of the guest"
            );
            assert_eq!(decide(&rules, &View { ratio: 0.3, ..view(64.0) }), None, "soon done");
            assert_eq!(decide(&rules, &view(8.0)), None, "fits into the pause");
            assert_eq!(decide(&rules, &View { throughput: 0.0, ..view(64.0) }), None, "nothing is known");
        }
    }

    #[test]
    fn balanced_allows_the_pause_that_is_needed_up_to_its_limit() {
        let balanced = rules(Policy::Balanced);
        let pause = |ms| Some(Decision::Tune(Tuning::PauseLimit { ms }, Acted::Pause { ms }));
        assert_eq!(decide(&balanced, &view(16.0)), pause(600));
        assert_eq!(decide(&balanced, &view(31.0)), pause(1_000));
        assert_eq!(decide(&balanced, &View { pause_limit_ms: 1_000, ..view(31.0) }), None, "it is allowed already");
        assert_eq!(decide(&balanced, &view(64.0)), None, "more than it may: QEMU slows the guest");
        assert_eq!(decide(&rules(Policy::Gentle), &view(16.0)), None);
    }

    #[test]
    fn a_person_may_allow_more() {
        let patient = Rules { longest_pause_ms: 3_000, ..rules(Policy::Gentle) };
        let pause = Decision::Tune(Tuning::PauseLimit { ms: 2_400 }, Acted::Pause { ms: 2_400 });
        assert_eq!(decide(&patient, &view(64.0)), Some(pause));
    }

    #[test]
    fn within_the_budget_nothing_is_given_up() {
        let late = View { elapsed: Duration::from_mins(5), ..view(64.0) };
        for policy in [Policy::Gentle, Policy::Balanced] {
            assert_eq!(decide(&rules(policy), &view(64.0)), None);
            assert_eq!(decide(&rules(policy), &late), Some(Decision::GiveUp));
        }
        assert_eq!(decide(&rules(Policy::Balanced), &View { ratio: 0.4, ..late }), None, "it converges");
    }

    #[test]
    fn certain_finishes_by_post_copy_or_by_a_pause() {
        let certain = rules(Policy::Certain);
        let post_copy = Decision::Tune(Tuning::PostCopy, Acted::PostCopy);
        let paused = Decision::Tune(Tuning::PauseGuest, Acted::GuestPaused);
        assert_eq!(decide(&certain, &View { post_copy: true, pass: 2, ..view(64.0) }), Some(post_copy));
        assert_eq!(decide(&certain, &view(64.0)), None, "it is slowed first");
        let in_vain = View { fruitless_passes: 2, slowed_percent: 95, ..view(64.0) };
        assert_eq!(decide(&certain, &in_vain), Some(paused));
        assert_eq!(decide(&certain, &View { slows_guest: false, slowed_percent: 0, ..in_vain }), Some(paused));
        assert_eq!(decide(&certain, &View { elapsed: Duration::from_mins(5), ..view(64.0) }), Some(paused));
    }

    #[test]
    fn a_decision_is_explained_with_its_numbers() {
        let (rules, view) = (rules(Policy::Balanced), view(16.0));
        let text = explain(&rules, &view, decide(&rules, &view).unwrap(), "db");
        assert_eq!(
            text,
            "Pass 3 begins with 16 MiB, which is 500 ms at 32 MiB/s; each pass leaves about 100 % of the one before. \
             balanced allows a pause of 600 ms instead of 300 ms."
        );
    }

    proptest! {
        #[test]
        fn no_policy_breaks_its_own_rules(
            policy in prop::sample::select(Policy::ALL), mib in 0.1..10_000.0f64, ratio in 0.0..3.0f64, pass in 1..50u64,
            pause_limit_ms in 1..2_000u32, slowed_percent in 0..100u8, seconds in 0..1_000u64, post_copy: bool, slows_guest: bool,
        ) {
            let rules = rules(policy);
            let view = View {
                elapsed: Duration::from_secs(seconds), pass, ratio, pause_limit_ms, slowed_percent, slows_guest, post_copy,
                fruitless_passes: pass, ..view(mib)
            };
            match decide(&rules, &view) {
                Some(Decision::Tune(Tuning::PauseLimit { ms }, _)) => {
                    prop_assert!(ms <= rules.longest_pause_ms && ms > pause_limit_ms);
                }
                Some(Decision::Tune(Tuning::PostCopy | Tuning::PauseGuest, _)) => {
                    prop_assert_eq!(policy, Policy::Certain);
                }
                Some(Decision::GiveUp) => {
                    prop_assert!(policy != Policy::Certain && view.elapsed >= rules.budget);
                }
                Some(Decision::Tune(Tuning::Bandwidth { .. }, _)) => prop_assert!(false, "no policy changes the bandwidth"),
                None => {}
            }
        }
    }
}
