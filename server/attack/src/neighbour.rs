//! Another client of the console: how long it waits for answers.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::client::Target;

/// How long it waits before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// A client that asks for the list of VMs, again and again, until it is dropped.
pub struct Neighbour {
    waits: Arc<Mutex<Vec<Option<Duration>>>>,
    asking: JoinHandle<()>,
}

/// How long a client waited for its answers.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    /// How many requests it sent.
    pub requests: usize,
    /// The median wait.
    pub median: Duration,
    /// The longest.
    pub longest: Duration,
    /// How many requests were refused, or not answered within [`PATIENCE`].
    pub lost: usize,
}

impl Neighbour {
    /// Begins to ask, from this address.
    pub fn start(target: Target, from: Ipv4Addr) -> Self {
        let waits: Arc<Mutex<Vec<_>>> = Arc::default();
        let written = Arc::clone(&waits);
        let asking = tokio::spawn(async move {
            loop {
                let asked = Instant::now();
                let answer = timeout(PATIENCE, target.get(Some(from), "/plugins/kimchi/vms")).await;
                let wait = matches!(answer, Ok(Ok(_))).then(|| asked.elapsed());
                written.lock().unwrap_or_else(PoisonError::into_inner).push(wait);
                sleep(PAUSE).await;
            }
        });
        Self { waits, asking }
    }

    /// How long it has waited since this was last asked.
    pub fn waits(&self) -> Waits {
        let waits = std::mem::take(&mut *self.waits.lock().unwrap_or_else(PoisonError::into_inner));
        let mut answered: Vec<Duration> = waits.iter().flatten().copied().collect();
        answered.sort();
        Waits {
            requests: waits.len(),
            median: answered.get(answered.len() / 2).copied().unwrap_or_default(),
            longest: answered.last().copied().unwrap_or_default(),
            lost: waits.len() - answered.len(),
        }
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.asking.abort();
    }
}
