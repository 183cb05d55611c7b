//! Passes over the memory, against a guest that is gone through in steps of a ms.

use proptest::prelude::*;

use super::{
    super::passes::{End, LastResort, Precopy},
    prediction::steady,
};
use crate::hypervisor::{DirtyCurve, DirtyPoint};

const MIB: f64 = (1 << 20) as f64;

fn gentle(memory: f64, mib_s: f64, curve: &DirtyCurve) -> Precopy<'_> {
    let throughput = mib_s * MIB / 1000.0;
    let (pause_ms, longest_pause_ms) = (300.0, 300.0);
    Precopy { memory, throughput, curve, pause_ms, longest_pause_ms, throttle: None, last_resort: LastResort::Nothing }
}

/// When it ends, in ms, in steps of a ms: sends until the rest would fit into the pause, looks what was changed, and begins again.
fn stepped(precopy: &Precopy<'_>) -> Option<f64> {
    let fits = precopy.pause_ms * precopy.throughput;
    let (mut left, mut time, mut begun) = (precopy.memory, 0.0_f64, 0.0);
    for _ in 0..2_000_000 {
        // What is looked at is what was sent in the last 50 ms, on average of 100.
        if left <= fits - 50.0 * precopy.throughput {
            left = (left + precopy.curve.bytes_within(time - begun)).min(precopy.memory);
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
    let End::After { bytes, pause_bytes, .. } = gentle(1000.0 * MIB, 100.0, &curve).end() else {
        panic!("20 MiB fit into 300 ms")
    };
    assert!(bytes < 1060.0 * MIB && pause_bytes <= 30.0 * MIB, "{bytes} {pause_bytes}");
    let set = [1000, 2000, 4000].map(|period_ms| DirtyPoint { period_ms, bytes: 200 << 20 });
    let curve = DirtyCurve::new(set, None);
    let End::Never { least } = gentle(1000.0 * MIB, 100.0, &curve).end() else { panic!("200 MiB do not") };
    assert!((150.0..250.0).contains(&(least / MIB)), "{least}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn passes_end_when_the_steps_do(memory in 10.0..2000.0f64, mib_s in 5.0..500.0f64, ratio in 0.0..2.0f64) {
        // Near 1 they take for ever, each in its own way.
        prop_assume!((ratio - 1.0).abs() > 0.2);
        let curve = steady((ratio * mib_s) as u64);
        let precopy = gentle(memory * MIB, mib_s, &curve);
        match (precopy.end(), stepped(&precopy)) {
            (End::After { bytes, .. }, Some(time)) => {
                let passes = bytes / precopy.throughput;
                prop_assert!((passes - time).abs() <= 0.05 * time + 100.0, "{passes} and {time}");
            }
            (End::Never { .. }, None) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
