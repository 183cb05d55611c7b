//! How a pre-copy goes on.

use std::time::Duration;

use model::Policy;

use super::super::{Course, DEVICES_MS, Guest, Known, Position, Rules, estimate};

const MIB: f64 = (1 << 20) as f64;

/// 64 MiB are left, which the guest changes again and again, over 32 MiB/s.
fn known() -> Known<'static> {
    let throughput = 32.0 * MIB / 1000.0;
    Known {
        position: Position { pass: 3, ..Position::start(64.0 * MIB, 300.0) },
        memory: 1000.0 * MIB,
        throughput,
        guest: Guest::seen(throughput * 10.0, 1.0).within(Some(64.0 * MIB)),
        is_limited: true,
        spread: 0.2,
        certain: 1.0,
    }
}

/// It is not to be slowed.
fn course(switchover: Option<f64>) -> Course {
    let rules = Rules { policy: Policy::Gentle, longest_pause_ms: 300, budget: Duration::from_mins(5) };
    Course { rules, throttle: None, post_copy: false, is_limited: true, switchover, waited_ms: 0 }
}

#[test]
fn the_pause_is_as_long_as_without_the_limit_if_qemu_knows_what_the_link_carries() {
    let limited = estimate(&known(), Some(&course(None)));
    assert_eq!((limited.pause_ms, limited.time_left), (None, None), "it does not end");
    assert_eq!(limited.endless, Some(2000), "64 MiB at 32 MiB/s");
    let told = estimate(&known(), Some(&course(Some(800.0 * MIB / 1000.0))));
    assert_eq!(told.endless, None);
    assert_eq!(told.pause_ms, Some((80.0 + DEVICES_MS) as u64), "64 MiB at 800 MiB/s");
    assert!(told.time_left.unwrap().likely_ms < 2000, "{told:?}");
}
