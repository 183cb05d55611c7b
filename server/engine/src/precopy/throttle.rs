//! How QEMU slows a guest (auto-converge), and what that leaves of its writes.

use crate::hypervisor::Throttle;

/// What a slowed guest shall write, by what the link carries: each pass then leaves less than half of what it found.
const SLOWED_RATIO: f64 = 0.4;
/// How much more of their time the guest's CPUs lose each time that does not suffice, in percent. QEMU adds it in every second pass at the
/// most, so that from 60 % on there are two more steps (80 and 99 %), four passes in all; with QEMU's own 10 % there are four.
const INCREMENT: u8 = 20;
/// How QEMU slows a guest of which nothing was measured, in percent: what a guest needs that writes just as fast as the link carries.
const UNMEASURED: u8 = 60;
/// QEMU slows by this much at first, and by no more than that (`cpu-throttle-initial`, `max-cpu-throttle`), in percent.
const LEAST: f64 = 20.0;
const MOST: f64 = 99.0;

/// A guest that sleeps most of the time loses nothing while it sleeps anyway: only from this share of a CPU on does QEMU slow it, whatever
/// it uses. QEMU lets a CPU run for 10 ms at a time, and a guest's timer ticks every 55 ms at the slowest (the PC's, 18.2 Hz). Measured
/// with the demo's `cache`, which uses 0.5 % of a CPU and changes 64 MiB/s: 80 % has no effect, 95 % leaves 15.8 MiB/s, and 99 % leaves
/// 3.5 MiB/s.
const LEAST_CPU_SHARE: f64 = 0.18;

/// The part that is left of a guest's writes when its CPUs lose `percent` of their time, from 0 to 1. `cpu_share` is the part of the time
/// that its busiest CPU executes when it is not slowed.
pub(crate) fn slowed_to(percent: u8, cpu_share: f64) -> f64 {
    let left = 1.0 - f64::from(percent.min(99)) / 100.0;
    (left / cpu_share.clamp(LEAST_CPU_SHARE, 1.0)).min(1.0)
}

/// How QEMU has to slow a guest that writes `ratio` times what the link carries, so that it writes 0.4 of that. `cpu_share` as for
/// [`slowed_to`]; 1 where that is not known.
pub(crate) fn throttle_for(ratio: f64, cpu_share: f64) -> Throttle {
    let wanted = if ratio > SLOWED_RATIO { SLOWED_RATIO / ratio } else { 1.0 };
    let percent = 100.0 * (1.0 - wanted * cpu_share.clamp(LEAST_CPU_SHARE, 1.0));
    let in_fives = (percent / 5.0).ceil() * 5.0;
    Throttle { initial: in_fives.clamp(LEAST, MOST) as u8, increment: INCREMENT }
}

/// The same of a guest of which only this was found before the start, in percent; none if nothing was measured.
pub(crate) fn throttle_from(initial: Option<u8>) -> Throttle {
    Throttle { initial: initial.unwrap_or(UNMEASURED), increment: INCREMENT }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_guest_is_slowed_by_what_it_writes_too_much() {
        let initial = |ratio, cpu_share| throttle_for(ratio, cpu_share).initial;
        assert_eq!((initial(0.2, 1.0), initial(0.5, 1.0), initial(1.0, 1.0), initial(2.0, 1.0)), (20, 20, 60, 80));
        assert_eq!((initial(1.0, 0.5), initial(1.0, 0.01), initial(1000.0, 1.0)), (80, 95, 99));
    }

    #[test]
    fn a_guest_that_mostly_sleeps_is_slowed_late() {
        let left = |percent| (1000.0 * slowed_to(percent, 0.005)).round();
        assert_eq!((left(0), left(80), left(95), left(99)), (1000.0, 1000.0, 278.0, 56.0));
        assert_eq!(slowed_to(60, 1.0), 0.4);
    }

    proptest! {
        #[test]
        fn the_throttle_does_what_it_is_for(ratio in 0.0..1000.0f64, cpu_share in 0.0..=1.0f64) {
            let Throttle { initial, increment } = throttle_for(ratio, cpu_share);
            prop_assert!((20..=99).contains(&initial) && increment > 0);
            let slowed = ratio * slowed_to(initial, cpu_share);
            prop_assert!(slowed <= SLOWED_RATIO + 1e-9 || initial >= 95, "{slowed}");
        }

        #[test]
        fn nonsense_is_clamped(ratio: f64, cpu_share: f64) {
            let initial = throttle_for(ratio, cpu_share).initial;
            prop_assert!((1..=99).contains(&initial), "{initial}");
        }
    }
}
