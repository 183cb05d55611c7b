//! What earlier migrations tell of the next one: of the two hosts, and of the VM.

use model::{ControlFlow, Ending, Migration, MigrationOptions, Mode, Outcome, Policy, PolicyPrediction};

/// How many earlier moves tell.
const MOVES: usize = 5;
const MIB: u64 = 1 << 20;
/// Of what carried less than this, in bytes, the beginning and the end took most of the time, not the link.
const TELLING: u64 = 64 * MIB;
/// Between two hosts that have not shown it: what a migration takes beside what it sends, in ms.
const OVERHEAD_MS: f64 = 1000.0;
/// Moves over a link that was faster or slower by more than this tell nothing of how much is sent.
const ANOTHER_LINK: f64 = 1.25;
/// A guest that now writes this many times as much, or as little, as before an earlier move is another one, so to speak.
const ANOTHER_GUEST: f64 = 2.0;
/// Fewer outcomes say nothing of how far predictions are off.
const OUTCOMES: usize = 5;
/// How many are considered.
const MOST_OUTCOMES: usize = 40;
/// The part of the outcomes that may be below the interval, and as many above: it is said to hold in four of five cases.
const TAIL: f64 = 0.1;
/// Of fewer than nine outcomes the least and the greatest are less than a tenth and nine tenths apart: by how much they are moved apart.
const FEW: f64 = 1.05;

/// What the fastest of these moves, that succeeded and had the same control flow, reached, in bytes a second: the link carries
/// that much at least. Only moves of the same choice of bandwidth count.
pub(crate) fn carried<'a>(earlier: impl Iterator<Item = &'a Migration>, options: &MigrationOptions) -> Option<u64> {
    telling(earlier, options).map(|(_, outcome)| outcome.average_bytes_s).max()
}

/// What the next move will have while it sends, in bytes a second: what earlier ones had at the end, at their median. Their average is
/// less, as it takes a while until QEMU sends.
pub(super) fn carries(earlier: &[Migration], options: &MigrationOptions) -> Option<u64> {
    let mut rates: Vec<u64> = telling(earlier.iter(), options).map(|(migration, _)| rate(migration)).collect();
    rates.sort_unstable();
    rates.get(rates.len() / 2).copied()
}

/// What the link carries without a limit, in MiB/s, for a move that has this one (in MiB/s): QEMU sends what is left at the switch-over
/// without it. Four fifths of the slowest of the newest moves without a limit of their own; none unless each was faster than the limit, which
/// may have been the source's by then.
pub(crate) fn unlimited_mib_s<'a>(earlier: impl Iterator<Item = &'a Migration>, limit: u32) -> Option<u32> {
    let without = MigrationOptions { bandwidth_mib_s: None, ..MigrationOptions::default() };
    let slowest = telling(earlier, &without).map(|(_, outcome)| outcome.average_bytes_s).min()?;
    let is_faster = slowest as f64 > ANOTHER_LINK * f64::from(limit) * MIB as f64;
    is_faster.then(|| u32::try_from(slowest / MIB * 4 / 5).unwrap_or(u32::MAX).max(limit))
}

/// What it had while it sent, in bytes a second.
fn rate(migration: &Migration) -> u64 {
    migration.outcome.map_or(0, |outcome| outcome.average_bytes_s).max(migration.progress.throughput_bytes_s)
}

/// The newest that sent enough to tell.
fn telling<'a>(
    earlier: impl Iterator<Item = &'a Migration>,
    options: &MigrationOptions,
) -> impl Iterator<Item = (&'a Migration, Outcome)> {
    let limit = options.bandwidth_mib_s;
    live(earlier)
        .filter(move |migration| had_limit(migration, limit))
        .filter_map(|migration| Some((migration, migration.outcome?)))
        .filter(|(_, outcome)| outcome.bytes >= TELLING && outcome.average_bytes_s > 0)
        .take(MOVES)
}

/// Whether it had this limit, in MiB/s, from the begin to the end.
fn had_limit(migration: &Migration, limit: Option<u32>) -> bool {
    migration.options.bandwidth_mib_s == limit && migration.bandwidth_now() == limit
}

/// Those whose memory went from host to host.
fn live<'a>(moves: impl Iterator<Item = &'a Migration>) -> impl Iterator<Item = &'a Migration> {
    moves.filter(|migration| migration.mode == Mode::Live && migration.control_flow != Some(ControlFlow::Tunnelled))
}

/// What moves between the two hosts took beside what they sent over a link that carries so many bytes a ms, at their median, in ms: to
/// prepare, to begin, and to be verified.
pub(super) fn overhead_ms(earlier: &[Migration], options: &MigrationOptions, throughput: f64) -> f64 {
    let limit = options.bandwidth_mib_s;
    let took = live(earlier.iter())
        .filter(|migration| had_limit(migration, limit) && migration.disks.is_empty())
        .filter_map(|migration| Some((took_ms(migration)?, migration.outcome?.bytes)))
        .map(|(took_ms, bytes)| (took_ms as f64 - bytes as f64 / throughput).max(0.0));
    median(took.take(MOVES).collect()).unwrap_or(OVERHEAD_MS)
}

/// What is known of how much the VM sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sends {
    /// In bytes.
    pub(super) bytes: f64,
    /// How far that is off (the standard deviation of its logarithm).
    pub(super) spread: f64,
}

/// What earlier moves of this VM have sent that followed the same policy, over about the same link, of a guest that was about as busy
/// (`dirty`, in bytes a second, if it was measured). None if there were none.
pub(super) fn sends(own: &[Migration], policy: Policy, throughput: f64, dirty: Option<u64>) -> Option<Sends> {
    let is_like = |migration: &&Migration| {
        migration.policy == policy
            && migration.disks.is_empty()
            && was_as_busy(migration, dirty)
            && within(rate(migration) as f64, throughput, ANOTHER_LINK)
    };
    let moves = live(own.iter()).filter(is_like).filter_map(|migration| migration.outcome);
    let sent: Vec<f64> = moves.map(|outcome| (outcome.bytes.max(1) as f64).ln()).take(MOVES).collect();
    let middle = median(sent.clone())?;
    let off = median(sent.iter().map(|bytes| (bytes - middle).abs()).collect())?;
    // One or two moves say little of how far they are apart.
    let spread = (1.5 * off).max(0.1 / (sent.len() as f64).sqrt());
    Some(Sends { bytes: middle.exp(), spread })
}

/// Whether the guest was about as busy then, as far as both were measured.
fn was_as_busy(then: &Migration, dirty: Option<u64>) -> bool {
    match (then.prediction.and_then(|prediction| prediction.dirty_bytes_s), dirty) {
        (Some(before), Some(now)) => within((before + MIB) as f64, (now + MIB) as f64, ANOTHER_GUEST),
        _ => true,
    }
}

/// How long the VM paused in earlier moves with this policy and without post-copy, at the median, in ms, when its guest was about as busy;
/// else any VM between the two hosts. QEMU does not observe a bandwidth limit during the pause, so that what is left says little of it.
pub(super) fn pause_ms(own: &[Migration], earlier: &[Migration], policy: Policy, dirty: Option<u64>) -> Option<f64> {
    let of = |moves: &[Migration]| {
        let is_like = |migration: &&Migration| {
            migration.policy == policy && !migration.post_copy && was_as_busy(migration, dirty)
        };
        let like = live(moves.iter()).filter(is_like);
        let paused = like.filter_map(|migration| migration.outcome?.downtime_ms);
        median(paused.take(MOVES).map(|ms| ms as f64).collect())
    };
    of(own).or_else(|| of(earlier))
}

fn within(one: f64, other: f64, factor: f64) -> bool {
    one <= factor * other && other <= factor * one
}

/// How outcomes compared with what was predicted as most likely: the factors between which four of five were. Of this VM, or else of
/// all between the two hosts; none if there are too few.
pub(super) fn off(own: &[Migration], earlier: &[Migration], policy: Policy) -> Option<(f64, f64)> {
    of_outcomes(own, policy).or_else(|| of_outcomes(earlier, policy))
}

fn of_outcomes(moves: &[Migration], policy: Policy) -> Option<(f64, f64)> {
    let mut factors: Vec<f64> = live(moves.iter()).filter_map(|migration| factor(migration, policy)).collect();
    factors.truncate(MOST_OUTCOMES);
    if factors.len() < OUTCOMES {
        return None;
    }
    factors.sort_by(f64::total_cmp);
    // So that the next one is below the k-th of n with a probability of k / (n + 1).
    let cut = (TAIL * (factors.len() + 1) as f64) as usize;
    let (low, high) = (factors[cut.saturating_sub(1)], factors[factors.len() - cut.max(1)]);
    Some(if cut == 0 { (low / FEW, high * FEW) } else { (low, high) })
}

fn factor(migration: &Migration, policy: Policy) -> Option<f64> {
    let took_ms = took_ms(migration).filter(|_| migration.policy == policy)?;
    let Ending::After { likely_ms, .. } = of_policy(&migration.prediction?.policies, policy)? else { return None };
    (likely_ms > 0).then(|| took_ms as f64 / likely_ms as f64)
}

/// From the request to the verdict without the time in the queue, in ms: what is predicted.
fn took_ms(migration: &Migration) -> Option<u64> {
    Some(migration.outcome?.total_ms.saturating_sub(migration.waited_ms))
}

fn of_policy(policies: &[PolicyPrediction], policy: Policy) -> Option<Ending> {
    policies.iter().find(|predicted| predicted.policy == policy).map(|predicted| predicted.ending)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
