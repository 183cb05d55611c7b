//! How many connections there may be: in all, and from one address or site.
//!
//! Without limits a client that opens connections and says nothing takes all files that the process may have open, and the console can
//! reach neither its users nor its hosts. With them, a few clients together must not take all that others may have: so each gets
//! few of the last ones, and a proxy keeps nearly all for itself.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Resource, getrlimit};

use crate::network::site;

/// Connections at once, if the process may have twice as many files open: the other half is for hosts and the database.
const IN_ALL: usize = 1_024;
/// Connections of one address at once: a browser has about eight, and an office may be one address.
const OF_AN_ADDRESS: usize = 128;
/// Connections of one address when three quarters of all are taken: what one or two browsers need.
const OF_THE_LAST: usize = 16;
/// Connections of all others where there is a proxy, which requests have to come through: what they send is refused anyway.
const BESIDE_THE_PROXY: usize = 32;
/// How often the log says that connections are refused.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// The limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionLimits {
    /// Connections at once.
    pub(super) in_all: usize,
    /// Of these, from one address, or of IPv6 one /48.
    pub(super) of_an_address: usize,
    /// The same, when three quarters of all are taken.
    pub(super) of_the_last: usize,
    /// Of these, from all other addresses, where there is a proxy.
    pub(super) beside_the_proxy: usize,
    /// The address of the proxy, which has as many as there are.
    pub(super) proxy: Option<IpAddr>,
}

impl ConnectionLimits {
    /// What this process can bear.
    pub(super) fn of_this_process(proxy: Option<IpAddr>) -> Self {
        let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok());
        let in_all = files.map_or(IN_ALL, |files| IN_ALL.min(files / 2));
        let [of_an_address, of_the_last, beside_the_proxy] =
            [OF_AN_ADDRESS, OF_THE_LAST, BESIDE_THE_PROXY].map(|limit| limit.min(in_all / 2));
        Self { in_all, of_an_address, of_the_last, beside_the_proxy, proxy }
    }

    fn group(&self, peer: IpAddr) -> Group {
        match self.proxy {
            Some(proxy) if proxy.to_canonical() == peer.to_canonical() => Group::Proxy,
            Some(_) => Group::BesideTheProxy,
            None => Group::Site(site(peer)),
        }
    }

    /// How many connections this group may have while there are this many in all.
    fn of(&self, group: Group, open: usize) -> usize {
        match group {
            Group::Proxy => self.in_all,
            Group::BesideTheProxy => self.beside_the_proxy,
            Group::Site(_) if open >= self.in_all / 4 * 3 => self.of_the_last,
            Group::Site(_) => self.of_an_address,
        }
    }
}

/// Whose connections are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    Proxy,
    /// All others, where there is a proxy.
    BesideTheProxy,
    /// An address, or of IPv6 a /48.
    Site(IpAddr),
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
    of: HashMap<Group, usize>,
    refused: u64,
    told: Option<Instant>,
}

/// One of the connections; it is counted until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    open: Arc<Mutex<Open>>,
    group: Group,
}

impl Connections {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, open: Arc::default() }
    }

    /// A place for a connection from there, if there is one.
    pub(super) fn place(&self, peer: IpAddr) -> Option<Place> {
        let group = self.limits.group(peer);
        let mut open = lock(&self.open);
        let of_this = open.of.get(&group).copied().unwrap_or_default();
        if open.in_all >= self.limits.in_all || of_this >= self.limits.of(group, open.in_all) {
            open.refuse(peer, of_this);
            return None;
        }
        open.in_all += 1;
        open.of.insert(group, of_this + 1);
        Some(Place { open: Arc::clone(&self.open), group })
    }
}

impl Open {
    /// Says so in the log, but not for each: who floods the console must not flood the log.
    fn refuse(&mut self, peer: IpAddr, of_this: usize) {
        self.refused += 1;
        if self.told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return;
        }
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
        if let Some(count) = open.of.get_mut(&self.group) {
            *count -= 1;
            if *count == 0 {
                open.of.remove(&self.group);
            }
        }
    }
}

fn lock(open: &Mutex<Open>) -> MutexGuard<'_, Open> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ConnectionLimits =
        ConnectionLimits { in_all: 1_000, of_an_address: 128, of_the_last: 16, beside_the_proxy: 32, proxy: None };

    /// The places that `number` connections get, each from the next of these addresses.
    fn flood(connections: &Connections, number: usize, from: impl Fn(u8) -> IpAddr) -> Vec<Place> {
        (0..number).filter_map(|number| connections.place(from(u8::try_from(number % 9).unwrap()))).collect()
    }

    fn attacker(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    #[test]
    fn a_few_addresses_leave_room_for_others() {
        let connections = Connections::new(LIMITS);
        let taken = flood(&connections, 1_100, attacker);
        assert_eq!(taken.len(), 750, "three quarters");
        let browsers: Vec<_> = (0..20).map(|_| connections.place([198, 51, 100, 1].into())).collect();
        assert_eq!(browsers.iter().flatten().count(), 16);
        drop(taken);
        assert!(connections.place([198, 51, 100, 1].into()).is_some(), "the flood is over");
    }

    #[test]
    fn a_site_s_networks_count_as_one_address() {
        let connections = Connections::new(LIMITS);
        let taken = flood(&connections, 1_100, |number| [0x2001, 0xdb8, 0, u16::from(number), 0, 0, 0, 1].into());
        assert_eq!(taken.len(), 128);
    }

    #[test]
    fn others_leave_room_for_the_proxy() {
        let proxy = [198, 51, 100, 9].into();
        let connections = Connections::new(ConnectionLimits { proxy: Some(proxy), ..LIMITS });
        let taken = flood(&connections, 1_100, attacker);
        assert_eq!(taken.len(), 32);
        let of_the_proxy = flood(&connections, 1_100, |_| proxy);
        assert_eq!(of_the_proxy.len(), 968, "all that are left");
    }
}
