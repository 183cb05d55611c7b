//! What a plan takes at least: what has to be sent, over what the links carry.

use std::collections::BTreeMap;

use crate::{
    hosts::HostSet,
    links::{memory_bytes, sending_ms},
    world::World,
};

/// How many different sets of possible destinations are looked at.
const MOST_SETS: usize = 64;

/// What moving these VMs takes at least, in ms: the longest of what each host has to send over its link, of what hosts have to receive over
/// theirs, and of the longest move, if all else stood still. Making ready and ending is left out.
pub(crate) fn bound_ms(world: &World, vms: impl Iterator<Item = usize>) -> u64 {
    let mut sent = vec![0u64; world.names.len()];
    let mut received: BTreeMap<HostSet, Need> = BTreeMap::new();
    let mut longest = 0;
    for vm in vms {
        let guest = &world.guests[vm];
        let goals = guest.goals();
        let links = world.names.links(guest.source);
        let Some(rate) = goals.iter().map(|host| links.alone(&world.names.links(host))).max() else { continue };
        let memory = memory_bytes(guest.vm.sends_bytes, guest.vm.dirty_bytes_s, rate);
        let bytes =
            memory.saturating_add(goals.iter().map(|host| guest.way(host).disk_bytes).min().unwrap_or_default());
        sent[guest.source] = sent[guest.source].saturating_add(bytes);
        received.entry(goals).or_default().add(bytes, guest.vm.memory_bytes);
        longest = longest.max(sending_ms(bytes, rate));
    }
    let outgoing = |(host, bytes): (usize, &u64)| sending_ms(*bytes, world.names.links(host).most_outgoing());
    let out = sent.iter().enumerate().map(outgoing).max().unwrap_or_default();
    longest.max(out).max(incoming_ms(world, &received))
}

/// What is received.
#[derive(Clone, Copy, Debug, Default)]
struct Need {
    bytes: u64,
    /// The most bytes that are sent for each MiB of memory that is taken.
    dense: u64,
}

const MIB: u64 = 1 << 20;

impl Need {
    fn add(&mut self, bytes: u64, memory: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.dense = self.dense.max(bytes.saturating_mul(MIB).checked_div(memory).map_or(u64::MAX, |dense| dense + 1));
    }
}

/// What hosts have to receive over their links, in ms, for the VMs that can go to these hosts only.
fn incoming_ms(world: &World, received: &BTreeMap<HostSet, Need>) -> u64 {
    let mut leaving = vec![0u64; world.names.len()];
    for guest in &world.guests {
        leaving[guest.source] = leaving[guest.source].saturating_add(guest.vm.memory_bytes);
    }
    let everywhere: HostSet = (0..world.names.len()).collect();
    let sets = received.keys().take(MOST_SETS).chain([&everywhere]);
    let of = |hosts: &HostSet| {
        let mut need = Need::default();
        let mut goals = vec![false; world.names.len()];
        for (set, more) in received.iter().filter(|(set, _)| set.is_within(hosts)) {
            need.bytes = need.bytes.saturating_add(more.bytes);
            need.dense = need.dense.max(more.dense);
            set.iter().for_each(|host| goals[host] = true);
        }
        let goals: Vec<usize> = (0..goals.len()).filter(|host| goals[*host]).collect();
        shared_ms(world, &leaving, &goals, need)
    };
    sets.map(of).max().unwrap_or_default()
}

/// How long these hosts need to receive so much: each no faster than its link, and no more than its memory holds.
fn shared_ms(world: &World, leaving: &[u64], goals: &[usize], need: Need) -> u64 {
    let links = |host: usize| world.names.links(host).incoming;
    let holds = |host: usize| {
        let memory = world.names.room(host).map_or(0, |room| room.memory_bytes).saturating_add(leaving[host]);
        u64::try_from(u128::from(memory) * u128::from(need.dense) / u128::from(MIB)).unwrap_or(u64::MAX)
    };
    let mut left = need.bytes;
    let mut hosts: Vec<(u64, u64)> = goals.iter().map(|host| (links(*host), holds(*host))).collect();
    // Those that are full soonest first: what they hold is no longer to be received by the others.
    hosts.sort_by_key(|(link, holds)| sending_ms(*holds, *link));
    let mut rate: u64 = hosts.iter().fold(0, |all, (link, _)| all.saturating_add(*link));
    for (link, holds) in hosts {
        let time = sending_ms(left, rate);
        if sending_ms(holds, link) >= time {
            return time;
        }
        left = left.saturating_sub(holds);
        rate = rate.saturating_sub(link);
    }
    0
}
