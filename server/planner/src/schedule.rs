//! Where VMs go and in which order, by going through the time: whenever a host's link is free, the next VM begins, to the host where it
//! ends soonest.

use std::cmp::Reverse;

use crate::{
    desk::{Desk, Narrow, Task},
    flows::{Changes, Flows},
    hosts::HostSet,
    links::{Links, Wish},
    pack::fits,
    units::Units,
    world::{Guest, World},
};

/// What one point that speaks against a host weighs, in ms that a move takes longer.
const AGAINST_MS: u64 = 2_000;

/// What each virtual CPU for each CPU above [`CROWD`] weighs, in ms that a move takes longer.
const CROWD_MS: u64 = 10_000;

/// So many virtual CPUs for each CPU are no burden.
const CROWD: u64 = 4;

/// Moves that end within so many ms of each other are equally good: then the host with more free memory is.
const EQUAL_MS: u64 = 500;

/// How many hosts are looked at when a link is free, for all the VMs that may be the next.
const LOOKS: usize = 2_000;

/// How many VMs of a host are looked at for that, in a large plan.
const AHEAD: usize = 12;

/// A plan of more VMs is large.
const LARGE: usize = 500;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    /// The VMs and their hosts, in the order in which they begin.
    pub(crate) order: Vec<(usize, usize)>,
}

/// Makes a plan; VMs that find no place are not in it. Units that stay are left where they are.
pub(crate) fn schedule(world: &World, units: &Units, by_size: &[usize], stays: &[bool]) -> Schedule {
    let mut clerk = Clerk::new(world, units, by_size, stays);
    clerk.begin_all(None);
    while let Some(changes) = clerk.flows.advance(&mut clerk.desk, &clerk.begun) {
        let mut made_room = false;
        for number in &changes.ended {
            made_room |= clerk.has_left(*number);
        }
        if made_room {
            clerk.begin_all(None);
        } else if !changes.sources.is_empty() {
            clerk.begin_all(Some(&changes));
        }
    }
    let order = clerk.begun.iter().map(|task| (task.vm, task.destination)).collect();
    Schedule { order }
}

struct Clerk<'w> {
    world: &'w World<'w>,
    units: &'w Units,
    desk: Desk,
    flows: Flows,
    begun: Vec<Task<'w>>,
    /// The VMs that wait, by source.
    waiting: Vec<Vec<usize>>,
    /// What those that wait there send, in ms over the whole link.
    left_ms: Vec<u64>,
    /// VMs for which there is no room anywhere, until a host that takes VMs gets some back.
    parked: Vec<usize>,
    /// The place of each VM in the order.
    ranks: Vec<usize>,
    /// The host of a VM for which room was taken already, with others that it is kept together with.
    chosen: Vec<Option<usize>>,
    /// Memory that is kept for VMs that can go nowhere else, by host.
    promised: Vec<u64>,
    is_large: bool,
    /// What each VM wants of the links, by kind of destination: those with one incoming link are one kind.
    wishes: Vec<Wish>,
    kinds: usize,
    kind_of: Vec<usize>,
    /// Hosts that can receive more now.
    open: HostSet,
    /// Those of them that are looked at.
    look_at: HostSet,
    /// Virtual CPUs, by host.
    vcpus: Vec<u64>,
}

/// Why a VM does not begin now.
enum Not {
    /// Its source's link is too full for it.
    Source,
    /// A host that could take it is busy.
    Busy,
    /// No host has room for it.
    Room,
}

impl<'w> Clerk<'w> {
    fn new(world: &'w World<'w>, units: &'w Units, by_size: &[usize], stays: &[bool]) -> Self {
        let hosts = world.names.len();
        let vcpus = |host| world.names.room(host).map_or(0, |room| room.vcpus.into());
        let (kind_of, links) = kinds(world);
        let wish = |guest: &Guest, to: &Links| world.names.links(guest.source).wish(to, guest.vm.dirty_bytes_s);
        let wishes = world.guests.iter().flat_map(|guest| links.iter().map(move |to| wish(guest, to))).collect();
        let mut clerk = Self {
            world,
            wishes,
            kinds: links.len(),
            kind_of,
            units,
            desk: world.desk(),
            flows: Flows::default(),
            begun: Vec::with_capacity(world.guests.len()),
            waiting: vec![Vec::new(); hosts],
            left_ms: vec![0; hosts],
            parked: Vec::new(),
            ranks: vec![0; world.guests.len()],
            chosen: vec![None; world.guests.len()],
            promised: vec![0; hosts],
            is_large: by_size.len() > LARGE,
            open: HostSet::default(),
            look_at: HostSet::default(),
            vcpus: (0..hosts).map(vcpus).collect(),
        };
        for (rank, &vm) in by_size.iter().enumerate().filter(|(_, vm)| !stays[units.of[**vm]]) {
            clerk.ranks[vm] = rank;
            let source = world.guests[vm].source;
            clerk.waiting[source].push(vm);
            clerk.left_ms[source] += clerk.weight(vm);
            let goals = &units.all[units.of[vm]].goals;
            if let (1, Some(host)) = (goals.len(), goals.iter().next()) {
                clerk.promised[host] += world.guests[vm].vm.memory_bytes;
            }
        }
        clerk
    }

    /// How long a VM would send over its host's whole link, in ms.
    fn weight(&self, vm: usize) -> u64 {
        let guest = &self.world.guests[vm];
        let rate = self.world.names.links(guest.source).most_outgoing();
        self.world.sending_ms(vm, guest.source, rate)
    }

    /// The hosts that have most left to send begin first. For those whose own link has not changed, only the destinations are looked at whose
    /// link has: of the others it is known that they can't take more.
    fn begin_all(&mut self, changes: Option<&Changes>) {
        self.open = (0..self.waiting.len()).filter(|host| self.desk.incoming_left(*host) > 0).collect();
        let is_hungry = |host: &usize| !self.waiting[*host].is_empty() && self.desk.outgoing_left(*host) > 0;
        let mut hungry: Vec<usize> = (0..self.waiting.len()).filter(is_hungry).collect();
        let priority = |host: usize| self.world.guests[self.waiting[host][0]].priority;
        hungry.sort_by_cached_key(|host| (Reverse(priority(*host)), Reverse(self.left_ms[*host]), *host));
        for source in hungry {
            let freed =
                changes.filter(|changes| !changes.sources.contains(&source)).map(|changes| &changes.destinations);
            let is_open = |host: &usize| self.open.contains(*host);
            self.look_at =
                freed.map_or_else(|| self.open.clone(), |freed| freed.iter().copied().filter(is_open).collect());
            while !self.look_at.is_empty() && self.desk.outgoing_left(source) > 0 && self.begin_one(source) {
                self.look_at.clone_from(&self.open);
            }
        }
    }

    /// Lets the next VM of a host begin; false if none can.
    fn begin_one(&mut self, source: usize) -> bool {
        let (mut looks, mut at) = (0, 0);
        let most = if self.is_large { AHEAD } else { usize::MAX };
        while at < self.waiting[source].len().min(most) && looks < LOOKS {
            let vm = self.waiting[source][at];
            match self.best(vm, &mut looks) {
                Ok((host, share)) => {
                    self.waiting[source].remove(at);
                    self.begin(vm, host, share);
                    return true;
                }
                Err(Not::Source) => return false,
                Err(Not::Busy) => at += 1,
                Err(Not::Room) => {
                    self.waiting[source].remove(at);
                    self.parked.push(vm);
                }
            }
        }
        false
    }

    /// The host where a VM ends soonest if it begins now, and its share of the links.
    fn best(&self, vm: usize, looks: &mut usize) -> Result<(usize, u64), Not> {
        if let Some(host) = self.chosen[vm] {
            *looks += 1;
            return self.share(vm, host).map(|share| (host, share));
        }
        let goals = &self.units.all[self.units.of[vm]].goals;
        let mut best = None;
        let mut not = Not::Room;
        *looks += 1;
        for host in goals.both(&self.look_at) {
            *looks += 1;
            match self.share(vm, host) {
                Ok(_) if !self.has_room(vm, host) => {}
                Ok(share) => {
                    let free = self.desk.hosts[host].memory;
                    let cost = (self.cost(vm, host, share) / EQUAL_MS, Reverse(free), host);
                    if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                        best = Some((cost, share));
                    }
                }
                Err(Not::Source) => not = Not::Source,
                Err(_) if matches!(not, Not::Source) => {}
                Err(busy) => not = busy,
            }
        }
        if best.is_none() && matches!(not, Not::Room) {
            *looks += goals.len();
            if goals.iter().any(|host| !self.look_at.contains(host) && self.has_room(vm, host)) {
                not = Not::Busy;
            }
        }
        best.map(|((_, _, host), share)| (host, share)).ok_or(not)
    }

    fn share(&self, vm: usize, host: usize) -> Result<u64, Not> {
        let guest = &self.world.guests[vm];
        let wish = self.wishes[vm * self.kinds + self.kind_of[host]];
        self.desk.share_of(guest.source, host, wish, self.waiting[guest.source].len() == 1).map_err(|narrow| {
            match narrow {
                Narrow::Source => Not::Source,
                Narrow::Destination => Not::Busy,
            }
        })
    }

    /// How long a VM takes to a host, in ms, and what speaks against the host, as if it took longer.
    fn cost(&self, vm: usize, host: usize, share: u64) -> u64 {
        let guest = &self.world.guests[vm];
        let against = u64::from(guest.way(host).against) * AGAINST_MS;
        let cpus = self.world.names.room(host).map_or(0, |room| u64::from(room.cpus));
        let crowd = (self.vcpus[host] + u64::from(guest.vm.vcpus)).saturating_sub(cpus * CROWD);
        let crowd = (crowd * CROWD_MS).checked_div(cpus).unwrap_or_default();
        self.world.sending_ms(vm, host, share).saturating_add(against).saturating_add(crowd)
    }

    /// Whether there is room for a VM and all that it is kept together with.
    fn has_room(&self, vm: usize, host: usize) -> bool {
        let unit = &self.units.all[self.units.of[vm]];
        let promised = if unit.goals.len() == 1 { 0 } else { self.promised[host] };
        self.desk.hosts[host].memory >= unit.memory.saturating_add(promised)
            && fits(self.world, &self.desk, &unit.vms, host)
    }

    fn begin(&mut self, vm: usize, host: usize, share: u64) {
        let source = self.world.guests[vm].source;
        let units = self.units;
        if self.chosen[vm].is_none() {
            let unit = &units.all[units.of[vm]];
            for &vm in &unit.vms {
                let task = self.world.task(vm, self.world.guests[vm].source, host);
                self.desk.take(&task);
                self.chosen[vm] = Some(host);
                self.vcpus[host] += u64::from(self.world.guests[vm].vm.vcpus);
                if unit.goals.len() == 1 {
                    self.promised[host] = self.promised[host].saturating_sub(task.memory);
                }
            }
        }
        self.left_ms[source] = self.left_ms[source].saturating_sub(self.weight(vm));
        self.desk.link(source, host, share);
        if self.desk.incoming_left(host) == 0 {
            self.open.remove(host);
        }
        let sending = self.world.sending_ms(vm, host, share);
        self.flows.begin(self.begun.len(), share, sending);
        self.begun.push(self.world.task(vm, source, host));
    }

    /// A VM has left its host; true if others may find room there now.
    fn has_left(&mut self, number: usize) -> bool {
        let Task { vm, source, .. } = self.begun[number];
        let vcpus = u64::from(self.world.guests[vm].vm.vcpus);
        self.vcpus[source] = self.vcpus[source].saturating_sub(vcpus);
        let made_room = self.world.names.takes(source);
        if made_room && !self.parked.is_empty() {
            for vm in std::mem::take(&mut self.parked) {
                self.waiting[self.world.guests[vm].source].push(vm);
            }
            let ranks = &self.ranks;
            self.waiting.iter_mut().for_each(|waiting| waiting.sort_by_key(|vm| ranks[*vm]));
        }
        made_room
    }
}

/// The kind of each host, and a host's links of each kind.
fn kinds(world: &World) -> (Vec<usize>, Vec<Links>) {
    let mut kinds: Vec<Links> = Vec::new();
    let kind = |host: usize| {
        let links = world.names.links(host);
        let known = kinds.iter().position(|kind| kind.incoming == links.incoming);
        known.unwrap_or_else(|| {
            kinds.push(links);
            kinds.len() - 1
        })
    };
    let kind_of = (0..world.names.len()).map(kind).collect();
    (kind_of, kinds)
}
