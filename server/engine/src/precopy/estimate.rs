//! How a pre-copy goes on: the time left, the pause, and whether it ends by itself.

use model::TimeLeft;

use super::{DEVICES_MS, End, Guest, Position, Precopy, Rules};
use crate::hypervisor::Throttle;

/// What it takes from the last byte to the verdict, in ms: the hosts switch over and are asked where the VM is. Recorded at the demo's
/// hosts.
const SWITCH_MS: f64 = 400.0;
/// How many standard deviations on both sides hold four of five outcomes.
const FOUR_OF_FIVE: f64 = 1.28;
/// How far an estimate is off at the least (the standard deviation of its logarithm).
const MODEL: f64 = 0.1;
/// How far it is off by what does not depend on how long it takes: samples, and the end, in ms.
const SAMPLE_MS: f64 = 200.0;

/// What is done with a migration: what its policy may do, and what QEMU was prepared for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    pub(crate) rules: Rules,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) post_copy: bool,
    /// Whether its bandwidth is limited.
    pub(crate) is_limited: bool,
    /// What QEMU was told that the link carries without that limit, during the pause, in bytes a ms; none if it was told nothing.
    pub(crate) switchover: Option<f64>,
    /// How long it waited in the queue, in ms.
    pub(crate) waited_ms: u64,
}

/// What is known of a migration that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) position: Position,
    /// All that a pass can send, in bytes.
    pub(crate) memory: f64,
    /// What the link carries, in bytes a ms; more than 0.
    pub(crate) throughput: f64,
    pub(crate) guest: Guest<'a>,
    /// Whether that is a limit, and the link carries more.
    pub(crate) is_limited: bool,
    /// How far what the guest will change is off (the standard deviation of its logarithm).
    pub(crate) spread: f64,
    /// The part of that which it will change for certain.
    pub(crate) certain: f64,
}

/// How it goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    /// None if it does not end, whatever its policy does.
    pub(crate) time_left: Option<TimeLeft>,
    /// The most likely pause, in ms.
    pub(crate) pause_ms: Option<u64>,
    /// Of one that does not end unless something is done: the pause that would let it finish, in ms.
    pub(crate) endless: Option<u64>,
}

/// Goes through the rest of it: with what the policy will do (if there is one) for the time left, and without for the verdict.
pub(crate) fn estimate(known: &Known<'_>, course: Option<&Course>) -> Estimate {
    let Known { position, memory, throughput, guest, .. } = *known;
    let switchover = course.and_then(|course| course.switchover);
    let by_itself = Precopy { memory, throughput, switchover, guest, rules: None, throttle: None, post_copy: false };
    let at_least = Precopy { guest: guest.scaled(known.certain), ..by_itself };
    let endless = match at_least.end(position) {
        End::Never { least } => Some((least / switchover.unwrap_or(throughput)) as u64),
        End::After { .. } => None,
    };
    let steered = match course {
        Some(Course { rules, throttle, post_copy, .. }) => {
            Precopy { rules: Some(*rules), throttle: *throttle, post_copy: *post_copy, ..by_itself }
        }
        None => by_itself,
    };
    let end = |guest| Precopy { guest, ..steered }.end(position);
    let End::After { bytes, waits_ms, pause_bytes, pause_ms, .. } = end(guest) else {
        return Estimate { endless, ..Estimate::default() };
    };
    let factor = known.spread.exp();
    let spread = spread(bytes, [end(guest.scaled(1.0 / factor)), end(guest.scaled(factor))]);
    // QEMU does not observe the limit during the pause. Unless it was told, the link is so much faster that this takes no time.
    let paused_ms = if known.is_limited && switchover.is_none() { 0.0 } else { pause_ms };
    Estimate {
        time_left: Some(time_left((bytes - pause_bytes) / throughput + paused_ms + waits_ms, spread)),
        pause_ms: Some((pause_ms + DEVICES_MS) as u64),
        endless,
    }
}

/// The time that is left where only so much is to be sent, at so many bytes a ms.
/// `spread` is how far that is off (the standard deviation of its logarithm).
pub(crate) fn time_to_send(bytes: f64, throughput: f64, spread: f64) -> TimeLeft {
    time_left(bytes / throughput, spread.max(MODEL))
}

fn time_left(sending_ms: f64, spread: f64) -> TimeLeft {
    let likely = sending_ms + SWITCH_MS;
    let factor = (FOUR_OF_FIVE * spread).exp();
    TimeLeft {
        low_ms: (likely / factor - SAMPLE_MS).max(0.0) as u64,
        likely_ms: likely as u64,
        high_ms: (likely * factor + SAMPLE_MS) as u64,
    }
}

/// How far it is off because what the guest changes is: the standard deviation of the logarithm.
fn spread(likely: f64, others: [End; 2]) -> f64 {
    let distance = |end: &End| match end {
        End::After { bytes, .. } => (bytes.max(1.0) / likely.max(1.0)).ln().abs(),
        // It may as well take twice as long: with a little more it would not end.
        End::Never { .. } => std::f64::consts::LN_2,
    };
    others.iter().map(distance).fold(MODEL, f64::max)
}
