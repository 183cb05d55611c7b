//! What the bench (benches/migration) re-enacts of other consoles, and how it sums up: a bench has no tests of its own.

#![allow(dead_code, reason = "the bench uses all of it")]

#[path = "../benches/migration/figures.rs"]
mod figures;
#[path = "../benches/migration/kubevirt.rs"]
mod kubevirt;
#[path = "../benches/migration/schedule.rs"]
mod schedule;

use std::time::Duration;

use engine::{Statistics, Tuning};
use schedule::{Peer, Step};

/// What a schedule does with what is left, look by look at its interval: the pauses that it allows, in ms, and when it stops, in s.
fn looks(peer: Peer, seconds: u64, left: impl Fn(u64) -> (u64, u64)) -> (Vec<(u64, u32)>, Option<u64>) {
    let (mut schedule, mut pauses) = (peer.schedule(), vec![(0, peer.schedule().first_pause_ms())]);
    let mut elapsed = Duration::ZERO;
    while elapsed < Duration::from_secs(seconds) {
        elapsed += peer.interval();
        let (memory_pass, remaining) = left(elapsed.as_millis() as u64);
        let figures = Statistics {
            memory_pass,
            memory_remaining: remaining,
            data_remaining: remaining,
            memory_bytes_s: 32_000_000,
            ..Statistics::default()
        };
        match schedule.look(elapsed, &figures) {
            Some(Step::Tune(Tuning::PauseLimit { ms })) => pauses.push((elapsed.as_secs(), ms)),
            Some(Step::Abort) => return (pauses, Some(elapsed.as_secs())),
            _ => {}
        }
    }
    (pauses, None)
}

/// A guest whose passes all leave the same, one pass each two seconds.
fn stands_still(bytes: u64) -> impl Fn(u64) -> (u64, u64) {
    move |ms| (1 + ms / 2_000, bytes)
}

/// A guest of which each look finds more left than the one before.
fn grows(ms: u64) -> (u64, u64) {
    (1 + ms / 2_000, ms)
}

#[test]
fn nova_waits_for_two_gib_at_each_of_ten_steps() {
    let (pauses, stopped) = looks(Peer::Nova, 1_700, stands_still(1 << 26));
    assert_eq!((pauses[0], pauses[1], pauses.last()), ((0, 100), (150, 190), Some(&(1_500, 1_000))));
    assert_eq!((pauses.len(), stopped), (11, Some(1_600)));
}

#[test]
fn ovirt_allows_more_by_how_often_more_was_left_and_gives_up() {
    let (pauses, stopped) = looks(Peer::Ovirt, 300, grows);
    let mut steps: Vec<u32> = pauses.iter().map(|(_, ms)| *ms).collect();
    steps.dedup();
    assert_eq!((steps, stopped), (vec![100, 150, 200, 300, 400, 500], Some(90)));
    assert_eq!(looks(Peer::Ovirt, 300, stands_still(1 << 26)).0.len(), 1, "it sees no pass");
}

#[test]
fn proxmox_doubles_after_six_looks_that_found_more() {
    let (pauses, stopped) = looks(Peer::Proxmox, 20, grows);
    assert_eq!((pauses, stopped), (vec![(0, 100), (7, 200), (13, 400), (19, 800)], None));
}

#[test]
fn kubevirt_ramps_from_the_third_pass_on() {
    let (pauses, stopped) = looks(Peer::KubevirtRamp, 200, stands_still(1 << 26));
    assert_eq!((pauses[0], pauses[1].0, pauses[1].1), ((0, 150), 6, 271));
    assert_eq!((pauses.len(), pauses.last().map(|(_, ms)| *ms), stopped), (8, Some(1_000), Some(150)));
    assert!(pauses[1..].windows(2).all(|pair| pair[1].0 >= pair[0].0 + 10), "{pauses:?}");
}

#[test]
fn kubevirt_s_detector_allows_its_pause_where_that_is_possible() {
    let (pauses, stopped) = looks(Peer::KubevirtDetector, 200, stands_still(40_000_000));
    assert_eq!((pauses[0], pauses[1].1, pauses.len()), ((0, 300), 1_000, 2));
    assert!((40..50).contains(&pauses[1].0), "{pauses:?}");
    assert_eq!(stopped, Some(pauses[1].0 + 60), "it did not switch over");
    let (pauses, stopped) = looks(Peer::KubevirtDetector, 200, stands_still(60_000_000));
    assert!(pauses.len() == 1 && stopped.is_some_and(|at| at < 50), "1.9 s are too much: {stopped:?}");
}

#[test]
fn virsh_switches_to_post_copy_once() {
    let mut schedule = Peer::PostCopyAfterPrecopy.schedule();
    let mut at = |memory_pass| schedule.look(Duration::ZERO, &Statistics { memory_pass, ..Statistics::default() });
    assert_eq!([at(1), at(2), at(3)], [None, Some(Step::Tune(Tuning::PostCopy)), None]);
}

#[test]
fn figures_are_those_of_the_values() {
    assert_eq!((figures::median([]), figures::p90([])), (None, None));
    assert_eq!((figures::median([3.0, 1.0, 2.0]), figures::median([4.0, 1.0])), (Some(2.0), Some(2.5)));
    assert_eq!(figures::p90((1..=10).map(f64::from)), Some(9.0));
    assert_eq!(figures::p90([1.0, 5.0]), Some(5.0));
    let (mut once, mut again) = ((0..20).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    figures::Dice(7).shuffle(&mut once);
    figures::Dice(7).shuffle(&mut again);
    assert!(once == again && once != (0..20).collect::<Vec<_>>());
}
