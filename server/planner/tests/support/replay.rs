//! A plan carried out by [`planner::next()`], as the engine does it: whether moves begin when the plan says so.

use std::collections::BTreeMap;

use planner::{END_MS, Fleet, Move, Placement, Queue, READY_MS, Running, Stage, Waiting, next};

/// The first moment at which other moves begin than the plan says, in words.
pub fn difference(fleet: &Fleet, placement: &Placement) -> Option<String> {
    let vms: BTreeMap<_, _> = fleet.vms.iter().map(|one| (one.vm, one)).collect();
    let sent = |one: &Move| one.at_ms[1] - END_MS;
    let mut times: Vec<u64> =
        placement.moves.iter().flat_map(|one| [0, sent(one) - READY_MS, sent(one), one.at_ms[1]]).collect();
    times.sort_unstable();
    times.dedup();
    for now in times {
        let mut queue = Queue { hosts: fleet.hosts.clone(), rules: fleet.rules.clone(), ..Queue::default() };
        queue.places.clone_from(&fleet.others);
        queue.places.extend(fleet.vms.iter().map(|one| (one.vm, one.source.clone())));
        let (mut numbers, mut expected) = (Vec::new(), Vec::new());
        let mut moves: Vec<(usize, &Move)> = placement.moves.iter().enumerate().collect();
        moves.sort_by_key(|(_, one)| one.at_ms[1]);
        for (_, one) in moves.iter().filter(|(_, one)| one.at_ms[1] <= now) {
            queue.places.insert(one.vm, one.destination.clone());
        }
        for one in placement.moves.iter().filter(|one| one.at_ms[1] <= now) {
            if let Some(room) = queue.hosts.get_mut(&one.source) {
                room.memory_bytes += vms[&one.vm].memory_bytes;
            }
        }
        for (number, one) in placement.moves.iter().enumerate() {
            let vm = vms[&one.vm];
            let [begins, ends] = one.at_ms;
            if begins >= now {
                numbers.push(number);
                queue.waiting.push(Waiting { vm, source: &one.source, destination: &one.destination });
                expected.extend((begins == now).then_some(number));
                continue;
            }
            let there = queue.hosts.get_mut(&one.destination).unwrap();
            there.memory_bytes -= vm.memory_bytes;
            for (pool, bytes) in vm.pairs.get(&one.destination).iter().flat_map(|pair| &pair.disks) {
                if let Some(free) = there.pools.get_mut(pool) {
                    *free -= bytes;
                }
            }
            if ends > now {
                let stage = if sent(one) <= now { Stage::Ending } else { Stage::Sending };
                queue.running.push(Running {
                    vm: one.vm,
                    source: &one.source,
                    destination: &one.destination,
                    bytes_s: one.bytes_s,
                    stage,
                    left_ms: Some(sent(one).saturating_sub(now)),
                });
            }
        }
        let begun = next(&queue);
        let numbers: Vec<usize> = begun.iter().map(|begin| numbers[begin.index]).collect();
        let shares: Vec<_> = begun.iter().map(|begin| begin.bytes_s).collect();
        let planned: Vec<_> = expected.iter().map(|number| placement.moves[*number].bytes_s).collect();
        if numbers != expected || shares != planned {
            return Some(format!("at {now} begin {numbers:?} with {shares:?}, not {expected:?} with {planned:?}"));
        }
    }
    None
}
