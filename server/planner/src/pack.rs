//! Which host each unit ends on where memory is short: the largest first, each where least is left over, and others make way.

use crate::{desk::Desk, units::Units, world::World};

/// How many hosts are looked at in all before the search is given up.
const LOOKS: usize = 5_000;

/// How many units make way for one, one after the other.
const DEPTH: usize = 3;

/// The host of each unit; none of those for which there is no room, and of those that stay.
///
/// The units that move are taken to be gone from their hosts: whether there is an order in which that works is another question.
pub(crate) fn pack(world: &World, units: &Units, stays: &[bool]) -> Vec<Option<usize>> {
    let mut desk = world.desk();
    for (_, unit) in units.all.iter().enumerate().filter(|(number, _)| !stays[*number]) {
        for &vm in &unit.vms {
            let source = world.guests[vm].source;
            desk.give_back(&world.task(vm, source, source));
        }
    }
    let mut order: Vec<usize> = (0..units.all.len()).filter(|unit| !stays[*unit]).collect();
    let is_free = |unit: usize| units.all[unit].goals.len() > 1;
    order.sort_by_key(|unit| {
        let priority = i16::from(units.all[*unit].priority);
        (-priority, is_free(*unit), u64::MAX - units.all[*unit].memory, *unit)
    });
    let mut packer = Packer {
        world,
        units,
        desk,
        hosts: vec![None; units.all.len()],
        on: vec![Vec::new(); world.names.len()],
        looks: LOOKS,
    };
    for unit in order {
        packer.insert(unit, DEPTH);
    }
    packer.hosts
}

struct Packer<'a> {
    world: &'a World<'a>,
    units: &'a Units,
    desk: Desk,
    hosts: Vec<Option<usize>>,
    /// The units on each host.
    on: Vec<Vec<usize>>,
    looks: usize,
}

impl Packer<'_> {
    /// Finds a host for a unit, and makes room for it if so many others may make way.
    fn insert(&mut self, unit: usize, depth: usize) -> bool {
        let goals: Vec<usize> = self.units.all[unit].goals.iter().collect();
        self.looks = self.looks.saturating_sub(goals.len());
        let best = goals.iter().filter(|host| self.fits(unit, **host)).min_by_key(|host| self.rank(unit, **host));
        if let Some(&host) = best {
            self.put(unit, host);
            return true;
        }
        depth > 0 && goals.into_iter().any(|host| self.looks > 0 && self.make_room(unit, host, depth))
    }

    /// What speaks against a host for a unit, then what is left over there.
    fn rank(&self, unit: usize, host: usize) -> (u32, u64, usize) {
        let vms = &self.units.all[unit].vms;
        let against = vms.iter().map(|vm| self.world.guests[*vm].way(host).against).sum();
        (against, self.desk.hosts[host].memory - self.units.all[unit].memory, host)
    }

    /// Puts a unit on a host from which others move away.
    fn make_room(&mut self, unit: usize, host: usize, depth: usize) -> bool {
        let memory = |unit: usize| self.units.all[unit].memory;
        let mut movable: Vec<usize> = self.on[host].clone();
        movable.retain(|other| self.units.all[*other].goals.len() > 1);
        movable.sort_by_key(|other| (memory(*other), *other));
        // One that makes enough room, the smallest first; else the smallest together.
        let missing = memory(unit).saturating_sub(self.desk.hosts[host].memory);
        let one = movable.iter().filter(|other| memory(**other) >= missing).map(|other| vec![*other]);
        let mut sum = 0;
        let is_needed = |other: &&usize| {
            let is_needed = sum < missing;
            sum += memory(**other);
            is_needed
        };
        let several: Vec<usize> = movable.iter().take_while(is_needed).copied().collect();
        let ways: Vec<Vec<usize>> = one.chain((several.len() > 1).then_some(several)).collect();
        ways.into_iter().any(|others| self.replace(unit, host, &others, depth))
    }

    /// Moves some units away from a host for another; all stays as it was if one of them finds no other host.
    fn replace(&mut self, unit: usize, host: usize, others: &[usize], depth: usize) -> bool {
        if self.looks == 0 {
            return false;
        }
        // What is remembered grows with the plan, so less is tried in a large one.
        self.looks = self.looks.saturating_sub(1 + self.units.all.len() / 50);
        let before = (self.desk.clone(), self.hosts.clone(), self.on.clone());
        for other in others {
            self.take_away(*other);
        }
        if self.fits(unit, host) {
            self.put(unit, host);
            if others.iter().all(|other| self.insert(*other, depth - 1)) {
                return true;
            }
        }
        (self.desk, self.hosts, self.on) = before;
        false
    }

    fn fits(&self, unit: usize, host: usize) -> bool {
        fits(self.world, &self.desk, &self.units.all[unit].vms, host)
    }

    fn put(&mut self, unit: usize, host: usize) {
        for &vm in &self.units.all[unit].vms {
            self.desk.take(&self.world.task(vm, host, host));
        }
        self.hosts[unit] = Some(host);
        self.on[host].push(unit);
    }

    fn take_away(&mut self, unit: usize) {
        let Some(host) = self.hosts[unit].take() else { return };
        for &vm in &self.units.all[unit].vms {
            let task = self.world.task(vm, host, host);
            self.desk.give_back(&task);
            self.desk.free_pools(&task);
        }
        self.on[host].retain(|other| *other != unit);
    }
}

/// Whether there is room for all of these VMs on a host.
pub(crate) fn fits(world: &World, desk: &Desk, vms: &[usize], host: usize) -> bool {
    let fits = |desk: &Desk, vm: usize| {
        let task = world.task(vm, host, host);
        desk.hosts[host].memory >= task.memory && desk.has_space(task.disks, |_| 0) && desk.is_apart(task.sets, host)
    };
    match vms {
        [vm] => fits(desk, *vm),
        vms => {
            let mut desk = desk.clone();
            vms.iter().all(|vm| {
                let has_room = fits(&desk, *vm);
                desk.take(&world.task(*vm, host, host));
                has_room
            })
        }
    }
}
