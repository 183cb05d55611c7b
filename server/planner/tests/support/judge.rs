//! A judge of plans: goes through the moves by their times, and looks at each moment whether all that has to hold does.

use std::collections::{BTreeMap, BTreeSet};

use model::{HostName, PlacementKind, VmId};
use planner::{AT_ONCE, Fleet, Move, Placement};

use super::fleets::host;

/// What a plan does wrong, in words.
pub fn faults(fleet: &Fleet, placement: &Placement) -> Vec<String> {
    let mut judge = Judge::new(fleet);
    judge.whole(placement);
    let mut events: Vec<(u64, bool, usize)> = Vec::new();
    for (number, one) in placement.moves.iter().enumerate() {
        events.push((one.at_ms[0], true, number));
        events.push((one.at_ms[1], false, number));
    }
    // Of one time, ends come before beginnings.
    events.sort_unstable();
    for (_, begins, number) in events {
        if begins { judge.begins(&placement.moves[number]) } else { judge.ends(&placement.moves[number]) }
    }
    judge.after();
    judge.faults
}

struct Judge<'a> {
    fleet: &'a Fleet,
    faults: Vec<String>,
    memory: BTreeMap<HostName, i128>,
    pools: BTreeMap<(HostName, String), i128>,
    /// Where VMs are: on two hosts while they move.
    places: BTreeMap<VmId, Vec<HostName>>,
}

impl<'a> Judge<'a> {
    fn new(fleet: &'a Fleet) -> Self {
        let mut places: BTreeMap<VmId, Vec<HostName>> =
            fleet.others.iter().map(|(vm, host)| (*vm, vec![host.clone()])).collect();
        places.extend(fleet.vms.iter().map(|one| (one.vm, vec![one.source.clone()])));
        let memory = fleet.hosts.iter().map(|(name, room)| (name.clone(), i128::from(room.memory_bytes))).collect();
        let pools = fleet.hosts.iter().flat_map(|(name, room)| {
            room.pools.iter().map(move |(pool, bytes)| ((name.clone(), pool.clone()), i128::from(*bytes)))
        });
        Self { fleet, faults: Vec::new(), memory, pools: pools.collect(), places }
    }

    fn fault(&mut self, sentence: String) {
        self.faults.push(sentence);
    }

    /// Each VM moves once, or twice over a third host, or is named.
    fn whole(&mut self, placement: &Placement) {
        for one in &self.fleet.vms {
            let moves: Vec<&Move> = placement.moves.iter().filter(|planned| planned.vm == one.vm).collect();
            let halts: Vec<bool> = moves.iter().map(|planned| planned.is_halt).collect();
            let is_without = placement.without.contains_key(&one.vm);
            let is_right = match halts.as_slice() {
                [] => is_without,
                [false] | [true, false] => !is_without,
                _ => false,
            };
            if !is_right {
                self.faults.push(format!("{:?} has moves {halts:?}, without {is_without}", one.vm));
            }
            if let (Some(last), Some(asked)) = (moves.last(), &one.destination)
                && last.destination != *asked
            {
                self.faults.push(format!("{:?} does not go where it was asked to", one.vm));
            }
        }
        let latest = placement.moves.iter().map(|planned| planned.at_ms[1]).max().unwrap_or_default();
        if latest != placement.total_ms {
            self.fault(format!("ends at {latest}, not {}", placement.total_ms));
        }
        if placement.bound_ms > placement.total_ms {
            self.fault(format!("takes {}, less than its bound {}", placement.total_ms, placement.bound_ms));
        }
    }

    fn begins(&mut self, one: &Move) {
        let to_move = self.fleet.vms.iter().find(|vm| vm.vm == one.vm).unwrap();
        let there = &one.destination;
        if self.places[&one.vm] != vec![one.source.clone()] {
            self.fault(format!("{:?} is at {:?}, not at {}", one.vm, self.places[&one.vm], one.source));
        }
        if one.source == one.destination || !self.fleet.hosts.get(there).is_some_and(|room| room.takes) {
            self.fault(format!("{there} takes nothing"));
            return;
        }
        let memory = self.memory.get_mut(there).unwrap();
        *memory -= i128::from(to_move.memory_bytes);
        if *memory < 0 {
            let sentence = format!("{there} is overcommitted by {}", -*memory);
            self.fault(sentence);
        }
        if let Some(pair) = to_move.pairs.get(there) {
            if pair.refused {
                self.fault(format!("{:?} is refused by {there}", one.vm));
            }
            for (pool, bytes) in &pair.disks {
                let Some(free) = self.pools.get_mut(&(there.clone(), pool.clone())) else { continue };
                *free -= i128::from(*bytes);
                if *free < 0 {
                    self.faults.push(format!("{pool} of {there} is overcommitted"));
                }
            }
        }
        self.rules(one);
        self.places.get_mut(&one.vm).unwrap().push(there.clone());
    }

    fn rules(&mut self, one: &Move) {
        for rule in self.fleet.rules.rules.iter().filter(|rule| rule.vms.contains(&one.vm)) {
            let is_broken = match &rule.kind {
                PlacementKind::KeepApart => rule
                    .vms
                    .iter()
                    .filter(|vm| **vm != one.vm)
                    .any(|vm| self.places.get(vm).is_some_and(|at| at.contains(&one.destination))),
                PlacementKind::MayRunOn(hosts) => !hosts.contains(&one.destination),
                PlacementKind::KeepTogether => false,
            };
            if is_broken {
                self.faults.push(format!("{} is broken by {:?} on {}", rule.name, one.vm, one.destination));
            }
        }
    }

    fn ends(&mut self, one: &Move) {
        let to_move = self.fleet.vms.iter().find(|vm| vm.vm == one.vm).unwrap();
        if let Some(memory) = self.memory.get_mut(&one.source) {
            *memory += i128::from(to_move.memory_bytes);
        }
        self.places.insert(one.vm, vec![one.destination.clone()]);
    }

    /// VMs kept together are on one host, or on no more hosts than before.
    fn after(&mut self) {
        for rule in self.fleet.rules.rules.iter().filter(|rule| rule.kind == PlacementKind::KeepTogether) {
            let before: BTreeSet<&HostName> = rule.vms.iter().filter_map(|vm| self.before(*vm)).collect();
            let after: BTreeSet<&HostName> = rule.vms.iter().filter_map(|vm| self.places.get(vm)).flatten().collect();
            if after.len() > before.len().max(1) {
                self.faults.push(format!("{} was on {before:?}, and is on {after:?}", rule.name));
            }
        }
    }

    fn before(&self, vm: VmId) -> Option<&HostName> {
        let moving = self.fleet.vms.iter().find(|one| one.vm == vm).map(|one| &one.source);
        moving.or_else(|| self.fleet.others.get(&vm))
    }
}

/// One of the hosts of a move.
type End = fn(&Move) -> &HostName;

/// The most that a plan lets begin at once away from a host, and what its links carry at most.
pub fn link_faults(fleet: &Fleet, placement: &Placement) -> Vec<String> {
    let mut faults = Vec::new();
    for number in 0..fleet.hosts.len() as u64 {
        let name = host(number);
        let Some(room) = fleet.hosts.get(&name) else { continue };
        let ends: [(End, Option<u64>); 2] =
            [(|one| &one.source, room.outgoing_bytes_s), (|one| &one.destination, room.incoming_bytes_s)];
        for (end, budget) in ends {
            let mut events: Vec<(u64, i64, i128)> = Vec::new();
            for one in placement.moves.iter().filter(|one| *end(one) == name) {
                let sends = [one.at_ms[0] + planner::READY_MS, one.at_ms[1] - planner::END_MS];
                let used = i128::from(one.bytes_s.unwrap_or_default());
                events.push((one.at_ms[0], 1, 0));
                events.push((sends[0], 0, used));
                events.push((sends[1], -1, -used));
            }
            events.sort_unstable();
            let (mut moves, mut used) = (0, 0);
            for (at, more, bytes_s) in events {
                (moves, used) = (moves + more, used + bytes_s);
                if moves > i64::from(AT_ONCE) || budget.is_some_and(|budget| used > i128::from(budget)) {
                    faults.push(format!("{name} at {at}: {moves} moves use {used} of {budget:?}"));
                }
            }
        }
    }
    faults
}
