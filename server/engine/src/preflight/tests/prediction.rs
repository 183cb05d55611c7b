//! How long it will take: the same for the same figures, and never nonsense.

use std::sync::Arc;

use model::{Ending, HostOrigin, Migration, Outcome, Phase, Policy, VmState, examples};
use proptest::prelude::*;

use super::{
    super::prediction::{Case, Known, Link, of, predict},
    *,
};
use crate::hypervisor::{DirtyCurve, DirtyPoint};

const MIB: u64 = 1 << 20;

/// A move from alpha to beta that carried so many bytes a second.
pub(super) fn move_at(average_bytes_s: u64) -> Migration {
    Migration {
        phase: Phase::Succeeded,
        ended_at_ms: Some(1000),
        outcome: Some(Outcome { total_ms: 1000, downtime_ms: Some(20), bytes: 1 << 30, average_bytes_s }),
        ..examples::migration(1)
    }
}

/// What a guest changes that changes so many MiB/s, and never the same twice.
pub(super) fn steady(mib_s: u64) -> DirtyCurve {
    let point = |period_ms| DirtyPoint { period_ms, bytes: mib_s * MIB * period_ms / 1000 };
    DirtyCurve::new([1000, 2000, 4000].map(point), None)
}

fn case(memory_mib: u64, disk_mib: u64, mib_s: u64, curve: Option<&DirtyCurve>) -> Case<'_> {
    Case {
        memory_bytes: memory_mib * MIB,
        disk_bytes: disk_mib * MIB,
        link: Link { bytes_s: mib_s * MIB, measured: true },
        switchover_bytes_s: None,
        curve,
        overhead_ms: 0.0,
        longest_pause_ms: None,
        budget_s: None,
        post_copy: true,
    }
}

fn ending(memory_mib: u64, disk_mib: u64, mib_s: u64, dirty_mib_s: Option<u64>) -> Ending {
    with(Policy::Gentle, memory_mib, disk_mib, mib_s, dirty_mib_s)
}

fn with(policy: Policy, memory_mib: u64, disk_mib: u64, mib_s: u64, dirty_mib_s: Option<u64>) -> Ending {
    let curve = dirty_mib_s.map(steady);
    predict(&case(memory_mib, disk_mib, mib_s, curve.as_ref()), policy, &Known::default())
}

/// The most likely time and pause, what the guest keeps of its CPUs, and whether it is post-copy.
fn after(ending: Ending) -> (u64, u64, u8, bool) {
    match ending {
        Ending::After { likely_ms, pause_ms, guest_percent, post_copy, .. } => {
            (likely_ms, pause_ms, guest_percent, post_copy)
        }
        Ending::Never { .. } => panic!("never"),
    }
}

#[test]
fn nobody_knows_without_a_link() {
    assert_eq!(of(&input(), 0), None);
}

#[test]
fn the_limit_counts_until_something_was_measured() {
    let mut input = input();
    input.source.config.bandwidth_mib_s = Some(32);
    let limited = of(&input, 0).unwrap();
    assert_eq!((limited.throughput_bytes_s, limited.throughput_measured), (32 * MIB, false));
    input.earlier = vec![move_at(20 * MIB), move_at(30 * MIB)];
    let measured = of(&input, 0).unwrap();
    assert_eq!((measured.throughput_bytes_s, measured.throughput_measured), (30 * MIB, true));
    input.options.bandwidth_mib_s = Some(8);
    let slower = of(&input, 0).unwrap();
    assert_eq!(
        (slower.throughput_bytes_s, slower.throughput_measured),
        (8 * MIB, false),
        "moves with another limit say nothing"
    );
}

#[test]
fn the_pause_is_as_long_as_without_the_limit_if_qemu_knows_what_the_link_carries() {
    let mut input = input();
    input.options.bandwidth_mib_s = Some(32);
    let set = [1000, 2000, 4000].map(|period_ms| DirtyPoint { period_ms, bytes: 64 * MIB });
    input.curve = Some(Arc::new(DirtyCurve::new(set, None)));
    let gentle = |input: &PreflightInput| of(input, 0).unwrap().policies[0].ending;
    let Ending::Never { needed_pause_ms } = gentle(&input) else { panic!("64 MiB take 2 s at 32 MiB/s") };
    assert!(needed_pause_ms > 1_500, "{needed_pause_ms}");
    input.earlier = vec![move_at(1000 * MIB)];
    let Ending::After { likely_ms, pause_ms, .. } = gentle(&input) else {
        panic!("80 ms at four fifths of 1000 MiB/s")
    };
    let one_pass = input.domain.memory_bytes / (32 * MIB) * 1000;
    assert!(pause_ms <= 300 && likely_ms < one_pass + 3_000, "{pause_ms} {likely_ms}");
    on_destination(&mut input).libvirt_version = 11_000_000;
    assert!(matches!(gentle(&input), Ending::Never { .. }), "QEMU is not told there");
}

#[test]
fn a_small_guest_says_nothing_of_the_link() {
    let mut input = input();
    input.source.config.bandwidth_mib_s = Some(32);
    let mut small = move_at(MIB);
    small.outcome = small.outcome.map(|outcome| Outcome { bytes: 600_000, ..outcome });
    input.earlier = vec![small];
    let predicted = of(&input, 0).unwrap();
    assert_eq!((predicted.throughput_bytes_s, predicted.throughput_measured), (32 * MIB, false));
}

#[test]
fn a_definition_takes_no_time_worth_telling() {
    let mut input = input();
    offline(&mut input);
    input.source.config.bandwidth_mib_s = Some(32);
    assert_eq!(of(&input, 0), None);
}

#[test]
fn an_idle_guest_takes_one_pass_and_disks_come_on_top() {
    for policy in [Policy::Gentle, Policy::Balanced, Policy::Certain] {
        let (total, pause, guest, post_copy) = after(with(policy, 1000, 0, 100, Some(0)));
        assert_eq!((total, pause, guest, post_copy), (10_000, 300, 100, false), "{policy:?}");
    }
    assert_eq!(after(ending(500, 500, 100, Some(0))).0, 10_000);
    let Ending::After { low_ms, high_ms, .. } = ending(1000, 0, 100, Some(0)) else { panic!() };
    assert_eq!((low_ms, high_ms), (8_000, 12_500));
}

#[test]
fn a_guest_that_writes_as_fast_as_the_link_needs_another_policy() {
    let Ending::Never { needed_pause_ms } = ending(1000, 0, 100, Some(200)) else { panic!("gentle never slows it") };
    assert!((5_000..=10_000).contains(&needed_pause_ms), "{needed_pause_ms}");
    let (total, pause, guest, post_copy) = after(with(Policy::Balanced, 1000, 0, 100, Some(200)));
    assert!((20_000..60_000).contains(&total) && pause <= 1_000, "{total} {pause}");
    assert!((10..=40).contains(&guest) && !post_copy, "{guest}");
    let (total, _, guest, post_copy) = after(with(Policy::Certain, 1000, 0, 100, Some(200)));
    assert!((19_000..21_000).contains(&total) && guest == 100 && post_copy, "{total} {guest}");
    let small = ending(20, 0, 100, Some(5000));
    assert_eq!(after(small).1, 200, "all of it fits into the pause: {small:?}");
}

#[test]
fn where_post_copy_is_not_possible_the_guest_is_paused() {
    let hard = DirtyCurve::new([DirtyPoint { period_ms: 1000, bytes: 100_000 * MIB }], None);
    let case = Case { post_copy: false, ..case(1000, 0, 100, Some(&hard)) };
    let (_, pause, ..) = after(predict(&case, Policy::Certain, &Known::default()));
    assert_eq!(pause, 10_000, "the pause is announced");
    assert!(matches!(predict(&case, Policy::Balanced, &Known::default()), Ending::Never { .. }));
}

#[test]
fn a_guest_that_sleeps_most_of_the_time_is_slowed_more() {
    let points = [1000, 2000, 4000].map(|period_ms| DirtyPoint { period_ms, bytes: 200 * MIB * period_ms / 1000 });
    let guest = |cpu_share| {
        let curve = DirtyCurve::new(points, cpu_share);
        after(predict(&case(1000, 0, 100, Some(&curve)), Policy::Balanced, &Known::default())).2
    };
    assert!(guest(Some(0.01)) < guest(Some(1.0)));
    assert_eq!(guest(None), guest(Some(1.0)));
}

#[test]
fn a_guest_that_writes_takes_longer() {
    let Ending::After { high_ms: idle, .. } = ending(1000, 0, 100, Some(0)) else { panic!() };
    let Ending::After { high_ms: busy, .. } = ending(1000, 0, 100, Some(50)) else { panic!() };
    assert!(busy > idle * 3 / 2 && busy < idle * 5 / 2, "{idle} and {busy}");
}

#[test]
fn no_post_copy_is_promised_where_the_console_has_to_drive() {
    let mut input = input();
    input.source.config.bandwidth_mib_s = Some(100);
    input.curve = Some(Arc::new(steady(1000)));
    let certain = |input: &PreflightInput| after(of(input, 0).unwrap().policies[2].ending).3;
    assert!(certain(&input));
    input.destination.origin = HostOrigin::Temporary;
    assert!(!certain(&input), "beta is not registered, so the console drives");
}

#[test]
fn a_longer_pause_that_was_chosen_counts() {
    let curve = steady(200);
    let chosen = Case { longest_pause_ms: Some(20_000), ..case(1000, 0, 100, Some(&curve)) };
    let (total, pause, ..) = after(predict(&chosen, Policy::Gentle, &Known::default()));
    assert!(total < 21_000 && pause == 10_000, "{total} {pause}");
}

#[test]
fn a_vm_that_is_paused_or_has_untouched_memory_sends_less() {
    let mut input = input();
    input.source.config.bandwidth_mib_s = Some(100);
    input.curve = Some(Arc::new(steady(1000)));
    input.vm.memory_now_bytes = GIB;
    assert!(matches!(of(&input, 0).unwrap().policies[0].ending, Ending::Never { .. }));
    input.vm.state = VmState::Paused;
    let all = after(of(&input, 0).unwrap().ending).0;
    super::of(&mut input).resident_bytes = Some(GIB / 2);
    let half = after(of(&input, 0).unwrap().ending).0;
    assert_eq!((all, half), (11_240, 6_120), "and a second to begin and end");
    super::of(&mut input).huge_page_bytes = Some(0);
    assert_eq!(after(of(&input, 0).unwrap().ending).0, all, "huge pages are not counted as resident");
}

#[test]
fn the_chosen_policy_counts() {
    let mut input = input();
    input.source.config.bandwidth_mib_s = Some(100);
    input.curve = Some(Arc::new(steady(1000)));
    for (chosen, index) in [(None, 1), (Some(Policy::Gentle), 0), (Some(Policy::Certain), 2)] {
        input.options.policy = chosen;
        let predicted = of(&input, 0).unwrap();
        assert_eq!(predicted.policies.map(|with| with.policy), [Policy::Gentle, Policy::Balanced, Policy::Certain]);
        assert_eq!(predicted.ending, predicted.policies[index].ending);
    }
}

/// As one number: never is later than any time.
fn at_most(ending: Ending) -> u64 {
    match ending {
        Ending::After { likely_ms, .. } => likely_ms,
        Ending::Never { .. } => u64::MAX,
    }
}

fn any_policy() -> impl Strategy<Value = Policy> {
    proptest::sample::select(Policy::ALL)
}

proptest! {
    #[test]
    fn a_busier_guest_is_never_faster(
        memory in 0u64..1 << 20, link in 1u64..1 << 14, dirty in 0u64..1 << 14, more in 0u64..1 << 14,
    ) {
        // Rounded by a few ms: what a pass begins with is not whole.
        let (less, more) = (at_most(ending(memory, 0, link, Some(dirty))), at_most(ending(memory, 0, link, Some(dirty + more))));
        prop_assert!(less <= more.saturating_add(more / 100).saturating_add(110), "{less} and {more}");
    }

    #[test]
    fn nothing_is_shorter_than_one_pass(
        policy in any_policy(), memory in 0u64..1 << 20, link in 1u64..1 << 14,
        dirty in proptest::option::of(0u64..1 << 14),
    ) {
        let one_pass = memory * 1000 / link;
        prop_assert!(at_most(with(policy, memory, 0, link, dirty)).saturating_add(1) >= one_pass);
    }

    #[test]
    fn certain_always_ends(
        memory in 0u64..1 << 20, link in 1u64..1 << 14, dirty in 0u64..1 << 14, post_copy: bool,
    ) {
        let curve = steady(dirty);
        let case = Case { post_copy, ..case(memory, 0, link, Some(&curve)) };
        prop_assert!(at_most(predict(&case, Policy::Certain, &Known::default())) < u64::MAX);
    }

    #[test]
    fn the_likely_time_and_pause_are_within_their_bounds(
        policy in any_policy(), memory: u64, disk_bytes: u64, bytes_s: u64, points: [(u64, u64); 3],
        switchover_bytes_s: Option<u64>, overhead_ms in 0.0..1e9, longest_pause_ms: Option<u32>, post_copy: bool, seen_ms in proptest::option::of(0.0..1e6),
    ) {
        let curve = DirtyCurve::new(points.map(|(period_ms, bytes)| DirtyPoint { period_ms, bytes }), None);
        let link = Link { bytes_s, measured: false };
        let memory_bytes = memory;
        let curve = Some(&curve);
        let case = Case {
            memory_bytes, disk_bytes, link, switchover_bytes_s, curve, overhead_ms, longest_pause_ms, budget_s: None, post_copy,
        };
        let known = Known { pause_ms: seen_ms, ..Known::default() };
        if let Ending::After { low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms, guest_percent, .. } = predict(&case, policy, &known) {
            prop_assert!(low_ms <= likely_ms && likely_ms <= high_ms);
            prop_assert!(likely_pause_ms <= pause_ms);
            prop_assert!((1..=100).contains(&guest_percent));
        }
    }
}
