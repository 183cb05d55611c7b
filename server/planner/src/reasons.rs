//! Why a VM goes to a host, and why another found none.

use model::Why;

use crate::{
    NoPlace,
    desk::{Desk, Task},
    units::Units,
    world::World,
};

/// The hosts once a plan is carried out, and what that says of its VMs.
pub(crate) struct Reasons<'w> {
    world: &'w World<'w>,
    units: &'w Units,
    after: Desk,
}

impl<'w> Reasons<'w> {
    pub(crate) fn new(world: &'w World<'w>, units: &'w Units, tasks: &[Task]) -> Self {
        let mut after = world.desk();
        // What leaves first, so that no host seems to have had too little meanwhile.
        tasks.iter().for_each(|task| after.give_back(task));
        tasks.iter().for_each(|task| after.take(task));
        Self { world, units, after }
    }

    /// Why a VM goes where a move brings it.
    pub(crate) fn why(&self, task: &Task) -> Why {
        let guest = &self.world.guests[task.vm];
        let unit = &self.units.all[self.units.of[task.vm]];
        match unit.rule {
            _ if guest.asked == Some(task.destination) => Why::Asked,
            Some(rule) if unit.goals.contains(task.destination) => {
                Why::Together(self.world.rules.name(rule).to_owned())
            }
            _ if guest.goals().len() == 1 && guest.goals().contains(task.destination) => Why::OnlyOne,
            _ => Why::Soonest { free_bytes: self.after.hosts[task.destination].memory },
        }
    }

    /// Why a VM found no host: the first of what keeps it from every host.
    pub(crate) fn no_place(&self, vm: usize) -> NoPlace {
        let world = self.world;
        let guest = &world.guests[vm];
        let unit = &self.units.all[self.units.of[vm]];
        let able = self.able(vm);
        if able.is_empty() {
            return NoPlace::Refused;
        }
        let rule = |rule: usize| NoPlace::Rule(world.rules.name(rule).to_owned());
        let goals: Vec<usize> = able.iter().copied().filter(|host| guest.hosts.contains(*host)).collect();
        if let (true, Some(forbids)) = (goals.is_empty(), world.rules.forbids(guest.vm.vm, world.names.name(able[0]))) {
            return rule(forbids);
        }
        if let (true, Some(together)) = (unit.goals.is_empty(), unit.rule) {
            return rule(together);
        }
        let missing = |host: usize, memory: u64| memory.saturating_sub(self.after.hosts[host].memory);
        let roomy: Vec<usize> =
            goals.iter().copied().filter(|host| missing(*host, guest.vm.memory_bytes) == 0).collect();
        if roomy.is_empty() {
            return self.memory(&goals, guest.vm.memory_bytes);
        }
        let lacks = |host: usize| self.lacks_space(vm, host);
        let spacious: Vec<usize> = roomy.iter().copied().filter(|host| lacks(*host).is_none()).collect();
        if spacious.is_empty() {
            let least = roomy.iter().filter_map(|host| lacks(*host).map(|(pool, bytes)| (bytes, *host, pool))).min();
            let (missing_bytes, host, pool) = least.unwrap_or_default();
            return NoPlace::Space { pool, host: world.names.name(host).clone(), missing_bytes };
        }
        let broken = |host: &usize| guest.sets.iter().find(|set| self.after.together(**set, *host) > 0);
        match spacious.iter().map(broken).collect::<Option<Vec<_>>>() {
            Some(sets) if !sets.is_empty() => rule(world.rules.rule_of(*sets[0])),
            _ => match unit.rule {
                Some(together) if unit.vms.len() > 1 => rule(together),
                // There is room at the end only, or for this one and not for another that lacks it, too.
                _ => self.memory(&spacious, guest.vm.memory_bytes),
            },
        }
    }

    /// The hosts that can take a VM by what is known of each, whatever the rules.
    fn able(&self, vm: usize) -> Vec<usize> {
        let guest = &self.world.guests[vm];
        let names = &self.world.names;
        let refuses = |host: usize| guest.vm.pairs.get(names.name(host)).is_some_and(|pair| pair.refused);
        let is_asked = |host: usize| guest.asked.is_none_or(|asked| asked == host);
        (0..names.len())
            .filter(|host| names.takes(*host) && *host != guest.source && is_asked(*host) && !refuses(*host))
            .collect()
    }

    /// The host that lacks least memory.
    fn memory(&self, hosts: &[usize], memory: u64) -> NoPlace {
        let missing = |host: &usize| memory.saturating_sub(self.after.hosts[*host].memory).max(1);
        let host = hosts.iter().copied().min_by_key(|host| (missing(host), *host)).unwrap_or_default();
        NoPlace::Memory { host: self.world.names.name(host).clone(), missing_bytes: missing(&host) }
    }

    /// The pool of a host that lacks most for a VM's disks.
    fn lacks_space(&self, vm: usize, host: usize) -> Option<(String, u64)> {
        let disks = self.world.guests[vm].vm.pairs.get(self.world.names.name(host)).map(|pair| &pair.disks)?;
        let numbered = self.world.guests[vm].way(host).disks.iter();
        let lacks = |((name, _), (pool, bytes)): ((&String, &u64), &(usize, u64))| {
            let missing = bytes.saturating_sub(self.after.pools[*pool]);
            (missing > 0).then(|| (name.clone(), missing))
        };
        disks.iter().zip(numbered).filter_map(lacks).max_by_key(|(_, missing)| *missing)
    }
}
