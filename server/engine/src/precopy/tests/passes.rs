//! Passes over the memory, against a guest that is gone through in steps of a ms.

use proptest::prelude::*;

use super::super::{End, Guest, Position, Precopy, fits};
use crate::hypervisor::{DirtyCurve, DirtyPoint};

const MIB: f64 = (1 << 20) as f64;

/// The pause that the guest may take, in ms.
const PAUSE_MS: f64 = 300.0;

/// With nothing done about it.
fn by_itself(memory: f64, mib_s: f64, curve: &DirtyCurve) -> Precopy<'_> {
    let (throughput, guest) = (mib_s * MIB / 1000.0, Guest::measured(curve));
    Precopy { memory, throughput, switchover: None, guest, rules: None, throttle: None, post_copy: false }
}

/// From its beginning.
fn end(precopy: &Precopy<'_>) -> End {
    precopy.end(Position::start(precopy.memory, PAUSE_MS))
}

/// What a guest changes that changes so many MiB/s, and never the same twice.
fn steady(mib_s: u64) -> DirtyCurve {
    DirtyCurve::new(
        [1000, 2000, 4000].map(|period_ms| DirtyPoint { period_ms, bytes: (mib_s << 20) * period_ms / 1000 }),
        None,
    )
}

/// When it ends, in ms, in steps of a ms: sends until the rest would fit into the pause, looks what was changed, and begins again.
fn stepped(precopy: &Precopy<'_>) -> Option<f64> {
    let fits = fits(PAUSE_MS, precopy.throughput, precopy.switchover);
    let (mut left, mut time, mut begun) = (precopy.memory, 0.0_f64, 0.0);
    for _ in 0..2_000_000 {
        // What is looked at is what was sent in the last 50 ms, on average of 100.
        if left <= fits - 50.0 * precopy.throughput {
            left = (left + precopy.guest.bytes_within(time - begun)).min(precopy.memory);
            if left <= fits {
                return Some(time + left / precopy.throughput);
            }
            begun = time;
        }
        left -= precopy.throughput.min(left);
        time += 1.0;
    }
    None
}

#[test]
fn what_changes_the_same_pages_again_is_bounded_by_them() {
    let set = [1000, 2000, 4000].map(|period_ms| DirtyPoint { period_ms, bytes: 20 << 20 });
    let curve = DirtyCurve::new(set, None);
    let End::After { bytes, pause_bytes, .. } = end(&by_itself(1000.0 * MIB, 100.0, &curve)) else {
        panic!("20 MiB fit into 300 ms")
    };
    assert!(bytes < 1060.0 * MIB && pause_bytes <= 30.0 * MIB, "{bytes} {pause_bytes}");
    let set = [1000, 2000, 4000].map(|period_ms| DirtyPoint { period_ms, bytes: 200 << 20 });
    let curve = DirtyCurve::new(set, None);
    let End::Never { least } = end(&by_itself(1000.0 * MIB, 100.0, &curve)) else { panic!("200 MiB do not") };
    assert!((150.0..250.0).contains(&(least / MIB)), "{least}");
}

#[test]
fn what_is_left_goes_without_the_limit_if_qemu_knows_what_that_is() {
    let set = [1000, 2000, 4000].map(|period_ms| DirtyPoint { period_ms, bytes: 64 << 20 });
    let curve = DirtyCurve::new(set, None);
    let limited = by_itself(1000.0 * MIB, 32.0, &curve);
    assert!(matches!(end(&limited), End::Never { .. }), "64 MiB at 32 MiB/s do not fit into 300 ms");
    let told = Precopy { switchover: Some(800.0 * MIB / 1000.0), ..limited };
    let End::After { bytes, pause_bytes, pause_ms, .. } = end(&told) else { panic!("at 800 MiB/s they do") };
    assert!(bytes < 1070.0 * MIB && pause_bytes > 60.0 * MIB, "{bytes} {pause_bytes}");
    assert!((pause_ms - 1000.0 * pause_bytes / (800.0 * MIB)).abs() < 1.0, "{pause_ms}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn passes_end_when_the_steps_do(
        memory in 10.0..2000.0f64, mib_s in 5.0..500.0f64, ratio in 0.0..2.0f64, faster in proptest::option::of(1.0..20.0f64),
    ) {
        // Near 1 they take for ever, each in its own way.
        prop_assume!((ratio - 1.0).abs() > 0.2);
        let curve = steady((ratio * mib_s) as u64);
        let limited = by_itself(memory * MIB, mib_s, &curve);
        let precopy = Precopy { switchover: faster.map(|times| times * limited.throughput), ..limited };
        match (end(&precopy), stepped(&precopy)) {
            (End::After { bytes, .. }, Some(time)) => {
                let passes = bytes / precopy.throughput;
                prop_assert!((passes - time).abs() <= 0.05 * time + 100.0, "{passes} and {time}");
            }
            (End::Never { .. }, None) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
