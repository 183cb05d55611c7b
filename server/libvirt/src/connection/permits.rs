//! How many connections may be opening at a time: to one daemon, and to all that have not answered yet.
//!
//! A thread that opens a connection can't be interrupted, and one whose host accepts and then says nothing waits for as long as that
//! host likes. So there are few to a daemon, and a number in all: whoever may name hosts could name one silent port after another.
//! Hosts of the configuration, and daemons that have answered before, are not counted among all: silent ports must not keep the
//! console from its own hosts.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How many threads may be opening connections to one daemon at a time. More than one, because one whose host loses power at that
/// moment waits for ever.
pub(super) const TO_ONE: usize = 3;

/// How many threads may be opening connections to daemons that have not answered yet, in all.
pub(super) const TO_STRANGERS: usize = 32;

/// How long to wait for one of these, of the 10 s that connecting may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// The permits of all daemons.
#[derive(Clone)]
pub(super) struct Permits(Arc<Inner>);

struct Inner {
    /// By the daemon's URI.
    daemons: Mutex<HashMap<String, Arc<Semaphore>>>,
    strangers: Arc<Semaphore>,
    /// The URIs of daemons that have answered.
    known: Mutex<HashSet<String>>,
}

impl Permits {
    pub(super) fn new() -> Self {
        let strangers = Arc::new(Semaphore::new(TO_STRANGERS));
        Self(Arc::new(Inner { daemons: Mutex::default(), strangers, known: Mutex::default() }))
    }

    /// The permits of the daemon at this URI; a stranger's, unless it is of the configuration or has answered before.
    pub(super) fn to(&self, daemon: String, is_configured: bool) -> DaemonPermits {
        let mut daemons = locked(&self.0.daemons);
        // `DaemonPermits` hold the entry of their daemon, and so does a thread that hangs, by its permit.
        daemons.retain(|_, of_daemon| Arc::strong_count(of_daemon) > 1);
        let of_daemon = daemons.entry(daemon.clone()).or_insert_with(|| Arc::new(Semaphore::new(TO_ONE))).clone();
        DaemonPermits { all: self.clone(), daemon, is_configured, of_daemon }
    }
}

/// The permits to open connections to one daemon.
pub(super) struct DaemonPermits {
    all: Permits,
    daemon: String,
    is_configured: bool,
    of_daemon: Arc<Semaphore>,
}

/// A thread that opens a connection holds it until the connection is open.
pub(super) struct Permit {
    _of_daemon: OwnedSemaphorePermit,
    _of_strangers: Option<OwnedSemaphorePermit>,
}

/// Too many hosts have accepted a connection and say nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Crowded;

impl DaemonPermits {
    /// A permit to open a connection. Waits for those of the daemon that are in use for as long as the caller does.
    ///
    /// # Errors
    /// [`Crowded`] after 4 s.
    pub(super) async fn acquire(&self) -> Result<Permit, Crowded> {
        // The semaphores are never closed.
        let of_daemon = self.of_daemon.clone().acquire_owned().await.map_err(|_| Crowded)?;
        let of_strangers = match self.is_known() {
            true => None,
            false => {
                let one_of_all = self.all.0.strangers.clone().acquire_owned();
                Some(timeout(PATIENCE, one_of_all).await.map_err(|_| Crowded)?.map_err(|_| Crowded)?)
            }
        };
        Ok(Permit { _of_daemon: of_daemon, _of_strangers: of_strangers })
    }

    /// The daemon has answered.
    pub(super) fn answered(&self) {
        if !self.is_configured {
            locked(&self.all.0.known).insert(self.daemon.clone());
        }
    }

    fn is_known(&self) -> bool {
        self.is_configured || locked(&self.all.0.known).contains(&self.daemon)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silent_daemons_are_few_in_all_and_do_not_keep_known_ones_waiting() {
        let permits = Permits::new();
        let known = permits.to("tcp://known".to_owned(), false);
        drop(known.acquire().await.unwrap());
        known.answered();
        let mut hanging = Vec::new();
        for number in 0..60 {
            let daemon = permits.to(format!("tcp://silent:{number}"), false);
            for _ in 0..2 {
                hanging.extend(daemon.acquire().await);
            }
        }
        assert_eq!(hanging.len(), TO_STRANGERS, "of 120 attempts");
        assert_eq!(permits.to("tcp://another".to_owned(), false).acquire().await.map(drop), Err(Crowded));
        known.acquire().await.unwrap();
        permits.to("tcp://configured".to_owned(), true).acquire().await.unwrap();
        hanging.pop();
        permits.to("tcp://another".to_owned(), false).acquire().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_daemon_has_few_and_its_entry_goes_with_the_last_that_holds_it() {
        let permits = Permits::new();
        let silent = permits.to("tcp://silent".to_owned(), true);
        let mut hanging = Vec::new();
        for _ in 0..TO_ONE {
            hanging.push(silent.acquire().await.unwrap());
        }
        timeout(PATIENCE, silent.acquire()).await.map(drop).unwrap_err();
        drop(silent);
        drop(permits.to("tcp://a".to_owned(), true));
        drop(permits.to("tcp://b".to_owned(), true));
        assert_eq!(locked(&permits.0.daemons).len(), 2, "the one where threads hang, and the last one");
        hanging.pop();
        permits.to("tcp://silent".to_owned(), true).acquire().await.unwrap();
    }
}
