//! What the login throttle remembers, so that a restart forgives no failure.

use std::time::Duration;

use async_trait::async_trait;

use crate::{StoreError, clock::in_ms};

/// The most failures that are counted.
pub(crate) const MOST_FAILURES: u32 = 1_000;

/// What became of asking for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It may be made, and was counted as a failure until [`LoginFailures::forget_attempts`] says otherwise.
    Counted,
    /// It may not be made before so long.
    Wait(Duration),
}

/// What failures are counted for.
#[derive(Clone, Debug)]
pub struct Counter {
    /// An account, or an address.
    pub key: String,
    /// How long to wait after so many failures.
    pub pause: fn(u32) -> Duration,
}

impl Counter {
    /// How long to wait after so many failures, the last at this time; all in ms, times since 1970.
    pub(crate) fn wait_ms(&self, failures: u32, last: i64, now: i64) -> i64 {
        // A clock that was set back must not make anyone wait for longer than the pause.
        let pause = in_ms((self.pause)(failures));
        (last.saturating_add(pause) - now).min(pause)
    }
}

/// Failed attempts to log in, by what they are counted for. All methods fail when the database does.
#[async_trait]
pub trait LoginFailures: Send + Sync + 'static {
    /// Asks for an attempt, which counts for each of the counters. Failures are forgotten after `forgotten_after` without another.
    ///
    /// It is counted before it is made, so that many at once get no further than one after the other.
    async fn attempt(&self, counters: &[Counter], forgotten_after: Duration) -> Result<Attempt, StoreError>;

    /// Forgets all failures under `account`, and takes back the last one under `address`: the attempt succeeded.
    ///
    /// Those under the address stay, else one's own account would be the way to guess at others'.
    async fn forget_attempts(&self, account: &str, address: Option<&str>) -> Result<(), StoreError>;
}
