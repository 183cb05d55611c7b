//! An order in which VMs reach their hosts where memory is short, one after the other: what leaves makes room for what comes. Where they
//! wait for each other in a circle, one of them goes to a third host first.

use std::cmp::Reverse;

use crate::{
    desk::{Desk, Task},
    world::World,
};

/// How many VMs are looked at in all before the search is given up.
const LOOKS: usize = 5_000;

/// How many VMs wait on a third host at most.
const HALTS: usize = 8;

/// A move of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) vm: usize,
    pub(crate) source: usize,
    pub(crate) destination: usize,
}

/// An order in which all VMs with a goal reach it.
///
/// # Errors
/// The VMs that are stuck.
pub(crate) fn sequence(world: &World, goals: &[Option<usize>], by_size: &[usize]) -> Result<Vec<Step>, Vec<usize>> {
    let walk = Walk {
        desk: world.desk(),
        at: world.guests.iter().map(|guest| guest.source).collect(),
        halted: vec![false; goals.len()],
        steps: Vec::new(),
        pending: by_size.iter().copied().filter(|vm| goals[*vm].is_some()).collect(),
    };
    let mut stuck = None;
    let mut search = Search { world, goals, looks: LOOKS };
    search.go_on(walk, HALTS, &mut stuck).ok_or_else(|| stuck.unwrap_or_default())
}

#[derive(Clone)]
struct Walk {
    desk: Desk,
    at: Vec<usize>,
    halted: Vec<bool>,
    steps: Vec<Step>,
    pending: Vec<usize>,
}

struct Search<'a> {
    world: &'a World<'a>,
    goals: &'a [Option<usize>],
    looks: usize,
}

impl Search<'_> {
    fn go_on(&mut self, mut walk: Walk, halts: usize, stuck: &mut Option<Vec<usize>>) -> Option<Vec<Step>> {
        self.settle(&mut walk);
        if walk.pending.is_empty() {
            return Some(walk.steps);
        }
        stuck.get_or_insert_with(|| walk.pending.clone());
        if halts == 0 {
            return None;
        }
        for (vm, host) in self.halts(&walk) {
            if self.looks == 0 {
                return None;
            }
            let mut next = walk.clone();
            self.step(&mut next, vm, host);
            next.halted[vm] = true;
            if let Some(steps) = self.go_on(next, halts - 1, stuck) {
                return Some(steps);
            }
        }
        None
    }

    /// Moves all to their goals that fit, until none does.
    fn settle(&mut self, walk: &mut Walk) {
        loop {
            let before = walk.pending.len();
            for vm in std::mem::take(&mut walk.pending) {
                self.looks = self.looks.saturating_sub(1);
                match self.goals[vm] {
                    Some(host) if self.fits(walk, vm, host) => self.step(walk, vm, host),
                    _ => walk.pending.push(vm),
                }
            }
            if walk.pending.len() == before {
                return;
            }
        }
    }

    /// Which VMs could make way, and where they could wait: those first that make room for another at once, then the smallest.
    fn halts(&self, walk: &Walk) -> Vec<(usize, usize)> {
        let missing = |host: usize| {
            let come = walk.pending.iter().filter(|vm| self.goals[**vm] == Some(host));
            come.map(|vm| self.memory(*vm).saturating_sub(walk.desk.hosts[host].memory)).min()
        };
        let missing: Vec<Option<u64>> = (0..self.world.names.len()).map(missing).collect();
        let mut halts = Vec::new();
        for &vm in walk.pending.iter().filter(|vm| !walk.halted[**vm]) {
            let Some(missing) = missing[walk.at[vm]] else { continue };
            let guest = &self.world.guests[vm];
            for host in guest.hosts.iter().filter(|host| Some(*host) != self.goals[vm] && self.fits(walk, vm, *host)) {
                let helps = self.memory(vm) >= missing;
                let bytes = self.memory(vm).saturating_add(guest.way(host).disk_bytes);
                halts.push(((!helps, bytes, Reverse(walk.desk.hosts[host].memory), vm, host), (vm, host)));
            }
        }
        halts.sort_unstable();
        halts.into_iter().map(|(_, halt)| halt).collect()
    }

    fn memory(&self, vm: usize) -> u64 {
        self.world.guests[vm].vm.memory_bytes
    }

    fn fits(&self, walk: &Walk, vm: usize, host: usize) -> bool {
        let Task { memory, disks, sets, .. } = self.world.task(vm, walk.at[vm], host);
        walk.desk.hosts[host].memory >= memory && walk.desk.has_space(disks, |_| 0) && walk.desk.is_apart(sets, host)
    }

    fn step(&self, walk: &mut Walk, vm: usize, host: usize) {
        let source = walk.at[vm];
        let task = self.world.task(vm, source, host);
        walk.desk.take(&task);
        walk.desk.give_back(&task);
        walk.at[vm] = host;
        walk.steps.push(Step { vm, source, destination: host });
    }
}
