//! What is known of QEMU's pre-copy, for progress and prediction alike.

/// From this ratio on, of guest writes to throughput or of what two passes in a row began with, a pass leaves about as much as
/// it found: no convergence. Both are compared, because QEMU counts a page that is written ten times during a pass once, so
/// that a guest that writes a small area very fast seems to write just as fast as the link carries.
pub(crate) const HOPELESS_RATIO: f64 = 0.95;

/// QEMU's default limit of the pause (`downtime-limit`), in ms.
pub(crate) const DOWNTIME_LIMIT_MS: u64 = 300;
