//! What a guest is expected to change of its memory within a time.

use super::slowed_to;
use crate::hypervisor::DirtyCurve;

/// A guest that writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest<'a> {
    shape: Shape<'a>,
    /// It changes so many times as much.
    factor: f64,
    /// The most that it changes, in bytes.
    most: f64,
}

#[derive(Clone, Copy, Debug)]
enum Shape<'a> {
    /// As it was measured before the migration.
    Measured(&'a DirtyCurve),
    /// As was seen in passes.
    Seen {
        /// In bytes a ms.
        rate: f64,
        /// The part of the time that it executes when it is not slowed.
        cpu_share: f64,
    },
}

impl<'a> Guest<'a> {
    /// One that was measured.
    pub(crate) fn measured(curve: &'a DirtyCurve) -> Self {
        Self { shape: Shape::Measured(curve), factor: 1.0, most: f64::INFINITY }
    }

    /// One that was seen to change so many bytes a ms. `cpu_share` is the part of the time that it executes when it is not slowed.
    pub(super) fn seen(rate: f64, cpu_share: f64) -> Self {
        Self { shape: Shape::Seen { rate, cpu_share }, factor: 1.0, most: f64::INFINITY }
    }

    /// One that changes so many bytes each ms, and never the same twice.
    pub(crate) fn steady(bytes_ms: f64) -> Self {
        Self::seen(bytes_ms, 1.0)
    }

    /// One that changes the same pages again and again, so many bytes if that is known.
    pub(super) fn within(self, working_set: Option<f64>) -> Self {
        Self { most: working_set.map_or(self.most, |set| self.most.min(set)), ..self }
    }

    /// One that changes so many times as much.
    pub(super) fn scaled(self, factor: f64) -> Self {
        Self { factor: self.factor * factor, ..self }
    }

    /// What it changes within so many ms in which it is not slowed, in bytes.
    pub(super) fn bytes_within(&self, ms: f64) -> f64 {
        let bytes = match self.shape {
            Shape::Measured(curve) => curve.bytes_within(ms),
            Shape::Seen { rate, .. } => rate * ms,
        };
        (self.factor * bytes).min(self.most)
    }

    /// The part of its writes that is left when its CPUs lose `percent` of their time.
    pub(super) fn slowed_to(&self, percent: u8) -> f64 {
        match self.shape {
            Shape::Measured(curve) => slowed_to(percent, curve.cpu_share().unwrap_or(1.0)),
            Shape::Seen { cpu_share, .. } => slowed_to(percent, cpu_share),
        }
    }
}
