//! The wall clock: what is kept is compared after a restart, so that a monotonic clock would not do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Now, in ms since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    in_ms(since)
}

/// The time so long ago, in ms since 1970.
pub(crate) fn ms_ago(ago: Duration) -> i64 {
    now_ms().saturating_sub(in_ms(ago))
}

/// A duration in ms.
pub(crate) fn in_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
