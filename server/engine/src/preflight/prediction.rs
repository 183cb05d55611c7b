//! How long a live migration will take, before it begins.
//!
//! Pre-copy as a geometric series, as in `progress.rs`: each pass over the memory sends what the guest wrote during the one
//! before, until the rest fits into the pause.

use model::{ControlFlow, Ending, Migration, MigrationOptions, Mode, Prediction};

use super::input::PreflightInput;
use crate::hypervisor::{DOWNTIME_LIMIT_MS, HOPELESS_RATIO};

/// Of a guest that was not measured: each pass leaves half of what it found (the guess that the progress makes, too).
const GUESSED_RATIO: f64 = 0.5;
/// Links and guests vary: what the upper end of the range is larger by.
const MARGIN: f64 = 1.25;
/// How many earlier moves tell what a link carries.
const MOVES: usize = 5;
const MIB: u64 = 1 << 20;
/// Of what carried less than this, in bytes, the beginning and the end took most of the time, not the link.
const TELLING: u64 = 64 * MIB;

/// What the link between two hosts is taken to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// In bytes a second.
    pub(super) bytes_s: u64,
    /// Whether earlier moves say so; else it is the limit that was set.
    pub(super) measured: bool,
}

/// The prediction for an input; none offline, or where nothing is known of the link. Nothing is known of what two daemons carry,
/// either.
pub(super) fn of(input: &PreflightInput, disk_bytes: u64) -> Option<Prediction> {
    let limit = input.options.bandwidth_mib_s.or(input.source.config.bandwidth_mib_s);
    let link = link(&input.earlier, &input.options, limit.map(|mib| u64::from(mib) * MIB))?;
    let from_host_to_host = input.is_live() && input.options.control_flow != Some(ControlFlow::Tunnelled);
    from_host_to_host.then(|| predict(input.domain.memory_bytes, disk_bytes, link, input.dirty_bytes_s))
}

/// What earlier moves say, or else the limit.
fn link(earlier: &[Migration], options: &MigrationOptions, limit: Option<u64>) -> Option<Link> {
    match carried(earlier.iter(), options) {
        Some(rate) => Some(Link { bytes_s: limit.map_or(rate, |limit| limit.min(rate)), measured: true }),
        None => limit.map(|bytes_s| Link { bytes_s, measured: false }),
    }
}

/// What the fastest of these moves, that succeeded and had the same control flow, reached, in bytes a second: the link carries
/// that much at least. Only moves of the same choice of bandwidth count.
pub(crate) fn carried<'a>(earlier: impl Iterator<Item = &'a Migration>, options: &MigrationOptions) -> Option<u64> {
    earlier
        .filter(|migration| migration.mode == Mode::Live && migration.control_flow != Some(ControlFlow::Tunnelled))
        .filter(|migration| migration.options.bandwidth_mib_s == options.bandwidth_mib_s)
        .filter_map(|migration| migration.outcome.filter(|outcome| outcome.bytes >= TELLING))
        .map(|outcome| outcome.average_bytes_s)
        .filter(|rate| *rate > 0)
        .take(MOVES)
        .max()
}

/// Pure: sizes in bytes, `dirty` in bytes a second.
pub(super) fn predict(memory_bytes: u64, disk_bytes: u64, link: Link, dirty: Option<u64>) -> Prediction {
    let throughput = link.bytes_s.max(1) as f64;
    let (memory, disks) = (memory_bytes as f64 / throughput, disk_bytes as f64 / throughput);
    let pause = DOWNTIME_LIMIT_MS as f64 / 1000.0;
    let ratio = dirty.map_or(GUESSED_RATIO, |dirty| dirty as f64 / throughput);
    let ending = if ratio >= HOPELESS_RATIO && memory > pause {
        // What it writes within a second is the least that is left at the end of every pass.
        Ending::Never { needed_pause_ms: ms(memory.min(ratio)) }
    } else {
        Ending::After {
            low_ms: ms(disks + memory),
            high_ms: ms(MARGIN * (disks + memory * passes(memory, pause, ratio))),
            pause_ms: ms(memory.min(pause)),
        }
    };
    Prediction { throughput_bytes_s: link.bytes_s, throughput_measured: link.measured, dirty_bytes_s: dirty, ending }
}

/// All passes together, in lengths of the first; `memory` and `pause` in seconds.
fn passes(memory: f64, pause: f64, ratio: f64) -> f64 {
    if memory <= pause || ratio <= 0.0 {
        return 1.0;
    }
    let count = ((pause / memory).ln() / ratio.ln()).ceil().max(1.0);
    (1.0 - ratio.powf(count)) / (1.0 - ratio)
}

fn ms(seconds: f64) -> u64 {
    (seconds * 1000.0) as u64
}
