//! What policies do, and that none breaks its own rules.

use proptest::prelude::*;

use super::super::policy::*;
use crate::hypervisor::Tuning;
use model::{Acted, Policy};
use std::time::Duration;

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
        switchover: None,
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
        assert_eq!(decide(&rules, &View { pass: 1, ..view(64.0) }), None, "the first pass says nothing of the guest");
        assert_eq!(decide(&rules, &View { ratio: 0.3, ..view(64.0) }), None, "soon done");
        assert_eq!(decide(&rules, &view(7.0)), None, "fits into the pause");
        assert_eq!(decide(&rules, &View { throughput: 0.0, ..view(64.0) }), None, "nothing is known");
    }
}

#[test]
fn balanced_allows_the_pause_that_is_needed_up_to_its_limit() {
    let balanced = rules(Policy::Balanced);
    let pause = |ms| Some(Decision::Tune(Tuning::PauseLimit { ms }, Acted::Pause { ms }));
    assert_eq!(decide(&balanced, &view(16.0)), pause(696));
    assert_eq!(decide(&balanced, &view(29.0)), pause(1_000));
    assert_eq!(decide(&balanced, &View { pause_limit_ms: 1_000, ..view(29.0) }), None, "it is allowed already");
    assert_eq!(decide(&balanced, &view(64.0)), None, "more than it may: QEMU slows the guest");
    assert_eq!(decide(&rules(Policy::Gentle), &view(16.0)), None);
}

#[test]
fn no_longer_pause_is_allowed_than_is_needed_without_the_limit() {
    let told = View { switchover: Some(800.0 * MIB), ..view(64.0) };
    for policy in Policy::ALL {
        assert_eq!(decide(&rules(*policy), &told), None, "64 MiB take 80 ms, and as much again");
    }
    let pause = |ms| Some(Decision::Tune(Tuning::PauseLimit { ms }, Acted::Pause { ms }));
    let more = View { remaining: 400.0 * MIB, ..told };
    assert_eq!(decide(&rules(Policy::Balanced), &more), pause(696));
    let text = explain(&rules(Policy::Balanced), &more, decide(&rules(Policy::Balanced), &more).unwrap(), "db");
    assert!(text.contains("400 MiB, which is 580 ms at 800 MiB/s"), "{text}");
}

#[test]
fn a_guest_that_is_paused_now_is_sent_within_the_limit() {
    let in_vain = View { fruitless_passes: 2, slowed_percent: 95, ..view(1600.0) };
    let told = View { switchover: Some(800.0 * MIB), ..in_vain };
    let text = explain(&rules(Policy::Certain), &told, decide(&rules(Policy::Certain), &told).unwrap(), "db");
    assert!(text.contains("until its memory is sent, in about 50"), "1600 MiB at 32 MiB/s: {text}");
}

#[test]
fn a_person_may_allow_more() {
    let patient = Rules { longest_pause_ms: 3_000, ..rules(Policy::Gentle) };
    let pause = Decision::Tune(Tuning::PauseLimit { ms: 2_496 }, Acted::Pause { ms: 2_496 });
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
        "Pass 3 begins with 16 MiB, which is 580 ms at 32 MiB/s; each pass leaves about 100 % of the one before. \
         balanced allows a pause of 696 ms instead of 300 ms."
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
