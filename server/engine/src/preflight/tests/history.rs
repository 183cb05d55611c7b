//! What earlier migrations tell.

use model::{Act, Acted, Ending, Migration, MigrationOptions, Outcome, Policy, Progress, examples};

use super::{
    super::history::{carried, carries, off, overhead_ms, pause_ms, sends, unlimited_mib_s},
    prediction::move_at,
};

const MIB: u64 = 1 << 20;

/// A move with balanced that sent so many MiB over 32 MiB/s, and took 2 s beside.
fn sent(mib: u64) -> Migration {
    let outcome = Outcome {
        total_ms: mib * 1000 / 32 + 2_000,
        downtime_ms: Some(100),
        bytes: mib * MIB,
        average_bytes_s: mib * MIB * 1000 / (mib * 1000 / 32 + 1_500),
    };
    let progress = Progress { throughput_bytes_s: 32 * MIB, ..Progress::default() };
    Migration { outcome: Some(outcome), progress, ..move_at(1) }
}

fn predicted(likely_ms: u64, dirty_bytes_s: Option<u64>, migration: Migration) -> Migration {
    let (low_ms, high_ms, pause_ms, likely_pause_ms) = (1, u64::MAX, 300, 100);
    let ending =
        Ending::After { low_ms, likely_ms, high_ms, pause_ms, likely_pause_ms, guest_percent: 100, post_copy: false };
    let prediction = model::Prediction { dirty_bytes_s, ..examples::prediction(ending) };
    Migration { prediction: Some(prediction), ..migration }
}

#[test]
fn what_the_link_carries_without_a_limit_is_said_carefully() {
    let moves = |rates: &[u64]| rates.iter().map(|mib_s| move_at(mib_s * MIB)).collect::<Vec<_>>();
    let unlimited = |rates: &[u64], limit| unlimited_mib_s(moves(rates).iter(), limit);
    assert_eq!(unlimited(&[], 32), None, "nothing is known");
    assert_eq!(unlimited(&[1_000, 500, 900], 32), Some(400), "four fifths of the slowest");
    assert_eq!(unlimited(&[1_000, 31], 32), None, "the source may have had the limit then");
    assert_eq!(unlimited(&[40, 42], 32), None, "hardly faster");
    assert_eq!(unlimited(&[44], 32), Some(35));
    let mut limited = move_at(500 * MIB);
    limited.options.bandwidth_mib_s = Some(500);
    assert_eq!(unlimited_mib_s([limited].iter(), 32), None, "it had a limit of its own");
}

#[test]
fn the_queue_is_no_part_of_what_a_move_takes() {
    let (options, throughput) = (MigrationOptions::default(), 32.0 * MIB as f64 / 1000.0);
    let mut waited = sent(64);
    waited.waited_ms = 60_000;
    waited.outcome.as_mut().unwrap().total_ms += 60_000;
    assert!((overhead_ms(&[waited], &options, throughput) - 2_000.0).abs() < 1.0);
}

#[test]
fn the_time_until_qemu_sends_is_no_part_of_what_the_link_carries() {
    let moves = [sent(64), sent(128), sent(100)];
    let options = MigrationOptions::default();
    assert_eq!(carries(&moves, &options), Some(32 * MIB));
    assert!(carried(moves.iter(), &options).unwrap() < 25 * MIB);
    let throughput = 32.0 * MIB as f64 / 1000.0;
    assert!((overhead_ms(&moves, &options, throughput) - 2_000.0).abs() < 1.0);
    assert_eq!(overhead_ms(&[], &options, throughput), 1_000.0);
    let limited = MigrationOptions { bandwidth_mib_s: Some(8), ..options };
    assert_eq!(carries(&moves, &limited), None, "moves with another limit say nothing");
}

#[test]
fn a_vm_sends_what_it_has_sent() {
    let throughput = 30.0 * MIB as f64;
    let known = |moves: &[Migration], dirty| {
        sends(moves, Policy::Balanced, throughput, dirty).map(|sends| sends.bytes as u64 / MIB)
    };
    assert_eq!(known(&[], None), None);
    assert_eq!(known(&[sent(130), sent(128), sent(131)], None), Some(129));
    let other = Migration { policy: Policy::Gentle, ..sent(64) };
    assert_eq!(known(&[other, sent(131)], None), Some(130), "another policy sends another amount");
    let busier = predicted(1, Some(64 * MIB), sent(500));
    assert_eq!(known(&[busier.clone(), sent(131)], Some(8 * MIB)), Some(130), "it was another guest then");
    assert_eq!(known(&[busier], Some(60 * MIB)), Some(499));
    let spread = |moves: &[Migration]| sends(moves, Policy::Balanced, throughput, None).unwrap().spread;
    assert!(spread(&[sent(100), sent(100), sent(100)]) < spread(&[sent(100)]));
    assert!(spread(&[sent(100), sent(150), sent(200)]) > 0.3);
}

#[test]
fn pauses_are_as_long_as_they_were() {
    let known = |own: &[Migration], policy| pause_ms(own, &[sent(64)], policy, Some(8 * MIB));
    assert_eq!(pause_ms(&[], &[], Policy::Balanced, None), None);
    assert_eq!(known(&[], Policy::Balanced), Some(100.0));
    assert_eq!(known(&[], Policy::Certain), None);
    let paused = |ms, dirty| {
        let mut migration = predicted(1, Some(dirty), sent(64));
        migration.outcome = migration.outcome.map(|outcome| Outcome { downtime_ms: Some(ms), ..outcome });
        migration
    };
    assert_eq!(known(&[paused(700, 64 * MIB), paused(250, 8 * MIB)], Policy::Balanced), Some(250.0), "as busy");
    let by_post_copy = Migration { post_copy: true, ..paused(4, 8 * MIB) };
    assert_eq!(known(&[by_post_copy, paused(250, 8 * MIB)], Policy::Balanced), Some(250.0));
}

#[test]
fn outcomes_say_how_far_predictions_are_off() {
    let took = |likely_ms| predicted(likely_ms, None, sent(64));
    // It takes 4 s.
    let four = [took(4_000), took(2_000), took(8_000), took(5_000)];
    assert_eq!(off(&four, &[], Policy::Balanced), None, "too few");
    let five = [&four[..], &[took(4_000)]].concat();
    let (low, high) = off(&five, &[], Policy::Balanced).unwrap();
    assert!(low < 0.5 && high > 2.0, "{low} to {high}");
    assert_eq!(off(&[], &five, Policy::Balanced), Some((low, high)), "of the two hosts");
    assert_eq!(off(&five, &five, Policy::Gentle), None, "with another policy");
    let nine: Vec<Migration> = (1..=9).map(|tenths| took(tenths * 1_000)).collect();
    let (low, high) = off(&nine, &[], Policy::Balanced).unwrap();
    assert!((low - 4.0 / 9.0).abs() < 0.01 && (high - 4.0).abs() < 0.01, "{low} to {high}");
}

#[test]
fn a_move_whose_limit_was_changed_says_nothing_of_what_one_with_that_limit_has() {
    let options = MigrationOptions { bandwidth_mib_s: Some(16), ..MigrationOptions::default() };
    let mut raised = sent(64);
    raised.options = options.clone();
    assert_eq!(carries(&[raised.clone()], &options), Some(32 * MIB));
    raised.acts = vec![Act { elapsed_ms: 1_000, what: Acted::Bandwidth { mib_s: 48 }, by: None }];
    assert_eq!(carries(&[raised.clone()], &options), None);
    assert_eq!(overhead_ms(&[raised], &options, 32.0), 1_000.0);
}
