//! A fleet by number: its hosts, its VMs that are to move, and where each of these could go.

use std::collections::HashMap;

use model::VmId;

use crate::{
    Fleet, VmToMove,
    desk::{Desk, Task},
    hosts::HostSet,
    links::{memory_bytes, sending_ms},
    names::Names,
    rules::Rules,
};

/// A fleet by number.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) names: Names<'a>,
    pub(crate) rules: Rules<'a>,
    pub(crate) guests: Vec<Guest<'a>>,
    /// Where VMs are that do not move.
    pub(crate) others: &'a std::collections::BTreeMap<VmId, model::HostName>,
    /// The numbers of the VMs that move.
    pub(crate) numbers: HashMap<VmId, usize>,
}

/// A VM that is to move.
#[derive(Debug)]
pub(crate) struct Guest<'a> {
    pub(crate) vm: &'a VmToMove,
    pub(crate) source: usize,
    pub(crate) priority: i8,
    /// The hosts that it could go to, by what is known of them and by the rules that say where it may run.
    pub(crate) hosts: HostSet,
    /// The only host that it may end on.
    pub(crate) asked: Option<usize>,
    /// The sets kept apart that it belongs to.
    pub(crate) sets: Vec<usize>,
    /// Hosts that something speaks against, or to which disks are copied, by their numbers.
    ways: Vec<(usize, Way)>,
}

/// What a VM's way to a host costs.
#[derive(Debug, Default)]
pub(crate) struct Way {
    pub(crate) against: u32,
    pub(crate) disks: Vec<(usize, u64)>,
    pub(crate) disk_bytes: u64,
}

/// A VM's way to a host of which nothing is known.
static PLAIN: Way = Way { against: 0, disks: Vec::new(), disk_bytes: 0 };

impl<'a> World<'a> {
    pub(crate) fn new(fleet: &'a Fleet) -> Self {
        let sources = fleet.vms.iter().map(|vm| &vm.source);
        let asked = fleet.vms.iter().filter_map(|vm| vm.destination.as_ref());
        let names = Names::new(&fleet.hosts, sources.chain(asked).chain(fleet.others.values()));
        let rules = Rules::new(&fleet.rules);
        let takes: HostSet = (0..names.len()).filter(|host| names.takes(*host)).collect();
        let guests: Vec<Guest> = fleet.vms.iter().map(|vm| Guest::new(vm, &names, &rules, &takes)).collect();
        let numbers = guests.iter().enumerate().map(|(number, guest)| (guest.vm.vm, number)).collect();
        Self { names, rules, guests, others: &fleet.others, numbers }
    }

    /// The hosts as they are before the first move.
    pub(crate) fn desk(&self) -> Desk {
        let mut desk = self.names.desk(self.rules.sets());
        for guest in &self.guests {
            desk.settle(&guest.sets, guest.source);
        }
        for (vm, sets) in self.rules.kept_apart() {
            if let Some(host) = self.others.get(&vm).filter(|_| !self.numbers.contains_key(&vm)) {
                desk.settle(sets, self.names.number(host));
            }
        }
        desk
    }

    pub(crate) fn task(&self, vm: usize, source: usize, destination: usize) -> Task<'_> {
        let guest = &self.guests[vm];
        Task {
            vm,
            source,
            destination,
            memory: guest.vm.memory_bytes,
            dirty: guest.vm.dirty_bytes_s,
            disks: &guest.way(destination).disks,
            sets: &guest.sets,
        }
    }

    /// What is sent of a VM on its way to a host with that rate, in bytes.
    pub(crate) fn bytes(&self, vm: usize, destination: usize, rate: u64) -> u64 {
        let guest = &self.guests[vm];
        let memory = memory_bytes(guest.vm.sends_bytes, guest.vm.dirty_bytes_s, rate);
        memory.saturating_add(guest.way(destination).disk_bytes)
    }

    /// How long a VM sends on its way to a host with that rate, in ms.
    pub(crate) fn sending_ms(&self, vm: usize, destination: usize, rate: u64) -> u64 {
        sending_ms(self.bytes(vm, destination, rate), rate)
    }

    /// The VMs in the order in which they go if all else is equal: by priority, then those that need a link for themselves, then those that
    /// send most: so that a link is left half empty once at most, and what ends last is small.
    pub(crate) fn by_size(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.guests.len()).collect();
        order.sort_by_key(|number| {
            let Guest { vm, priority, source, ways, .. } = &self.guests[*number];
            let links = self.names.links(*source);
            let disks = ways.iter().map(|(_, way)| way.disk_bytes).max().unwrap_or_default();
            let bytes = memory_bytes(vm.sends_bytes, vm.dirty_bytes_s, links.wish(&links, vm.dirty_bytes_s).best);
            let is_alone = links.is_alone(vm.dirty_bytes_s);
            (-priority, !is_alone, u64::MAX - bytes.saturating_add(disks), vm.vm)
        });
        order
    }
}

impl<'a> Guest<'a> {
    fn new(vm: &'a VmToMove, names: &Names<'a>, rules: &Rules<'a>, takes: &HostSet) -> Self {
        let source = names.number(&vm.source);
        let asked = vm.destination.as_ref().map(|name| names.number(name));
        let mut hosts = takes.clone();
        hosts.remove(source);
        let mut ways = Vec::new();
        for (name, pair) in &vm.pairs {
            let Some(host) = names.find(name) else { continue };
            if pair.refused {
                hosts.remove(host);
            } else if pair.against > 0 || !pair.disks.is_empty() {
                let disks = names.disks(pair, host);
                let disk_bytes = disks.iter().map(|(_, bytes)| bytes).sum();
                ways.push((host, Way { against: pair.against, disks, disk_bytes }));
            }
        }
        ways.sort_by_key(|(host, _)| *host);
        if rules.says_where(vm.vm) {
            hosts.retain(|host| rules.forbids(vm.vm, names.name(host)).is_none());
        }
        Self { vm, source, priority: rules.priority(vm.vm), hosts, asked, sets: rules.apart(vm.vm).to_vec(), ways }
    }

    pub(crate) fn way(&self, host: usize) -> &Way {
        self.ways.binary_search_by_key(&host, |(at, _)| *at).map_or(&PLAIN, |at| &self.ways[at].1)
    }

    /// The hosts that it may end on, without the rules that are about several VMs.
    pub(crate) fn goals(&self) -> HostSet {
        let mut goals = self.hosts.clone();
        if let Some(asked) = self.asked {
            goals.retain(|host| host == asked);
        }
        goals
    }
}
