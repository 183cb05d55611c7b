//! All plans of a small fleet, one move after the other, each VM moved at most twice: whether one of them moves all.

use std::collections::{BTreeMap, BTreeSet};

use model::{HostName, PlacementKind, VmId};
use planner::{Fleet, VmToMove};

/// A situation: where each VM is, how often it moved, and what is left of pools.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Situation {
    at: BTreeMap<VmId, (HostName, u8)>,
    pools: BTreeMap<(HostName, String), u64>,
}

/// Whether a plan exists that moves all VMs to where they may go, and keeps all rules.
pub fn all_can_move(fleet: &Fleet) -> bool {
    let at = fleet.vms.iter().map(|one| (one.vm, (one.source.clone(), 0))).collect();
    let pools = fleet
        .hosts
        .iter()
        .flat_map(|(name, room)| room.pools.iter().map(move |(pool, bytes)| ((name.clone(), pool.clone()), *bytes)));
    let first = Situation { at, pools: pools.collect() };
    let (mut open, mut seen) = (vec![first.clone()], BTreeSet::from([first]));
    while let Some(situation) = open.pop() {
        if is_end(fleet, &situation) {
            return true;
        }
        for one in &fleet.vms {
            for host in fleet.hosts.keys() {
                if let Some(next) = moved(fleet, &situation, one, host)
                    && seen.insert(next.clone())
                {
                    open.push(next);
                }
            }
        }
    }
    false
}

fn is_end(fleet: &Fleet, situation: &Situation) -> bool {
    let arrived = |one: &VmToMove| {
        let (at, moves) = &situation.at[&one.vm];
        *moves > 0 && *at != one.source && one.destination.as_ref().is_none_or(|asked| asked == at)
    };
    let place = |vm: &VmId| situation.at.get(vm).map(|(at, _)| at).or_else(|| fleet.others.get(vm));
    let before = |vm: &VmId| {
        let moving = fleet.vms.iter().find(|one| one.vm == *vm).map(|one| &one.source);
        moving.or_else(|| fleet.others.get(vm))
    };
    let together = fleet.rules.rules.iter().filter(|rule| rule.kind == PlacementKind::KeepTogether);
    fleet.vms.iter().all(arrived)
        && together.clone().all(|rule| {
            let after: BTreeSet<&HostName> = rule.vms.iter().filter_map(place).collect();
            let before: BTreeSet<&HostName> = rule.vms.iter().filter_map(before).collect();
            after.len() <= before.len().max(1)
        })
}

fn moved(fleet: &Fleet, situation: &Situation, one: &VmToMove, host: &HostName) -> Option<Situation> {
    let (at, moves) = &situation.at[&one.vm];
    let room = &fleet.hosts[host];
    let pair = one.pairs.get(host);
    if *moves == 2 || at == host || *host == one.source || !room.takes || pair.is_some_and(|pair| pair.refused) {
        return None;
    }
    // What came is taken, what left is free.
    let (mut free, mut next) = (i128::from(room.memory_bytes), situation.clone());
    for other in &fleet.vms {
        let (place, _) = &situation.at[&other.vm];
        let came = i128::from(place == host && other.source != *host);
        let left = i128::from(place != host && other.source == *host);
        free += (left - came) * i128::from(other.memory_bytes);
    }
    if free < i128::from(one.memory_bytes) {
        return None;
    }
    for (pool, bytes) in pair.iter().flat_map(|pair| &pair.disks) {
        if let Some(free) = next.pools.get_mut(&(host.clone(), pool.clone())) {
            *free = free.checked_sub(*bytes)?;
        }
    }
    let is_there = |vm: &VmId| {
        *vm != one.vm && situation.at.get(vm).map(|(at, _)| at).or_else(|| fleet.others.get(vm)) == Some(host)
    };
    let breaks = fleet.rules.rules.iter().filter(|rule| rule.vms.contains(&one.vm)).any(|rule| match &rule.kind {
        PlacementKind::KeepApart => rule.vms.iter().any(is_there),
        PlacementKind::MayRunOn(hosts) => !hosts.contains(host),
        PlacementKind::KeepTogether => false,
    });
    next.at.insert(one.vm, (host.clone(), moves + 1));
    (!breaks).then_some(next)
}
