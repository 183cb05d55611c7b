//! What came of a move.

use std::time::Duration;

use model::{Ending, Policy};

use crate::{heartbeat::Seen, schedule::Peer};

/// What moves the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mover {
    /// A policy, by the console's API.
    Ours(Policy),
    /// A schedule that is not ours.
    Peer(Peer),
}

impl Mover {
    /// All of them, ours first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Policy::ALL.iter().copied().map(Self::Ours).chain(Peer::ALL.map(Self::Peer))
    }

    /// Its name in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours(policy) => policy.as_str(),
            Self::Peer(peer) => peer.name(),
        }
    }
}

/// How a move ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The guest runs at the destination.
    Moved,
    /// The schedule stopped it.
    GaveUp,
    /// It was stopped at the bench's limit.
    Limit,
    /// It failed; why.
    Failed(String),
}

/// What the progress showed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steps {
    last: f64,
    pub(crate) all: u32,
    pub(crate) back: u32,
}

impl Steps {
    /// Sees a percentage.
    pub(crate) fn see(&mut self, percent: f64) {
        self.all += 1;
        self.back += u32::from(percent < self.last - 0.005);
        self.last = percent;
    }
}

/// What came of a move.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// An index of the kinds.
    pub(crate) kind: usize,
    pub(crate) mover: Mover,
    pub(crate) end: End,
    /// From the request until it was reported to be over.
    pub(crate) total: Duration,
    pub(crate) heartbeat: Seen,
    /// The pause as QEMU measured it, in ms.
    pub(crate) qemu_pause_ms: Option<u64>,
    pub(crate) bytes: u64,
    pub(crate) steps: Steps,
    /// What was predicted before the start.
    pub(crate) prediction: Option<Ending>,
}

impl Outcome {
    /// How far the predicted total time was off, in percent; none if none was predicted or it did not move.
    pub(crate) fn prediction_error_percent(&self) -> Option<f64> {
        match (self.prediction, &self.end) {
            (Some(Ending::After { likely_ms, .. }), End::Moved) => {
                let total_ms = self.total.as_secs_f64() * 1_000.0;
                Some((likely_ms as f64 - total_ms).abs() / total_ms * 100.0)
            }
            _ => None,
        }
    }
}
