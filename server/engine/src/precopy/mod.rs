//! Pre-copy as QEMU does it, and what a policy does about it: one model for what is predicted before the start (`preflight/prediction.rs`)
//! and for what is said and done while a migration runs (`migration/progress.rs`, `migration/follow_policy.rs`). All of it is pure.
//!
//! `passes.rs` goes through a migration pass by pass to its end, with what the guest is expected to change (`guest.rs`), what QEMU does
//! about that (`throttle.rs`) and what the policy decides (`policy.rs`). While it runs, `observed.rs` says where it is by libvirt's
//! statistics, `learned.rs` what its passes show of the guest, and `estimate.rs` how it goes on.

mod connections;
mod estimate;
mod guest;
mod learned;
mod observed;
mod passes;
mod policy;
mod throttle;

pub(crate) use connections::{Connections, Facts as ConnectionFacts, connections};
pub(crate) use estimate::{Course, Estimate, Known, estimate, time_to_send};
pub(crate) use guest::Guest;
pub(crate) use observed::{Observed, PassBegun};
pub(crate) use passes::{End, Position, Precopy};
pub(crate) use policy::{Decision, Rules, View, decide, explain, gave_up};
pub(crate) use throttle::{slowed_to, throttle_for, throttle_from};

/// From this ratio on, of guest writes to throughput or of what two passes in a row began with, a pass leaves about as much as
/// it found: no convergence. Both are compared, because QEMU counts a page that is written ten times during a pass once, so
/// that a guest that writes a small area very fast seems to write just as fast as the link carries.
pub(crate) const HOPELESS_RATIO: f64 = 0.95;

/// QEMU's default limit of the pause (`downtime-limit`), in ms.
pub(crate) const DOWNTIME_LIMIT_MS: u64 = 300;

/// How much longer a guest does not execute than QEMU's limit says, in ms, at the most: what is on its way, the state of the devices, and
/// the start at the destination. Measured by the guest's heartbeat over a link of 32 MiB/s (docs/measured.md): 40 to 80 ms.
pub(crate) const BEYOND_LIMIT_MS: f64 = 80.0;

/// The limit that QEMU is given, so that the guest pauses for so long at the most, in ms. At least half of that: a pause that is shorter
/// than all that goes with it can't be promised.
pub(crate) fn qemu_limit_ms(pause_ms: f64) -> f64 {
    (pause_ms - BEYOND_LIMIT_MS).max(pause_ms / 2.0).max(1.0)
}

/// What QEMU sends at the most while the guest is paused by this limit, in bytes: it switches over as soon as no more than that is left. It
/// takes what it was told that the link carries then (`avail-switchover-bandwidth`), else what it has seen. Both in bytes a ms.
pub(crate) fn fits(pause_ms: f64, throughput: f64, switchover: Option<f64>) -> f64 {
    qemu_limit_ms(pause_ms) * switchover.unwrap_or(throughput)
}

/// What is left of a pass when QEMU next looks, in bytes: what fits into the pause, but for what it sends on average before it looks.
fn left_of_pass(pause_ms: f64, throughput: f64, switchover: Option<f64>) -> f64 {
    (fits(pause_ms, throughput, switchover) - passes::WINDOW_MS / 2.0 * throughput).max(0.0)
}

/// What a pause takes beside what is sent, in ms: the state of the devices.
pub(crate) const DEVICES_MS: f64 = 25.0;

#[cfg(test)]
mod tests;
