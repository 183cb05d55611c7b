//! Recorded migrations, replayed: what was said while they ran, against what came of them.
//!
//! `xtask/record-traces.sh` made the traces of real migrations between the demo's hosts, of its guests and of variants of its boot sector:
//! idle (`web`), steady below and above the link (`db`, `wide`, `cache`), with small working sets (`steady`, `small`, `tick`), in bursts of
//! 3.5 s (`bursty`, `slowburst`), in phases of 28 s (`phases`), and growing by 16 KiB a tick (`growing`). Those in `held-out` were never used to
//! choose a constant.

use std::{fs, path::Path};

use model::Policy;

use super::*;
use crate::{
    hypervisor::DirtyPoint,
    precopy::{BEYOND_LIMIT_MS, HOPELESS_RATIO, Rules, throttle_from},
};

/// A recorded migration.
struct Trace {
    name: String,
    course: Course,
    curve: Option<Arc<DirtyCurve>>,
    succeeded: bool,
    total_ms: u64,
    samples: Vec<Sample>,
}

struct Sample {
    at_ms: u64,
    pause_limit_ms: u32,
    statistics: Statistics,
}

/// A pass, and when, in ms since the migration was asked for.
type Moment = (u64, u64);

/// Where passes last less than a second, two of them are too few to measure a rate: so many ms are as good.
const AS_GOOD_AS_TWO_PASSES_MS: u64 = 5_000;

/// What came of a replay.
struct Replayed {
    name: String,
    /// Of each sample after the first pass, of one that moved: how far the time left was off, as a part of it, and whether it was within
    /// the interval.
    time_left: Vec<(f64, bool)>,
    steps_back: usize,
    /// Whether the guest was measured before.
    measured: bool,
    /// The pass in which it was first said not to converge.
    alarm: Option<Moment>,
    /// The passes that began with about as much as the one before, or more.
    fruitless: Vec<Moment>,
    /// Whether it would have ended by itself; none where the policy did something, so that it is not known.
    ends_by_itself: Option<bool>,
}

fn traces(folder: &str) -> Vec<Trace> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("traces").join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| trace(path)).collect()
}

fn trace(path: &Path) -> Trace {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let mut field = |name: &str| {
        let (key, value) = lines.next().unwrap().split_once(',').unwrap();
        assert_eq!(key, name);
        value.to_owned()
    };
    let policy = field("policy");
    let policy = *Policy::ALL.iter().find(|known| known.as_str() == policy).unwrap();
    let slows_by: u8 = field("slows_by_percent").parse().unwrap();
    let (succeeded, total_ms) = (field("outcome") == "succeeded", field("total_ms").parse().unwrap());
    let points = field("curve");
    let points = points.split_whitespace().map(|point| {
        let (period_ms, bytes) = point.split_once(':').unwrap();
        DirtyPoint { period_ms: period_ms.parse().unwrap(), bytes: bytes.parse().unwrap() }
    });
    let points: Vec<DirtyPoint> = points.collect();
    let cpu_share = field("cpu_share").parse().ok();
    let curve = (!points.is_empty()).then(|| Arc::new(DirtyCurve::new(points, cpu_share)));
    let samples: Vec<Sample> = lines.skip(1).map(sample).collect();
    let rules = Rules::of(policy, None, Some(u32::MAX), samples[0].statistics.memory_total);
    let throttle = policy.slows_guest().then(|| throttle_from((slows_by > 0).then_some(slows_by)));
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    Trace {
        name,
        course: Course { rules, throttle, post_copy: false, is_limited: true, switchover: None, waited_ms: 0 },
        curve,
        succeeded,
        total_ms,
        samples,
    }
}

fn sample(line: &str) -> Sample {
    let n: Vec<u64> = line.split(',').map(|number| number.parse().unwrap()).collect();
    let statistics = Statistics {
        elapsed_ms: n[2],
        data_total: n[3],
        data_processed: n[4],
        data_remaining: n[5],
        memory_total: n[3],
        memory_processed: n[4],
        memory_remaining: n[5],
        memory_bytes_s: n[6],
        dirty_pages_s: n[7],
        page_bytes: 4096,
        memory_pass: n[8],
        downtime_ms: Some(n[9]),
        throttle_percent: u8::try_from(n[10]).unwrap(),
        ..Statistics::default()
    };
    Sample { at_ms: n[0], pause_limit_ms: u32::try_from(n[1]).unwrap(), statistics }
}

fn replay(trace: &Trace) -> Replayed {
    let mut tracker = Tracker::resume(Progress::default(), trace.curve.clone());
    tracker.follow(trace.course);
    let (mut percent, mut steps_back, mut alarm, mut time_left) = (0.0, 0, None, Vec::new());
    let (mut pass, mut began_with, mut fruitless) = (1, f64::INFINITY, Vec::new());
    for Sample { at_ms, pause_limit_ms, statistics } in &trace.samples {
        let progress = tracker.sample(statistics, *at_ms);
        // The policy acts on a sample, so that its pause holds from the next one on. What was recorded is what QEMU was given.
        tracker.allow_pause(*pause_limit_ms + BEYOND_LIMIT_MS as u32);
        if statistics.memory_pass > pass {
            let begins_with = statistics.data_remaining as f64;
            if begins_with > HOPELESS_RATIO * began_with {
                fruitless.push((statistics.memory_pass, *at_ms));
            }
            (pass, began_with) = (statistics.memory_pass, begins_with);
        }
        steps_back += usize::from(progress.percent < percent);
        percent = progress.percent;
        if matches!(progress.convergence, Convergence::NotConverging { .. }) {
            alarm = alarm.or(Some((statistics.memory_pass, *at_ms)));
        }
        if trace.succeeded && statistics.memory_pass > 1 {
            let left = trace.total_ms.saturating_sub(*at_ms).max(1);
            time_left.push(match progress.time_left {
                Some(said) => {
                    (said.likely_ms.abs_diff(left) as f64 / left as f64, (said.low_ms..=said.high_ms).contains(&left))
                }
                None => (f64::INFINITY, false),
            });
        }
    }
    let ends_by_itself = (trace.course.throttle.is_none()).then_some(trace.succeeded);
    Replayed {
        name: trace.name.clone(),
        time_left,
        steps_back,
        alarm,
        fruitless,
        measured: trace.curve.is_some(),
        ends_by_itself,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn judge(folder: &str) {
    let replayed: Vec<Replayed> = traces(folder).iter().map(replay).collect();
    for one in &replayed {
        let (count, errors): (usize, Vec<f64>) =
            (one.time_left.len(), one.time_left.iter().map(|(error, _)| *error).collect());
        let within = one.time_left.iter().filter(|(_, within)| *within).count();
        let error = if count > 0 { 100.0 * median(errors) } else { f64::NAN };
        println!(
            "{:24} {:5} {count:4} samples, off by {error:6.1} %, {within:4} within, alarm in pass {:?} of {:?}, ends by itself: {:?}",
            one.name,
            one.measured,
            one.alarm,
            one.fruitless.first(),
            one.ends_by_itself
        );
    }
    let all: Vec<(f64, bool)> = replayed.iter().flat_map(|one| one.time_left.clone()).collect();
    let error = median(all.iter().map(|(error, _)| *error).collect());
    let coverage = all.iter().filter(|(_, within)| *within).count() as f64 / all.len() as f64;
    println!(
        "{folder}: {} samples, median error {:.1} %, coverage {:.1} %",
        all.len(),
        100.0 * error,
        100.0 * coverage
    );
    for one in &replayed {
        assert_eq!(one.steps_back, 0, "{}", one.name);
        let fact = one.fruitless.first();
        let is_soon =
            |alarm: Moment, fact: &Moment| alarm.0 <= fact.0 + 2 || alarm.1 <= fact.1 + AS_GOOD_AS_TWO_PASSES_MS;
        match (one.ends_by_itself, one.alarm) {
            // A guest that writes in bursts may well do so when it is said, and end by itself afterwards.
            (Some(true), Some(alarm)) => {
                assert!(fact.is_some_and(|fact| fact.0 <= alarm.0 + 2), "{}: a false alarm in {alarm:?}", one.name);
            }
            (Some(false), alarm) => {
                assert!(alarm.zip(fact).is_some_and(|(alarm, fact)| is_soon(alarm, fact)), "{}: {alarm:?}", one.name);
            }
            (Some(true) | None, _) => {}
        }
    }
    assert!(error <= 0.15, "{error}");
    assert!((0.75..=0.9).contains(&coverage), "{coverage}");
}

#[test]
fn recorded_migrations_were_estimated_well() {
    judge("tuning");
}

#[test]
fn so_were_those_held_out() {
    judge("held-out");
}
