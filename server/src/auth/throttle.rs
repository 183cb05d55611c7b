//! How fast passwords may be guessed.
//!
//! Failures are counted for the account and for the address, each with a pause that doubles up to a maximum. No account is ever locked
//! for good, but an attacker who guesses from many addresses can keep one in its pause. Therefore an address from which the account's
//! user has logged in before has a count of its own for that account: there, only guesses from the same address hold the user up. From a
//! new address the user may have to wait for as long as the guessing goes on. The longest pause of an address is longer than that of an
//! account, since it concerns that address only.

use std::{net::IpAddr, sync::Arc, time::Duration};

use sha2::{Digest, Sha256};
use store::{Attempt, Counter, KnownNetworks, LoginFailures, StoreError};

use super::{AuthError, cookie_sessions::hex};
use crate::network::network;

/// Failures of an account without a pause, and its longest pause.
const ACCOUNT: (u32, Duration) = (3, Duration::from_mins(1));
/// Failures of an address without a pause, and its longest pause. More than of an account: an office can be one address.
const ADDRESS: (u32, Duration) = (10, Duration::from_mins(15));
/// After so long without a failure, earlier ones are forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_hours(1);

#[derive(Clone)]
pub(super) struct Throttle {
    failures: Arc<dyn LoginFailures>,
    networks: Arc<dyn KnownNetworks>,
}

/// An attempt that was counted as a failure until it succeeds.
pub(super) struct PendingAttempt {
    account: String,
    address: Option<String>,
}

impl Throttle {
    pub(super) fn new(failures: Arc<dyn LoginFailures>, networks: Arc<dyn KnownNetworks>) -> Self {
        Self { failures, networks }
    }

    /// Asks for an attempt to log in.
    pub(super) async fn login(&self, name: &str, address: IpAddr) -> Result<PendingAttempt, AuthError> {
        let network = network(address).to_string();
        let account = match self.networks.is_known_network(name, &network).await? {
            true => format!("login {} from {network}", digest(name)),
            false => format!("login {}", digest(name)),
        };
        self.ask(PendingAttempt { account, address: Some(format!("address {network}")) }).await
    }

    /// Asks for an attempt to change a password, which is a way to guess it, too.
    pub(super) async fn password_change(&self, name: &str) -> Result<PendingAttempt, AuthError> {
        self.ask(PendingAttempt { account: format!("password-change {}", digest(name)), address: None }).await
    }

    /// The attempt was no failure.
    pub(super) async fn succeeded(&self, attempt: PendingAttempt) -> Result<(), StoreError> {
        self.failures.forget_attempts(&attempt.account, attempt.address.as_deref()).await
    }

    /// The user has logged in from there.
    pub(super) async fn remember(&self, name: &str, address: IpAddr) -> Result<(), StoreError> {
        self.networks.add_known_network(name, &network(address).to_string()).await
    }

    async fn ask(&self, attempt: PendingAttempt) -> Result<PendingAttempt, AuthError> {
        let account = Counter { key: attempt.account.clone(), pause: |failures| pause(failures, ACCOUNT) };
        let address = attempt.address.clone();
        let address = address.map(|key| Counter { key, pause: |failures| pause(failures, ADDRESS) });
        let counters: Vec<Counter> = [Some(account), address].into_iter().flatten().collect();
        match self.failures.attempt(&counters, FORGOTTEN_AFTER).await? {
            Attempt::Counted => Ok(attempt),
            Attempt::Wait(wait) => Err(AuthError::Throttled(wait)),
        }
    }
}

/// 1 s after the last free failure, then twice as long each time.
fn pause(failures: u32, (free, longest): (u32, Duration)) -> Duration {
    match failures.checked_sub(free) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1).saturating_mul(1 << beyond.min(20)).min(longest),
    }
}

/// Names are kept as hashes: people type passwords into the wrong field.
fn digest(name: &str) -> String {
    hex(&Sha256::digest(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_and_has_an_end() {
        let seconds: Vec<u64> = [0, 2, 3, 4, 5, 8, 9, 1000].map(|failures| pause(failures, ACCOUNT).as_secs()).into();
        assert_eq!(seconds, [0, 0, 1, 2, 4, 32, 60, 60]);
        assert_eq!(pause(1000, ADDRESS), Duration::from_mins(15));
    }
}
