//! The simulated hosts and their VMs. At rest they cost nothing: a VM is an entry in a table.

use engine::{
    CopyFacts, HostConfig,
    testing::{Load, Sim},
};
use model::{HostName, VmId, VmState};

use crate::dice::Dice;

/// What VMs are for; a VM's name begins with it, and it is one of its tags.
const ROLES: [&str; 24] = [
    "api", "build", "cache", "db", "edge", "files", "git", "hub", "index", "jobs", "kafka", "ldap", "mail", "nfs",
    "ops", "proxy", "queue", "redis", "search", "test", "user", "vpn", "web", "zone",
];
/// Where they belong, the second tag.
const STAGES: [&str; 4] = ["prod", "prod", "staging", "dev"];
/// Hosts of a rack; the rack begins their names.
const RACK: usize = 10;
/// Versions of libvirt, all of which can recover a post-copy.
const VERSIONS: [&str; 4] = ["9.0.0", "10.0.0", "11.8.0", "12.1.0"];
/// Sizes of VMs, in bytes.
const SIZES: [u64; 5] = [256 << 20, 512 << 20, 512 << 20, 1 << 30, 2 << 30];
/// What guests write, in bytes a second. The hosts send 32 MiB/s: one in six of them writes faster than it can be sent.
const WRITES: [u64; 6] = [0, 1 << 20, 2 << 20, 8 << 20, 16 << 20, 48 << 20];
/// States of VMs: of ten, eight run.
const STATES: [VmState; 10] = {
    let mut states = [VmState::Running; 10];
    states[7] = VmState::ShutOff;
    states[8] = VmState::ShutOff;
    states
};
/// One in this many is paused, in place of its state above.
const PAUSED: usize = 40;

/// All there is.
pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) hosts: Vec<HostConfig>,
    pub(crate) vms: Vec<VmId>,
}

impl World {
    /// Makes hosts that are all reachable, with as many VMs on each.
    pub(crate) fn new(hosts: usize, vms: usize, seed: u64) -> Self {
        let (sim, mut dice) = (Sim::new(), Dice::new(seed));
        let hosts: Vec<HostConfig> = (0..hosts)
            .map(|number| {
                let host = sim.add_host(&format!("rack{:02}-{:02}", number / RACK + 1, number % RACK + 1));
                let version = *dice.one_of(&VERSIONS);
                sim.update_libvirt(&host.name, version);
                host
            })
            .collect();
        let vms = (0..vms).map(|number| add_vm(&sim, &hosts[number % hosts.len()].name, number, &mut dice)).collect();
        Self { sim, hosts, vms }
    }
}

fn add_vm(sim: &Sim, host: &HostName, number: usize, dice: &mut Dice) -> VmId {
    let (role, stage) = (*dice.one_of(&ROLES), *dice.one_of(&STAGES));
    let state = if dice.below(PAUSED) == 0 { VmState::Paused } else { *dice.one_of(&STATES) };
    let load = Load { memory_bytes: *dice.one_of(&SIZES), dirty_bytes_s: *dice.one_of(&WRITES) };
    let vm = sim.add_vm(host, &format!("{role}-{number:05}"), state, load);
    sim.lease(host, vm, &format!("10.{}.{}.{}", number >> 16, number >> 8 & 0xff, number & 0xff));
    let copy = sim.copy(host, vm).expect("it was just put there");
    let vcpus = 1 << dice.below(4);
    let title = (dice.below(3) == 0).then(|| format!("{role} of {stage}, number {number}"));
    let tags = vec![role.to_owned(), stage.to_owned()];
    sim.put(host, CopyFacts { title, tags, vcpus, vcpus_max: vcpus, ..copy });
    vm
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[tokio::test]
    async fn there_are_as_many_as_asked_for_and_the_same_each_time() {
        let [first, second] = [World::new(20, 400, 7), World::new(20, 400, 7)];
        let copies = |world: &World| -> Vec<_> {
            let found = world.hosts.iter().flat_map(|host| world.vms.iter().map(|vm| world.sim.copy(&host.name, *vm)));
            found.flatten().map(|copy| (copy.name, copy.state, copy.tags, copy.memory_bytes)).collect()
        };
        assert_eq!(copies(&first), copies(&second));
        let names: BTreeSet<_> = copies(&first).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names.len(), 400);
        let states: BTreeSet<_> = copies(&first).into_iter().map(|(_, state, ..)| format!("{state:?}")).collect();
        assert!(states.is_superset(&["Running", "ShutOff", "Paused"].map(str::to_owned).into()), "{states:?}");
    }
}
