//! Fleets made from a seed.

use std::collections::BTreeMap;

use model::{HostName, Mode, PlacementKind, PlacementRule, PlacementRules, VmId};
use planner::{Fleet, HostRoom, Pair, VmToMove};
use uuid::Uuid;

use super::Dice;

pub const MIB: u64 = 1 << 20;
pub const GIB: u64 = 1 << 30;

pub fn host(number: u64) -> HostName {
    format!("h{number:03}").parse().unwrap()
}

pub fn vm(number: u64) -> VmId {
    VmId(Uuid::from_u64_pair(1, number))
}

pub fn to_move(number: u64, source: &HostName, memory: u64) -> VmToMove {
    VmToMove {
        vm: vm(number),
        source: source.clone(),
        destination: None,
        mode: Mode::Live,
        memory_bytes: memory,
        vcpus: 2,
        sends_bytes: memory,
        dirty_bytes_s: 0,
        longest_pause_ms: 1000,
        pairs: BTreeMap::new(),
    }
}

pub fn room(memory: u64) -> HostRoom {
    HostRoom {
        takes: true,
        memory_bytes: memory,
        cpus: 64,
        vcpus: 64,
        pools: BTreeMap::new(),
        outgoing_bytes_s: Some(1_170_000_000),
        incoming_bytes_s: Some(1_170_000_000),
        each_bytes_s: None,
    }
}

pub fn rule(name: &str, vms: Vec<VmId>, kind: PlacementKind) -> PlacementRule {
    PlacementRule { name: name.to_owned(), vms, kind }
}

/// How large a fleet is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub hosts: u64,
    /// How many of them are emptied.
    pub emptied: u64,
    pub vms_a_host: u64,
}

/// A large fleet with room, of which some hosts are emptied: links of 10 and 25 Gbit/s, VMs of 1 to 64 GiB, some of them busy.
pub fn large(seed: u64, size: Size) -> Fleet {
    let mut dice = Dice::new(seed);
    let each = *dice.pick(&[None, Some(700_000_000), Some(1_100_000_000)]);
    let mut fleet = Fleet::default();
    let mut others = 1_000_000;
    let mut needed = 0;
    for number in 0..size.emptied {
        for _ in 0..dice.between(size.vms_a_host / 2, size.vms_a_host * 3 / 2) {
            let memory = [1, 2, 4, 4, 8, 8, 16, 16, 32, 64][dice.between(0, 9) as usize] * GIB;
            let mut one = to_move(fleet.vms.len() as u64, &host(number), memory + 300 * MIB);
            one.sends_bytes = memory / 100 * dice.between(30, 100);
            one.dirty_bytes_s = if dice.percent(70) { dice.between(0, 5 * MIB) } else { dice.between(0, 300 * MIB) };
            one.vcpus = dice.between(1, 8) as u32;
            needed += one.memory_bytes;
            fleet.vms.push(one);
        }
    }
    let free = needed / (size.hosts - size.emptied) * dice.between(115, 220) / 100 + 70 * GIB;
    for number in 0..size.hosts {
        let link = Some(if dice.percent(75) { 1_170_000_000 } else { 2_900_000_000 });
        let mut room = room(free / 100 * dice.between(80, 120));
        room.takes = number >= size.emptied;
        (room.outgoing_bytes_s, room.incoming_bytes_s, room.each_bytes_s) = (link, link, each);
        room.vcpus = dice.between(64, 200) as u32;
        fleet.hosts.insert(host(number), room);
        if room_takes(&fleet, number) {
            for _ in 0..size.vms_a_host {
                fleet.others.insert(vm(others), host(number));
                others += 1;
            }
        }
    }
    let count = fleet.vms.len() as u64 / 40;
    fleet.rules = rules(&mut dice, &fleet, count);
    fleet
}

fn room_takes(fleet: &Fleet, number: u64) -> bool {
    fleet.hosts[&host(number)].takes
}

/// Some rules of each kind.
fn rules(dice: &mut Dice, fleet: &Fleet, count: u64) -> PlacementRules {
    let mut rules = PlacementRules::default();
    let others: Vec<VmId> = fleet.others.keys().copied().collect();
    let hosts: Vec<HostName> = fleet.hosts.keys().cloned().collect();
    for number in 0..count {
        let mut vms: Vec<VmId> =
            (0..dice.between(1, 3)).filter(|_| !fleet.vms.is_empty()).map(|_| dice.pick(&fleet.vms).vm).collect();
        let kind = match dice.between(0, 2) {
            0 => PlacementKind::KeepApart,
            1 => PlacementKind::KeepTogether,
            _ => PlacementKind::MayRunOn(hosts.iter().filter(|_| dice.percent(60)).cloned().collect()),
        };
        if kind == PlacementKind::KeepApart && !others.is_empty() {
            vms.extend((0..dice.between(0, 2)).map(|_| *dice.pick(&others)));
        }
        rules.rules.push(rule(&format!("rule {number}"), vms, kind));
    }
    for one in &fleet.vms {
        if dice.percent(5) {
            rules.priorities.insert(one.vm, dice.between(0, 20) as i8 - 10);
        }
    }
    rules
}

/// A fleet of three hosts and up to six VMs that mostly change places, with a little more room than none.
pub fn small(seed: u64) -> Fleet {
    let mut dice = Dice::new(seed);
    let mut fleet = Fleet::default();
    for number in 0..3 {
        let mut room = room(dice.between(0, 6) * GIB);
        room.pools.insert("images".to_owned(), dice.between(4, 12) * GIB);
        fleet.hosts.insert(host(number), room);
    }
    let vms = dice.between(1, 6);
    for number in 0..vms {
        let at = dice.between(0, 2);
        let mut one = to_move(number, &host(at), dice.between(1, 5) * GIB);
        one.destination = dice.percent(70).then(|| host((at + dice.between(1, 2)) % 3));
        if dice.percent(10) {
            let disks = BTreeMap::from([("images".to_owned(), dice.between(1, 4) * GIB)]);
            one.pairs.insert(host(dice.between(0, 2)), Pair { disks, refused: dice.percent(30), against: 0 });
        }
        fleet.vms.push(one);
    }
    if dice.percent(30) {
        fleet.rules = rules(&mut dice, &fleet, 1);
    }
    fleet
}

/// A fleet of 2 to `hosts` hosts that are close to full, with rules, pairs that are refused, and disks that are copied. Hosts are emptied,
/// or VMs of several hosts go to others, some of them where they were asked to.
pub fn tight(seed: u64, hosts: u64, vms: u64) -> Fleet {
    let mut dice = Dice::new(seed);
    let hosts = dice.between(2, hosts);
    let mut fleet = Fleet::default();
    for number in 0..hosts {
        let mut room = room(0);
        room.takes = dice.percent(80);
        (room.cpus, room.vcpus) = (dice.between(0, 16) as u32, dice.between(0, 40) as u32);
        room.outgoing_bytes_s = dice.percent(80).then(|| dice.between(50, 2000) * 1_000_000);
        room.incoming_bytes_s = dice.percent(80).then(|| dice.between(50, 2000) * 1_000_000);
        room.each_bytes_s = dice.percent(40).then(|| dice.between(50, 1000) * 1_000_000);
        room.pools.insert("images".to_owned(), dice.between(0, 60) * GIB);
        fleet.hosts.insert(host(number), room);
    }
    for number in 0..dice.between(1, vms) {
        let at = host(dice.between(0, hosts - 1));
        if dice.percent(25) {
            fleet.others.insert(vm(number), at);
            continue;
        }
        let mut one = to_move(number, &at, dice.between(1, 8) * GIB);
        one.dirty_bytes_s = dice.between(0, 2) * dice.between(0, 60 * MIB);
        let asked = host(dice.between(0, hosts - 1));
        one.destination = (dice.percent(35) && asked != at).then_some(asked);
        for other in 0..hosts {
            let disks = if dice.percent(15) { dice.between(1, 20) * GIB } else { 0 };
            let pair = Pair {
                refused: dice.percent(8),
                against: dice.between(0, 3).saturating_sub(2) as u32,
                disks: (disks > 0).then(|| ("images".to_owned(), disks)).into_iter().collect(),
            };
            if pair.refused || pair.against > 0 || disks > 0 {
                one.pairs.insert(host(other), pair);
            }
        }
        fleet.vms.push(one);
    }
    // As much room as is needed, more or less.
    let all: u64 = fleet.vms.iter().map(|one| one.memory_bytes).sum();
    let share = all / hosts * dice.between(10, 130) / 100;
    for room in fleet.hosts.values_mut() {
        room.memory_bytes = share / 100 * dice.between(20, 180);
    }
    let count = dice.between(0, 4);
    fleet.rules = rules(&mut dice, &fleet, count);
    fleet
}
