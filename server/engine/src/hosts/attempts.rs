//! How many wrong passwords the console sends to one host.
//!
//! Hosts shut a machine out that guesses passwords (sshd by itself since 9.8, fail2ban after five in ten minutes), which would end all
//! migrations of this console. So the console stops before that.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use crate::{clock::millis, error::Error};

/// How many passwords may be wrong or under way at a host.
const MOST: usize = 3;
/// How long a wrong one counts.
const COUNTS: Duration = Duration::from_mins(10);
/// How long to wait for those that are under way, before a request's 10 s begin.
const PATIENCE: Duration = Duration::from_secs(3);

/// The passwords that were tried lately, by the hosts' addresses.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<HashMap<String, Arc<Allowance>>>);

/// What is left of a host's attempts.
struct Allowance {
    left: Arc<Semaphore>,
    wrong: AtomicUsize,
}

impl Attempts {
    /// Begins to try a password at the host at this address, if not too many were wrong there. Waits for those that are under way.
    ///
    /// # Errors
    /// `throttled`
    pub(crate) async fn begin(&self, address: &str) -> Result<Attempt, Error> {
        let allowance = self.allowance(address);
        let permit = if allowance.wrong.load(Ordering::Relaxed) < MOST {
            timeout(PATIENCE, allowance.left.clone().acquire_owned()).await.ok().and_then(Result::ok)
        } else {
            None
        };
        match permit {
            Some(permit) => Ok(Attempt { allowance, permit: Some(permit) }),
            None => Err(Error::TooManyPasswords { address: address.to_owned(), most: MOST, within_ms: millis(COUNTS) }),
        }
    }

    fn allowance(&self, address: &str) -> Arc<Allowance> {
        let mut allowances = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Each attempt that is under way or still counts holds its host's allowance.
        allowances.retain(|_, allowance| Arc::strong_count(allowance) > 1);
        let new = || Arc::new(Allowance { left: Arc::new(Semaphore::new(MOST)), wrong: AtomicUsize::new(0) });
        allowances.entry(address.to_owned()).or_insert_with(new).clone()
    }
}

/// A password that is tried. It counts as wrong until [`Self::was_not_wrong`]: the caller may leave before the host has answered.
#[must_use]
pub struct Attempt {
    allowance: Arc<Allowance>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Attempt {
    /// The host has not refused the password: it does not count.
    pub fn was_not_wrong(mut self) {
        self.permit = None;
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        // Without a runtime the console is about to end.
        let (Some(permit), Ok(runtime)) = (self.permit.take(), Handle::try_current()) else { return };
        permit.forget();
        let allowance = Arc::clone(&self.allowance);
        allowance.wrong.fetch_add(1, Ordering::Relaxed);
        runtime.spawn(async move {
            sleep(COUNTS).await;
            allowance.wrong.fetch_sub(1, Ordering::Relaxed);
            allowance.left.add_permits(1);
        });
    }
}

#[cfg(test)]
mod tests {
    use model::Code;

    use super::*;

    /// A host refuses a password; or the attempt is refused, with this code.
    async fn wrong(attempts: &Attempts, address: &str) -> Result<(), Code> {
        attempts.begin(address).await.map(drop).map_err(|error| error.code())
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_sees_three_wrong_passwords_in_ten_minutes() {
        let attempts = Attempts::default();
        for _ in 0..MOST {
            assert_eq!(wrong(&attempts, "gamma").await, Ok(()));
        }
        assert_eq!(wrong(&attempts, "gamma").await, Err(Code::Throttled));
        assert_eq!(wrong(&attempts, "delta").await, Ok(()));
        sleep(COUNTS + PATIENCE).await;
        assert_eq!(wrong(&attempts, "gamma").await, Ok(()));
        assert_eq!(attempts.0.lock().unwrap().len(), 1, "an address is remembered only while it counts");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_wrong_does_not_count() {
        let attempts = Attempts::default();
        for _ in 0..=MOST {
            attempts.begin("gamma").await.unwrap().was_not_wrong();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_wait_for_the_answer_has_tried_all_the_same() {
        let attempts = Attempts::default();
        for _ in 0..MOST {
            let leaving = async {
                let _attempt = attempts.begin("gamma").await;
                std::future::pending::<()>().await;
            };
            timeout(Duration::from_millis(1), leaving).await.unwrap_err();
        }
        assert_eq!(wrong(&attempts, "gamma").await, Err(Code::Throttled));
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_wait_for_each_other() {
        let attempts = Attempts::default();
        let slowly = async || {
            let attempt = attempts.begin("gamma").await?;
            sleep(PATIENCE / 4).await;
            attempt.was_not_wrong();
            Ok::<_, Error>(())
        };
        let at_once = futures::future::join_all((0..3 * MOST).map(|_| slowly()));
        assert!(at_once.await.iter().all(Result::is_ok));
    }
}
