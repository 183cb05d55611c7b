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

use super::HostCredentials;
use crate::{clock::millis, error::Error};

/// How many passwords may be wrong or under way at a host.
const MOST: usize = 3;
/// How long a wrong one counts.
const COUNTS: Duration = Duration::from_mins(10);
/// How long to wait for those that are under way.
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
    /// Tries a login at the host at this address, if not too many passwords were wrong there. Without a password nothing is counted.
    ///
    /// `is_refused` says whether an error means that the host refused the password.
    ///
    /// # Errors
    /// The outer one is [`Error::TooManyPasswords`], the inner one that of `trying`.
    pub(crate) async fn at<T, E>(
        &self,
        address: &str,
        login: &HostCredentials,
        is_refused: impl Fn(&E) -> bool,
        trying: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, Error> {
        if login.password.is_none() {
            return Ok(trying.await);
        }
        let attempt = Attempt::begin(self.allowance(address), address).await?;
        let tried = trying.await;
        if !tried.as_ref().is_err_and(is_refused) {
            attempt.was_not_wrong();
        }
        Ok(tried)
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
struct Attempt {
    allowance: Arc<Allowance>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Attempt {
    async fn begin(allowance: Arc<Allowance>, address: &str) -> Result<Self, Error> {
        let permit = if allowance.wrong.load(Ordering::Relaxed) < MOST {
            timeout(PATIENCE, allowance.left.clone().acquire_owned()).await.ok().and_then(Result::ok)
        } else {
            None
        };
        match permit {
            Some(permit) => Ok(Self { allowance, permit: Some(permit) }),
            None => Err(Error::TooManyPasswords { address: address.to_owned(), most: MOST, within_ms: millis(COUNTS) }),
        }
    }

    fn was_not_wrong(mut self) {
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
    use std::future::{pending, ready};

    use model::{Code, Secret};

    use super::*;
    use crate::hypervisor::{HostError, HostErrorKind};

    fn login() -> HostCredentials {
        HostCredentials { password: Some(Secret::new("wrong".into())), ..HostCredentials::default() }
    }

    async fn tried(
        attempts: &Attempts,
        address: &str,
        login: &HostCredentials,
        trying: impl Future<Output = Result<(), HostError>>,
    ) -> Result<(), Error> {
        let is_refused = |error: &HostError| error.kind == HostErrorKind::LoginRefused;
        Ok(attempts.at(address, login, is_refused, trying).await??)
    }

    async fn code(attempts: &Attempts, address: &str, kind: HostErrorKind) -> Code {
        tried(attempts, address, &login(), ready(Err(HostError::new(kind, "No.")))).await.unwrap_err().code()
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_sees_three_wrong_passwords_in_ten_minutes() {
        let attempts = Attempts::default();
        for _ in 0..MOST {
            assert_eq!(code(&attempts, "gamma", HostErrorKind::LoginRefused).await, Code::LoginRefused);
        }
        assert_eq!(code(&attempts, "gamma", HostErrorKind::LoginRefused).await, Code::Throttled);
        assert_eq!(
            tried(&attempts, "gamma", &HostCredentials::default(), ready(Ok(()))).await,
            Ok(()),
            "keys are not passwords"
        );
        assert_eq!(code(&attempts, "delta", HostErrorKind::LoginRefused).await, Code::LoginRefused);
        sleep(COUNTS + PATIENCE).await;
        assert_eq!(tried(&attempts, "gamma", &login(), ready(Ok(()))).await, Ok(()));
        assert_eq!(attempts.0.lock().unwrap().len(), 1, "an address is remembered only while it counts");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_wrong_does_not_count() {
        let attempts = Attempts::default();
        for _ in 0..=MOST {
            assert_eq!(tried(&attempts, "gamma", &login(), ready(Ok(()))).await, Ok(()));
            assert_eq!(code(&attempts, "gamma", HostErrorKind::HostKeyUnknown).await, Code::HostKeyUnknown);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_wait_for_the_answer_has_tried_all_the_same() {
        let attempts = Attempts::default();
        let login = login();
        for _ in 0..MOST {
            let leaving = tried(&attempts, "gamma", &login, pending());
            timeout(Duration::from_millis(1), leaving).await.unwrap_err();
        }
        assert_eq!(code(&attempts, "gamma", HostErrorKind::LoginRefused).await, Code::Throttled);
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_wait_for_each_other() {
        let attempts = Attempts::default();
        let slowly = || async {
            sleep(PATIENCE / 4).await;
            Ok(())
        };
        let login = login();
        let at_once = futures::future::join_all((0..3 * MOST).map(|_| tried(&attempts, "gamma", &login, slowly())));
        assert!(at_once.await.iter().all(Result::is_ok));
    }
}
