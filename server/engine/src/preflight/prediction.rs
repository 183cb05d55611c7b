//! How long a live migration will take, before it begins: with each policy, from the request to the verdict.
//!
//! `precopy/passes.rs` goes through it pass by pass with what the guest was measured to change; `history.rs` corrects that by what earlier
//! migrations of the VM and between the two hosts did.

use std::f64::consts::LN_2;

use model::{ControlFlow, Ending, MigrationOptions, Policy, PolicyPrediction, Prediction, VmState};

use super::{
    control_flow,
    history::{self, Sends},
    input::PreflightInput,
};
use crate::{
    hypervisor::{DirtyCurve, Throttle, knows_switchover},
    precopy::{DEVICES_MS, DOWNTIME_LIMIT_MS, End, Guest, Position, Precopy, Rules, qemu_limit_ms, throttle_for},
};

/// Of a guest that was not measured: what it changes, by what the link carries. Most guests are idle; with the last one each pass leaves
/// half of what it found.
const GUESSED_RATIOS: [f64; 3] = [0.0, 0.2, 0.5];
/// How far a prediction is off at the least that was made of a measurement (the standard deviation of its logarithm).
const MODEL: f64 = 0.1;
/// How many standard deviations on both sides hold four of five outcomes.
const FOUR_OF_FIVE: f64 = 1.28;
/// Until enough outcomes have shown more: what the ends of the interval are away from what is most likely, at the least.
const MARGIN: f64 = 1.25;
/// The same of a VM that has moved before.
const MARGIN_OF_KNOWN: f64 = 1.12;
const MIB: u64 = 1 << 20;

/// What the link between two hosts is taken to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// In bytes a second.
    pub(super) bytes_s: u64,
    /// Whether earlier moves say so; else it is the limit that was set.
    pub(super) measured: bool,
}

/// What is known of a move that a prediction needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case<'a> {
    /// The memory that the guest uses, in bytes.
    pub(super) memory_bytes: u64,
    pub(super) disk_bytes: u64,
    pub(super) link: Link,
    /// What QEMU is told that the link carries during the pause, without the limit, in bytes a second; none if it is told nothing.
    pub(super) switchover_bytes_s: Option<u64>,
    /// None if the guest was not measured.
    pub(super) curve: Option<&'a DirtyCurve>,
    /// What it takes beside what is sent, in ms.
    pub(super) overhead_ms: f64,
    pub(super) longest_pause_ms: Option<u32>,
    /// In s.
    pub(super) budget_s: Option<u32>,
    /// Whether both hosts can do post-copy.
    pub(super) post_copy: bool,
}

impl Case<'_> {
    /// What QEMU is told that the link carries during the pause, in bytes a ms.
    fn switchover(&self) -> Option<f64> {
        self.switchover_bytes_s.map(|bytes_s| bytes_s.max(1) as f64 / 1000.0)
    }
}

/// What earlier moves say of one with a policy.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// What the VM sent.
    pub(super) sends: Option<Sends>,
    /// Between which factors of what was most likely the outcomes were.
    pub(super) off: Option<(f64, f64)>,
    /// How long the VM paused, in ms.
    pub(super) pause_ms: Option<f64>,
}

/// The prediction for an input; none offline, or where nothing is known of the link. Nothing is known of what two daemons carry,
/// either.
pub(super) fn of(input: &PreflightInput, disk_bytes: u64) -> Option<Prediction> {
    let options = &input.options;
    let limit = options.bandwidth_mib_s.or(input.source.config.bandwidth_mib_s).map(|mib| u64::from(mib) * MIB);
    let link = link(input, limit)?;
    if !input.is_live() || options.control_flow == Some(ControlFlow::Tunnelled) {
        return None;
    }
    let still = DirtyCurve::steady(0);
    let measured = input.curve.as_deref();
    let case = Case {
        memory_bytes: memory(input),
        disk_bytes,
        link,
        switchover_bytes_s: limit.and_then(|limit| switchover(input, limit)),
        // One that is paused writes nothing.
        curve: if input.vm.state == VmState::Running { measured } else { Some(&still) },
        overhead_ms: history::overhead_ms(&input.earlier, options, link.bytes_s.max(1) as f64 / 1000.0),
        longest_pause_ms: options.longest_pause_ms,
        budget_s: options.budget_s,
        // As `migration/drive.rs` prepares it; whether both QEMUs can is known once they are asked to.
        post_copy: !options.rdma && input.vm.state == VmState::Running && control_flow::of(input).0.allows_post_copy(),
    };
    let dirty = measured.map(DirtyCurve::rate_bytes_s);
    let policies = [Policy::Gentle, Policy::Balanced, Policy::Certain].map(|policy| {
        let sends = history::sends(&input.own, policy, link.bytes_s as f64, dirty);
        let known = Known {
            sends,
            off: history::off(&input.own, &input.earlier, policy),
            pause_ms: history::pause_ms(&input.own, &input.earlier, policy, dirty),
        };
        PolicyPrediction { policy, ending: predict(&case, policy, &known) }
    });
    Some(Prediction {
        throughput_bytes_s: link.bytes_s,
        throughput_measured: link.measured,
        dirty_bytes_s: dirty,
        slows_by_percent: measured.and_then(|curve| slows_by(curve, link.bytes_s.max(1) as f64 / 1000.0)),
        ending: chosen(&policies, options),
        policies,
    })
}

fn chosen(policies: &[PolicyPrediction; 3], options: &MigrationOptions) -> Ending {
    let policy = options.policy.unwrap_or_default();
    policies.iter().find(|predicted| predicted.policy == policy).unwrap_or(&policies[1]).ending
}

/// What earlier moves say, or else the limit.
fn link(input: &PreflightInput, limit: Option<u64>) -> Option<Link> {
    match history::carries(&input.earlier, &input.options) {
        Some(rate) => Some(Link { bytes_s: limit.map_or(rate, |limit| limit.min(rate)), measured: true }),
        None => limit.map(|bytes_s| Link { bytes_s, measured: false }),
    }
}

/// As `migration/lifecycle.rs` tells it, in bytes a second.
fn switchover(input: &PreflightInput, limit: u64) -> Option<u64> {
    let (from, to) = (&input.source.survey, &input.destination.survey);
    if !knows_switchover(from.libvirt_version.min(to.libvirt_version), from.hypervisor_version) {
        return None;
    }
    let mib_s = history::unlimited_mib_s(input.earlier.iter(), u32::try_from(limit / MIB).ok()?)?;
    Some(u64::from(mib_s) * MIB)
}

/// The memory that the guest uses, in bytes: what its balloon leaves it, but no more than its QEMU has in the host's memory. Pages that it
/// never wrote to are not sent. Huge pages do not count as QEMU's.
fn memory(input: &PreflightInput) -> u64 {
    let has = match input.vm.memory_now_bytes {
        0 => input.domain.memory_bytes,
        now => now,
    };
    match input.domain.resident_bytes {
        Some(resident) if input.domain.huge_page_bytes.is_none() => has.min(resident),
        _ => has,
    }
}

/// Pure: when it ends with this policy.
pub(super) fn predict(case: &Case<'_>, policy: Policy, known: &Known) -> Ending {
    let throughput = case.link.bytes_s.max(1) as f64 / 1000.0;
    let [less, likely, more] = match case.curve {
        Some(curve) => [1.0 - curve.error(), 1.0, 1.0 + curve.error()].map(|factor| curve.scaled(factor)),
        None => GUESSED_RATIOS.map(|ratio| DirtyCurve::steady((ratio * throughput * 1000.0) as u64)),
    };
    let pause_throughput = case.switchover().unwrap_or(throughput);
    let end = |curve: &DirtyCurve| end(case, policy, throughput, curve);
    let (bytes, waits_ms, pause_bytes, likely_pause, slowed, post_copy) = match end(&likely) {
        End::Never { least } => return Ending::Never { needed_pause_ms: ms(least / pause_throughput) },
        End::After { bytes, waits_ms, pause_bytes, pause_ms, slowed, post_copy } => {
            (bytes, waits_ms, pause_bytes, pause_ms, slowed, post_copy)
        }
    };
    let spread = spread(bytes, end(&less), end(&more));
    let (bytes, spread) = corrected(bytes, spread, known.sends);
    // What is sent during the pause does not take as long as the limit says.
    let sooner_ms = pause_bytes / throughput - likely_pause;
    let total = |bytes: f64| {
        let sending_ms = (case.disk_bytes as f64 + bytes) / throughput;
        case.overhead_ms + waits_ms + (sending_ms - sooner_ms).max(0.0)
    };
    let (low, high) = match known.off {
        Some((low, high)) => (total(bytes) * low, total(bytes) * high),
        None => {
            let margin = if known.sends.is_some() { MARGIN_OF_KNOWN } else { MARGIN };
            let factor = (FOUR_OF_FIVE * spread).exp();
            (total(bytes / factor).min(total(bytes) / margin), total(bytes * factor).max(total(bytes) * margin))
        }
    };
    let (limit, longest) = pauses(policy, case.longest_pause_ms);
    let longest_pause = if likely_pause > longest {
        likely_pause
    } else {
        let allowed = if likely_pause > qemu_limit_ms(limit) { longest } else { limit };
        allowed.min(case.memory_bytes as f64 / pause_throughput)
    };
    // What was seen of pauses says nothing of post-copy, whose pause sends no memory.
    let seen_pause = known.pause_ms.filter(|_| !post_copy);
    Ending::After {
        low_ms: ms(low),
        likely_ms: ms(total(bytes)),
        high_ms: ms(high),
        pause_ms: ms(longest_pause),
        likely_pause_ms: ms(seen_pause.unwrap_or(likely_pause + DEVICES_MS).min(longest_pause)),
        guest_percent: 100 - slowed,
        post_copy,
    }
}

/// The pause that is allowed from the beginning, and the longest that the policy allows, in ms.
fn pauses(policy: Policy, chosen: Option<u32>) -> (f64, f64) {
    let longest = f64::from(chosen.unwrap_or_else(|| policy.longest_pause_ms()));
    (longest.min(DOWNTIME_LIMIT_MS as f64), longest)
}

/// Goes through it with this policy.
fn end(case: &Case<'_>, policy: Policy, throughput: f64, curve: &DirtyCurve) -> End {
    let memory = case.memory_bytes as f64;
    let (pause_ms, _) = pauses(policy, case.longest_pause_ms);
    let mut start = Position::start(memory, pause_ms);
    start.elapsed_ms = case.overhead_ms + case.disk_bytes as f64 / throughput;
    let precopy = Precopy {
        memory,
        throughput,
        switchover: case.switchover(),
        guest: Guest::measured(curve),
        rules: Some(Rules::of(policy, case.longest_pause_ms, case.budget_s, case.memory_bytes)),
        throttle: policy.slows_guest().then(|| throttle(curve, throughput)),
        post_copy: policy == Policy::Certain && case.post_copy,
    };
    precopy.end(start)
}

/// None of a guest that was found so idle that it need not be slowed: where it has to be all the same, it is not what was measured.
fn slows_by(curve: &DirtyCurve, throughput: f64) -> Option<u8> {
    let needed = throttle(curve, throughput).initial > throttle(&curve.scaled(0.0), throughput).initial;
    needed.then(|| throttle(curve, throughput).initial)
}

/// What the guest changes within a second counts: slowed by less, it would still change its working set as fast as the link carries it.
fn throttle(curve: &DirtyCurve, throughput: f64) -> Throttle {
    let ratio = curve.bytes_within(1000.0) / (1000.0 * throughput);
    throttle_for(ratio, curve.cpu_share().unwrap_or(1.0))
}

/// How far it is off because a measurement is: the standard deviation of the logarithm.
fn spread(likely: f64, less: End, more: End) -> f64 {
    let distance = |end| match end {
        End::After { bytes, .. } => (bytes.max(1.0) / likely.max(1.0)).ln().abs(),
        // It may as well take twice as long: with a little more it would not end.
        End::Never { .. } => LN_2,
    };
    distance(less).max(distance(more)).max(MODEL)
}

/// What the passes and what earlier moves say, each as far as it is to be trusted.
fn corrected(bytes: f64, spread: f64, sends: Option<Sends>) -> (f64, f64) {
    let Some(Sends { bytes: sent, spread: off }) = sends else { return (bytes, spread) };
    let (by_passes, by_moves) = (spread.powi(-2), off.powi(-2));
    let both = by_passes + by_moves;
    let logarithm = (by_passes * bytes.max(1.0).ln() + by_moves * sent.max(1.0).ln()) / both;
    (logarithm.exp(), both.powf(-0.5).max(MODEL / 2.0))
}

fn ms(ms: f64) -> u64 {
    ms as u64
}
