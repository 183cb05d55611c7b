//! Hosts and pools by number.

use std::collections::{BTreeMap, HashMap};

use model::HostName;

use crate::{
    HostRoom, Pair,
    desk::{Desk, UNKNOWN},
    links::{Links, assumed},
};

/// Hosts and pools by number. Hosts of which only the name is known take nothing and have nothing.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    numbers: HashMap<&'a HostName, usize>,
    hosts: Vec<(&'a HostName, Option<&'a HostRoom>)>,
    links: Vec<Links>,
    pools: HashMap<(usize, &'a str), usize>,
    /// Free space, by pool. The last one stands for all pools that are not known, and is not checked.
    free: Vec<u64>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(rooms: &'a BTreeMap<HostName, HostRoom>, also: impl Iterator<Item = &'a HostName>) -> Self {
        let mut hosts: Vec<(&HostName, Option<&HostRoom>)> =
            rooms.iter().map(|(name, room)| (name, Some(room))).collect();
        let mut numbers: HashMap<&HostName, usize> =
            hosts.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
        for name in also {
            numbers.entry(name).or_insert_with(|| {
                hosts.push((name, None));
                hosts.len() - 1
            });
        }
        let (assumed, unknown) = (assumed(rooms.values()), HostRoom::default());
        let links = hosts.iter().map(|(_, room)| Links::of(room.unwrap_or(&unknown), assumed)).collect();
        let (mut pools, mut free) = (HashMap::new(), Vec::new());
        for (number, room) in rooms.values().enumerate() {
            for (pool, bytes) in &room.pools {
                pools.insert((number, pool.as_str()), free.len());
                free.push(*bytes);
            }
        }
        free.push(UNKNOWN);
        Self { numbers, hosts, links, pools, free }
    }

    /// How many hosts there are.
    pub(crate) fn len(&self) -> usize {
        self.hosts.len()
    }

    /// The number of a host that [`Self::new`] was told of.
    pub(crate) fn number(&self, name: &HostName) -> usize {
        self.numbers[name]
    }

    /// The number of a host, if it is known.
    pub(crate) fn find(&self, name: &HostName) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    pub(crate) fn name(&self, host: usize) -> &'a HostName {
        self.hosts[host].0
    }

    pub(crate) fn room(&self, host: usize) -> Option<&'a HostRoom> {
        self.hosts[host].1
    }

    pub(crate) fn takes(&self, host: usize) -> bool {
        self.room(host).is_some_and(|room| room.takes)
    }

    pub(crate) fn links(&self, host: usize) -> Links {
        self.links[host]
    }

    /// What a VM takes of which pools on a host.
    pub(crate) fn disks(&self, pair: &Pair, host: usize) -> Vec<(usize, u64)> {
        let number = |pool: &String| self.pools.get(&(host, pool.as_str())).copied().unwrap_or(self.free.len() - 1);
        pair.disks.iter().map(|(pool, bytes)| (number(pool), *bytes)).collect()
    }

    /// All hosts with what is free on them, and no moves.
    pub(crate) fn desk(&self, sets: usize) -> Desk {
        let memory = self.hosts.iter().map(|(_, room)| room.map_or(0, |room| room.memory_bytes));
        Desk::new(self.links.iter().copied().zip(memory).collect(), self.free.clone(), sets)
    }
}
