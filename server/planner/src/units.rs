//! VMs that are kept together, and go to one host or not at all.

use std::collections::BTreeSet;

use crate::{hosts::HostSet, world::World};

/// All VMs of a plan, those that are kept together as one.
#[derive(Debug)]
pub(crate) struct Units {
    pub(crate) all: Vec<Unit>,
    /// The unit of each VM.
    pub(crate) of: Vec<usize>,
}

/// VMs that go to one host.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) vms: Vec<usize>,
    /// The hosts that all of them may end on.
    pub(crate) goals: HostSet,
    /// The rule by which they belong together, or to VMs that stay.
    pub(crate) rule: Option<usize>,
    /// The rules that are broken before the plan: they are kept if that is possible.
    broken: BTreeSet<usize>,
    pub(crate) memory: u64,
    pub(crate) priority: i8,
}

impl Units {
    /// The units, where the rules in `given_up` are broken already and could not be mended.
    pub(crate) fn new(world: &World, given_up: &BTreeSet<usize>) -> Self {
        let mut parents: Vec<usize> = (0..world.guests.len()).collect();
        let sets: Vec<Set> = world.rules.together().map(|(rule, vms)| Set::new(world, rule, vms)).collect();
        for set in &sets {
            set.join(world, given_up, &mut parents);
        }
        let mut of = vec![usize::MAX; world.guests.len()];
        let mut all: Vec<Unit> = Vec::new();
        for vm in 0..world.guests.len() {
            let root = root(&mut parents, vm);
            if of[root] == usize::MAX {
                of[root] = all.len();
                all.push(Unit::of(world, vm));
            } else {
                all[of[root]].add(world, vm);
            }
            of[vm] = of[root];
        }
        for set in &sets {
            for vm in &set.moving {
                set.bind(world, *vm, given_up, &mut all[of[*vm]]);
            }
        }
        Self { all, of }
    }

    /// The same units, each with the host that it ends on.
    pub(crate) fn bound_to(&self, hosts: &[Option<usize>]) -> Self {
        let mut all = self.all.clone();
        for (unit, host) in all.iter_mut().zip(hosts) {
            unit.goals = host.iter().copied().collect();
        }
        Self { all, of: self.of.clone() }
    }

    /// The rules that could be given up for a unit that finds no place.
    pub(crate) fn mendable(&self, unit: usize) -> &BTreeSet<usize> {
        &self.all[unit].broken
    }
}

/// VMs that a rule keeps together.
struct Set {
    rule: usize,
    /// Those that move.
    moving: Vec<usize>,
    /// Where the others are.
    stay: HostSet,
    /// Whether all of them are on one host.
    is_whole: bool,
}

impl Set {
    fn new(world: &World, rule: usize, vms: &[model::VmId]) -> Self {
        let moving: BTreeSet<usize> = vms.iter().filter_map(|vm| world.numbers.get(vm).copied()).collect();
        let others = vms.iter().filter(|vm| !world.numbers.contains_key(vm)).filter_map(|vm| world.others.get(vm));
        let stay: HostSet = others.map(|host| world.names.number(host)).collect();
        let all: HostSet = moving.iter().map(|vm| world.guests[*vm].source).chain(stay.iter()).collect();
        Self { rule, moving: moving.into_iter().collect(), stay, is_whole: all.len() <= 1 }
    }

    fn join(&self, world: &World, given_up: &BTreeSet<usize>, parents: &mut [usize]) {
        for (at, vm) in self.moving.iter().enumerate() {
            let together = |other: &&usize| {
                !given_up.contains(&self.rule) || world.guests[**other].source == world.guests[*vm].source
            };
            if let Some(other) = self.moving[..at].iter().find(together) {
                let (one, other) = (root(parents, *vm), root(parents, *other));
                parents[one.max(other)] = one.min(other);
            }
        }
    }

    /// Where a VM's unit may go by this rule.
    fn bind(&self, world: &World, vm: usize, given_up: &BTreeSet<usize>, unit: &mut Unit) {
        if self.moving.len() > 1 || !self.stay.is_empty() {
            unit.rule.get_or_insert(self.rule);
        }
        if !self.is_whole {
            unit.broken.insert(self.rule);
        }
        let is_left_behind = self.stay.contains(world.guests[vm].source);
        if !self.stay.is_empty() && (self.is_whole || is_left_behind || !given_up.contains(&self.rule)) {
            unit.goals.retain(|host| self.stay.contains(host));
        }
    }
}

impl Unit {
    fn of(world: &World, vm: usize) -> Self {
        let guest = &world.guests[vm];
        Self {
            vms: vec![vm],
            goals: guest.goals(),
            rule: None,
            broken: BTreeSet::new(),
            memory: guest.vm.memory_bytes,
            priority: guest.priority,
        }
    }

    fn add(&mut self, world: &World, vm: usize) {
        let guest = &world.guests[vm];
        let goals = guest.goals();
        self.vms.push(vm);
        self.goals.retain(|host| goals.contains(host));
        self.memory = self.memory.saturating_add(guest.vm.memory_bytes);
        self.priority = self.priority.max(guest.priority);
    }
}

fn root(parents: &mut [usize], vm: usize) -> usize {
    let mut at = vm;
    while parents[at] != at {
        parents[at] = parents[parents[at]];
        at = parents[at];
    }
    at
}
