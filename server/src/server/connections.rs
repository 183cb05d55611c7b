//! How many connections there may be: in all, and from one address.
//!
//! Without limits a client that opens connections and says nothing takes all files that the process may have open, and the console can
//! reach neither its users nor its hosts.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Resource, getrlimit};

use crate::network::network;

/// Connections at once, if the process may have twice as many files open: the other half is for hosts and the database.
const IN_ALL: usize = 1_024;
/// Connections of one address at once: a browser has about eight, and an office may be one address.
const OF_AN_ADDRESS: usize = 128;
/// How often the log says that connections are refused.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// The limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionLimits {
    /// Connections at once.
    pub(super) in_all: usize,
    /// Of these, from one address, or of IPv6 one /64.
    pub(super) of_an_address: usize,
    /// The address of the proxy, which has as many as there are.
    pub(super) proxy: Option<IpAddr>,
}

impl ConnectionLimits {
    /// What this process can bear.
    pub(super) fn of_this_process(proxy: Option<IpAddr>) -> Self {
        let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
        let in_all = files.map_or(IN_ALL, |files| IN_ALL.min(files / 2));
        Self { in_all, of_an_address: OF_AN_ADDRESS.min(in_all / 2), proxy }
    }
}

/// The connections there are.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    limits: ConnectionLimits,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    in_all: usize,
    of: HashMap<IpAddr, usize>,
    refused: u64,
    told: Option<Instant>,
}

/// One of the connections; it is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    open: Arc<Mutex<Open>>,
    network: IpAddr,
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, open: Arc::default() }
    }

    /// A place for a connection from there, if there is one.
    pub(super) fn place(&self, peer: IpAddr) -> Option<Place> {
        let ConnectionLimits { in_all, of_an_address, proxy } = self.limits;
        let network = network(peer);
        let mut open = lock(&self.open);
        let of_this = open.of.get(&network).copied().unwrap_or_default();
        let is_proxy = proxy == Some(peer.to_canonical());
        if open.in_all >= in_all || (of_this >= of_an_address && !is_proxy) {
            open.refuse(peer);
            return None;
        }
        open.in_all += 1;
        open.of.insert(network, of_this + 1);
        Some(Place { open: Arc::clone(&self.open), network })
    }
}

impl Open {
    /// Says so in the log, but not for each: who floods the console must not flood the log.
    fn refuse(&mut self, peer: IpAddr) {
        self.refused += 1;
        if self.told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return;
        }
        let of_this = self.of.get(&network(peer)).copied().unwrap_or_default();
        tracing::warn!(
            address = %peer.to_canonical(), of_this_address = of_this, in_all = self.in_all, refused = self.refused,
            "too many connections: new ones are refused"
        );
        (self.told, self.refused) = (Some(Instant::now()), 0);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        open.in_all -= 1;
        if let Some(count) = open.of.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.of.remove(&self.network);
            }
        }
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
