//! How far a migration is.

use serde::{Deserialize, Serialize};

/// How far a migration is. Made by the engine from libvirt's job statistics; never goes back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// How far, in percent: never decreases, under 100 until the VM was verified to run at the destination.
    pub percent: f64,
    /// Time since the migration began, in ms.
    pub elapsed_ms: u64,
    /// Memory (and disks) there are to move, in bytes.
    pub bytes_total: u64,
    /// What was sent, in bytes; may exceed the total, since pages that change are sent again.
    pub bytes_processed: u64,
    /// What is left to send as of now, in bytes; may grow when the guest writes.
    pub bytes_remaining: u64,
    /// What the link carries, in bytes a second.
    pub throughput_bytes_s: u64,
    /// What the guest changes, in bytes a second; 0 until the second pass.
    pub dirty_bytes_s: u64,
    /// Passes over the memory so far; 1 is the first.
    pub memory_pass: u64,
    /// How long the VM would pause if it switched over now, in ms.
    pub expected_downtime_ms: Option<u64>,
    /// How long the VM will most likely pause at the end, in ms; none if that is not known, or it does not end.
    #[serde(default)]
    pub predicted_pause_ms: Option<u64>,
    /// How long it will still take, with what its policy will do; none if that is not known, or it does not end.
    pub time_left: Option<TimeLeft>,
    /// Whether it will end by itself.
    pub convergence: Convergence,
    /// The part of their time that the guest's CPUs lose because QEMU slows it, in percent.
    #[serde(default)]
    pub slowed_percent: u8,
}

/// A time left with its uncertainty, in ms: it is between its bounds in four of five cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeLeft {
    /// At least this long, in nine of ten cases.
    pub low_ms: u64,
    /// Most likely this long.
    #[serde(default)]
    pub likely_ms: u64,
    /// At most this long, in nine of ten cases.
    pub high_ms: u64,
}

/// Whether a live migration will end by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convergence {
    /// Too early to say.
    #[default]
    Unknown,
    /// The link is faster than the guest writes.
    Converging,
    /// At this rate never: the guest writes as fast as the link carries.
    NotConverging {
        /// The pause that would let it finish now, in ms.
        needed_downtime_ms: u64,
    },
}
