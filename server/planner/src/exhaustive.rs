//! Every plan of a small fleet, one move after the other: the one that moves most.

use std::collections::HashSet;

use crate::{
    desk::Desk,
    sequence::Step,
    world::World,
    worth::{Worth, keeps_together},
};

/// How many different situations are looked at.
const SITUATIONS: usize = 20_000;

/// A fleet of more VMs is not looked through.
const VMS: usize = 8;

/// The plan that moves most, if all of them could be looked at, or one was found that moves all.
pub(crate) fn exhaustive(world: &World) -> Option<Vec<Step>> {
    let vms = world.guests.len();
    if vms > VMS {
        return None;
    }
    let at: Vec<(usize, Phase)> = world.guests.iter().map(|guest| (guest.source, Phase::Source)).collect();
    let nothing = Worth::of(world, &vec![false; vms]);
    let mut search =
        Search { world, desk: world.desk(), at, steps: Vec::new(), seen: HashSet::new(), best: (nothing, Vec::new()) };
    search.look();
    Some(search.best.1)
}

/// Where each VM is and how far, and what is free in pools: space is not given back.
type Situation = (Vec<(usize, Phase)>, Vec<u64>);

/// How far a VM is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Source,
    Halt,
    Goal,
}

struct Search<'a> {
    world: &'a World<'a>,
    desk: Desk,
    at: Vec<(usize, Phase)>,
    steps: Vec<Step>,
    seen: HashSet<Situation>,
    best: (Worth, Vec<Step>),
}

impl Search<'_> {
    /// Looks at all that can come of the situation; true once all have moved.
    fn look(&mut self) -> bool {
        if self.seen.len() >= SITUATIONS || !self.seen.insert((self.at.clone(), self.desk.pools.clone())) {
            return false;
        }
        if self.is_better() && self.best.0.is_all() {
            return true;
        }
        for phase in [Phase::Goal, Phase::Halt] {
            for vm in 0..self.at.len() {
                let (_, from) = self.at[vm];
                if from == Phase::Goal || (phase, from) == (Phase::Halt, Phase::Halt) {
                    continue;
                }
                let guest = &self.world.guests[vm];
                let hosts = if phase == Phase::Goal { guest.goals() } else { guest.hosts.clone() };
                for host in hosts.iter() {
                    if self.try_move(vm, host, phase) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Moves a VM, looks what comes of it, and moves it back.
    fn try_move(&mut self, vm: usize, host: usize, phase: Phase) -> bool {
        let world = self.world;
        let before = self.at[vm];
        let task = world.task(vm, before.0, host);
        let is_useless = host == before.0 || (phase == Phase::Halt && world.guests[vm].asked == Some(host));
        if is_useless
            || self.desk.hosts[host].memory < task.memory
            || !self.desk.has_space(task.disks, |_| 0)
            || !self.desk.is_apart(task.sets, host)
        {
            return false;
        }
        self.desk.take(&task);
        self.desk.give_back(&task);
        self.at[vm] = (host, phase);
        self.steps.push(Step { vm, source: before.0, destination: host });
        let is_done = self.look();
        self.steps.pop();
        self.at[vm] = before;
        self.desk.give_back(&world.task(vm, host, before.0));
        self.desk.free_pools(&task);
        self.desk.retake(&task);
        is_done
    }

    /// Keeps the situation if it may be the end and is better than what was found.
    fn is_better(&mut self) -> bool {
        let is_end = self.at.iter().all(|(_, phase)| *phase != Phase::Halt);
        let moved: Vec<bool> = self.at.iter().map(|(_, phase)| *phase == Phase::Goal).collect();
        let worth = Worth::of(self.world, &moved);
        let is_better = is_end
            && (&worth, self.best.1.len()) > (&self.best.0, self.steps.len())
            && keeps_together(self.world, |vm| self.at[vm].0);
        if is_better {
            self.best = (worth, self.steps.clone());
        }
        is_better
    }
}
