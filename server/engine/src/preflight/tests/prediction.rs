//! How long it will take: the same for the same figures, and never nonsense.

use model::{Ending, Migration, Outcome, Phase, examples};
use proptest::prelude::*;

use super::{
    super::prediction::{Link, of, predict},
    *,
};

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

fn link(mib_s: u64) -> Link {
    Link { bytes_s: mib_s * MIB, measured: true }
}

fn ending(memory_mib: u64, disk_mib: u64, mib_s: u64, dirty_mib_s: Option<u64>) -> Ending {
    predict(memory_mib * MIB, disk_mib * MIB, link(mib_s), dirty_mib_s.map(|rate| rate * MIB)).ending
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
    let idle = Ending::After { low_ms: 10_000, high_ms: 12_500, pause_ms: 300 };
    assert_eq!(ending(1000, 0, 100, Some(0)), idle);
    assert_eq!(ending(500, 500, 100, Some(0)), idle);
}

#[test]
fn a_guest_that_writes_as_fast_as_the_link_never_arrives() {
    assert_eq!(ending(1000, 0, 100, Some(100)), Ending::Never { needed_pause_ms: 1000 });
    assert_eq!(ending(1000, 0, 100, Some(5000)), Ending::Never { needed_pause_ms: 10_000 }, "at most all its memory");
    let small = ending(20, 0, 100, Some(5000));
    assert!(matches!(small, Ending::After { pause_ms: 200, .. }), "all of it fits into the pause: {small:?}");
}

#[test]
fn a_guest_that_writes_takes_longer() {
    let Ending::After { high_ms: idle, .. } = ending(1000, 0, 100, Some(0)) else { panic!() };
    let Ending::After { high_ms: busy, .. } = ending(1000, 0, 100, Some(50)) else { panic!() };
    assert!(busy > idle * 3 / 2 && busy < idle * 2, "{idle} and {busy}");
}

/// As one number: never is later than any time.
fn at_most(ending: Ending) -> u64 {
    match ending {
        Ending::After { high_ms, .. } => high_ms,
        Ending::Never { .. } => u64::MAX,
    }
}

proptest! {
    #[test]
    fn a_faster_link_is_never_slower(
        memory in 0u64..1 << 20, disk in 0u64..1 << 20, dirty in proptest::option::of(0u64..1 << 14),
        slow in 1u64..1 << 14, more in 0u64..1 << 14,
    ) {
        // What is guessed of the guest does not depend on the link.
        prop_assert!(at_most(ending(memory, disk, slow + more, dirty)) <= at_most(ending(memory, disk, slow, dirty)));
    }

    #[test]
    fn a_busier_guest_is_never_faster(
        memory in 0u64..1 << 20, link in 1u64..1 << 14, dirty in 0u64..1 << 14, more in 0u64..1 << 14,
    ) {
        prop_assert!(at_most(ending(memory, 0, link, Some(dirty))) <= at_most(ending(memory, 0, link, Some(dirty + more))));
    }

    #[test]
    fn nonsense_makes_no_panic(memory: u64, disk: u64, bytes_s: u64, dirty: Option<u64>) {
        match predict(memory, disk, Link { bytes_s, measured: false }, dirty).ending {
            Ending::After { low_ms, high_ms, pause_ms } => {
                prop_assert!(low_ms <= high_ms);
                prop_assert!(pause_ms <= 300);
            }
            Ending::Never { needed_pause_ms } => prop_assert!(needed_pause_ms >= 285),
        }
    }
}
