//! Which of two plans is better that do not move all.

use std::{cmp::Reverse, collections::BTreeMap, collections::BTreeSet};

use crate::world::World;

/// How much a plan moves: of two the greater is better. VMs of the higher priority count first, then how many, then their memory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Worth {
    /// How many move and how much memory they have, by priority, the highest first.
    moved: Vec<(usize, u64)>,
    is_all: bool,
}

impl Worth {
    pub(crate) fn of(world: &World, moved: &[bool]) -> Self {
        let mut by_priority: BTreeMap<Reverse<i8>, (usize, u64)> = BTreeMap::new();
        for (guest, moved) in world.guests.iter().zip(moved) {
            let (count, memory) = by_priority.entry(Reverse(guest.priority)).or_default();
            *count += usize::from(*moved);
            *memory += if *moved { guest.vm.memory_bytes } else { 0 };
        }
        Self { moved: by_priority.into_values().collect(), is_all: moved.iter().all(|moved| *moved) }
    }

    /// Whether all VMs move.
    pub(crate) fn is_all(&self) -> bool {
        self.is_all
    }
}

/// Whether VMs that are kept together are on one host once all are where they end, or on no more hosts than before.
pub(crate) fn keeps_together(world: &World, at: impl Fn(usize) -> usize) -> bool {
    world.rules.together().all(|(_, vms)| {
        let hosts = |moving: &dyn Fn(usize) -> usize| -> BTreeSet<usize> {
            let host = |vm| match world.numbers.get(vm) {
                Some(number) => Some(moving(*number)),
                None => world.others.get(vm).map(|host| world.names.number(host)),
            };
            vms.iter().filter_map(host).collect()
        };
        let before = hosts(&|vm| world.guests[vm].source);
        hosts(&at).len() <= before.len().max(1)
    })
}
