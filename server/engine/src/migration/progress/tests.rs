//! Bars of simulated pre-copies.

use proptest::prelude::*;

use super::*;

const MIB: u64 = 1 << 20;

/// A pre-copy of `memory` bytes at `bandwidth` bytes/s while the guest writes `dirty` bytes/s, sampled every 250 ms.
fn samples(memory: u64, bandwidth: u64, dirty: u64, count: usize) -> Vec<Statistics> {
    let (mut remaining, mut processed, mut pass, mut pass_ms) = (memory, 0, 1, 0);
    (0..count)
        .map(|index| {
            let sent = (bandwidth / 4).min(remaining);
            remaining -= sent;
            processed += sent;
            pass_ms += 250;
            if remaining == 0 {
                remaining = (dirty * pass_ms / 1000).min(memory);
                pass += 1;
                pass_ms = 0;
            }
            Statistics {
                elapsed_ms: (index as u64 + 1) * 250,
                data_total: memory,
                data_processed: processed,
                data_remaining: remaining,
                memory_total: memory,
                memory_processed: processed,
                memory_remaining: remaining,
                memory_bytes_s: bandwidth,
                dirty_pages_s: if pass > 1 { dirty / 4096 } else { 0 },
                page_bytes: 4096,
                memory_pass: pass,
                ..Statistics::default()
            }
        })
        .collect()
}

#[test]
fn a_guest_that_writes_too_fast_is_named() {
    let mut tracker = Tracker::default();
    let last = samples(256 * MIB, 32 * MIB, 64 * MIB, 480)
        .iter()
        .map(|sample| tracker.sample(sample, sample.elapsed_ms))
        .last()
        .unwrap();
    assert!(matches!(last.convergence, Convergence::NotConverging { needed_downtime_ms } if needed_downtime_ms > 300));
    assert_eq!(last.time_left, None);
    assert!(last.percent < CONVERGED, "{}", last.percent);
}

#[test]
fn a_guest_that_can_be_followed_comes_close() {
    let mut tracker = Tracker::default();
    let last = samples(128 * MIB, 32 * MIB, 8 * MIB, 24)
        .iter()
        .map(|sample| tracker.sample(sample, sample.elapsed_ms))
        .last()
        .unwrap();
    assert_eq!(last.convergence, Convergence::Converging);
    assert!(last.percent > FIRST_PASS, "{}", last.percent);
}

#[test]
fn disks_count_by_their_bytes_and_memory_that_starts_after_them_is_no_step_back() {
    let mut tracker = Tracker::default();
    tracker.expect_memory(64 * MIB);
    let disk = |remaining| Statistics {
        elapsed_ms: 1,
        data_total: 192 * MIB,
        data_remaining: remaining,
        disk_total: 192 * MIB,
        disk_remaining: remaining,
        ..Statistics::default()
    };
    assert_eq!(tracker.sample(&disk(96 * MIB), 1).percent, FIRST_PASS * 96.0 / 256.0);
    let copied = tracker.sample(&disk(0), 2).percent;
    assert_eq!(copied, FIRST_PASS * 192.0 / 256.0);
    // libvirt's own percentage falls from 100 to 75 here.
    let with_memory = Statistics {
        data_total: 256 * MIB,
        data_remaining: 64 * MIB,
        memory_total: 64 * MIB,
        memory_remaining: 64 * MIB,
        ..disk(0)
    };
    assert_eq!(Tracker::phase(&disk(0)), Phase::CopyingDisks);
    assert_eq!(Tracker::phase(&with_memory), Phase::CopyingMemory);
    assert_eq!(tracker.sample(&with_memory, 3).percent, copied);
}

#[test]
fn disks_alone_fill_the_bar() {
    let mut tracker = Tracker::default();
    tracker.expect_memory(0);
    let copied =
        Statistics { elapsed_ms: 1, data_total: MIB, disk_total: MIB, disk_processed: MIB, ..Statistics::default() };
    assert_eq!(tracker.sample(&copied, 1).percent, FIRST_PASS);
}

#[test]
fn a_restarted_console_does_not_set_the_bar_back() {
    let mut tracker = Tracker::resume(Progress { percent: 60.0, ..Progress::default() }, None);
    let sample = samples(64 * MIB, 32 * MIB, 0, 1)[0];
    assert_eq!(tracker.sample(&sample, 250).percent, 60.0);
}

proptest! {
    #[test]
    fn the_bar_never_goes_back_and_never_says_done(
        memory in 1u64..4096, bandwidth in 1u64..2048, dirty in 0u64..4096, count in 1usize..400,
    ) {
        let mut tracker = Tracker::default();
        let mut last = 0.0;
        for sample in samples(memory * MIB, bandwidth * MIB, dirty * MIB, count) {
            let percent = tracker.sample(&sample, sample.elapsed_ms).percent;
            prop_assert!(percent >= last && percent < 100.0, "{last} then {percent}");
            last = percent;
        }
        prop_assert!(tracker.switched(0).percent < 100.0);
    }

    #[test]
    fn nonsense_from_a_host_does_no_harm(
        numbers in proptest::collection::vec(any::<u64>(), 13), more in proptest::collection::vec(any::<u64>(), 13),
    ) {
        let mut tracker = Tracker::default();
        let mut last = 0.0;
        for n in [numbers, more] {
            let statistics = Statistics {
                elapsed_ms: n[0], data_total: n[1], data_processed: n[2], data_remaining: n[3], memory_total: n[4],
                memory_processed: n[5], memory_remaining: n[6], disk_total: n[7], disk_processed: n[8],
                disk_remaining: n[9], memory_bytes_s: n[10], dirty_pages_s: n[11], page_bytes: 4096,
                memory_pass: n[12] % 5, downtime_ms: Some(n[0]), throttle_percent: (n[0] % 100) as u8,
            };
            let percent = tracker.sample(&statistics, 1).percent;
            prop_assert!(percent >= last && percent < 100.0, "{last} then {percent}");
            last = percent;
        }
    }
}
