//! What the planner is given: what hosts have and VMs take, as the inventory knows it.

use std::collections::{BTreeMap, BTreeSet};

use model::{HostName, HostOrigin, Migration, Mode, Policy, Preflight, Severity, Treatment, Vm, VmId};
use planner::{HostRoom, Pair, VmToMove};

use crate::{
    inventory::{HostEntry, Inventory},
    preflight::memory_needed,
};

const MIB: u64 = 1 << 20;
/// How much a warning speaks against a host, and how much something unknown.
const WARNING: u32 = 10;
const UNKNOWN: u32 = 3;

/// What active VMs take on a host.
#[derive(Clone, Copy, Default)]
struct Taken {
    memory_bytes: u64,
    vcpus: u32,
}

/// What all hosts have for VMs that come. `home` are those that take VMs although they are in maintenance: theirs come home.
pub(super) fn rooms(inventory: &Inventory, home: &BTreeSet<HostName>) -> BTreeMap<HostName, HostRoom> {
    let mut taken: BTreeMap<&HostName, Taken> = BTreeMap::new();
    for vm in inventory.vms().flat_map(|vm| std::iter::once(vm).chain(&vm.twins)).filter(|vm| vm.state.is_active()) {
        let here = taken.entry(&vm.host).or_default();
        here.memory_bytes += memory_needed(vm.memory_bytes, vm.vcpus);
        here.vcpus += vm.vcpus;
    }
    let mut promised: BTreeMap<&HostName, u64> = BTreeMap::new();
    for Migration { vm, destination, .. } in inventory.open_migrations().filter(|open| open.mode == Mode::Live) {
        let needs = inventory.vm(*vm).map_or(0, |vm| memory_needed(vm.memory_bytes, vm.vcpus));
        *promised.entry(destination).or_default() += needs;
    }
    let registered = inventory.hosts().filter(|entry| entry.origin != HostOrigin::Temporary);
    let room = |entry: &HostEntry| {
        let name = entry.config.name.clone();
        let taken = taken.get(&name).copied().unwrap_or_default();
        let promised = promised.get(&name).copied().unwrap_or_default();
        let takes =
            inventory.connection(&name).is_ok() && (inventory.maintenance(&name).is_none() || home.contains(&name));
        (name, room(entry, taken, promised, takes))
    };
    registered.map(room).collect()
}

/// Of a host whose VMs were promised more memory than it has, its owners have decided so: what is free counts. Else its VMs may
/// come to use all that they were promised.
fn room(entry: &HostEntry, taken: Taken, promised: u64, takes: bool) -> HostRoom {
    let budget = entry.config.budget;
    let (all, free, cpus) =
        entry.facts.as_ref().map_or((0, 0, 0), |facts| (facts.memory_bytes, facts.memory_free_bytes, facts.cpus));
    let unpromised = all.checked_sub(taken.memory_bytes).unwrap_or(u64::MAX);
    let reserve = u64::from(budget.memory_reserve_mib.unwrap_or_default()) * MIB;
    let bytes_s = |mib_s: Option<u32>| mib_s.map(|mib_s| u64::from(mib_s) * MIB);
    HostRoom {
        takes,
        memory_bytes: free.min(unpromised).saturating_sub(promised).saturating_sub(reserve),
        cpus,
        vcpus: taken.vcpus,
        pools: BTreeMap::new(),
        outgoing_bytes_s: bytes_s(budget.outgoing_mib_s),
        incoming_bytes_s: bytes_s(budget.incoming_mib_s),
        each_bytes_s: bytes_s(entry.config.bandwidth_mib_s),
    }
}

/// Where all VMs with a process are, but those that a plan moves.
pub(super) fn others(inventory: &Inventory, moved: &BTreeSet<VmId>) -> BTreeMap<VmId, HostName> {
    let active = inventory.vms().filter(|vm| vm.state.is_active() && !moved.contains(&vm.id));
    active.map(|vm| (vm.id, vm.host.clone())).collect()
}

/// A VM as the planner sees it, before any host was asked.
pub(super) fn vm(
    vm: &Vm,
    mode: Mode,
    destination: Option<HostName>,
    policy: Policy,
    dirty_bytes_s: Option<u64>,
) -> VmToMove {
    let is_live = mode == Mode::Live;
    let now = if vm.memory_now_bytes == 0 { vm.memory_bytes } else { vm.memory_now_bytes };
    VmToMove {
        vm: vm.id,
        source: vm.host.clone(),
        destination,
        mode,
        memory_bytes: if is_live { memory_needed(vm.memory_bytes, vm.vcpus) } else { 0 },
        vcpus: if is_live { vm.vcpus } else { 0 },
        sends_bytes: if is_live { now } else { 0 },
        dirty_bytes_s: if is_live { dirty_bytes_s.unwrap_or_default() } else { 0 },
        longest_pause_ms: policy.longest_pause_ms().into(),
        pairs: BTreeMap::new(),
    }
}

/// What a preflight says of a VM's way to a host. `accept` are the risks that were accepted.
pub(super) fn pair(preflight: &Preflight, accept: &[model::FindingCode]) -> Pair {
    let asks = preflight.findings.iter().any(|finding| finding.consent && !accept.contains(&finding.code));
    let count = |severity| u32::try_from(preflight.of(severity).count()).unwrap_or(u32::MAX);
    let mut disks: BTreeMap<String, u64> = BTreeMap::new();
    for disk in &preflight.disks {
        if let Treatment::Copy { pool, .. } = &disk.treatment {
            *disks.entry(pool.clone()).or_default() += disk.capacity_bytes;
        }
    }
    Pair {
        refused: !preflight.is_possible() || asks,
        against: WARNING * count(Severity::Warning) + UNKNOWN * count(Severity::Unknown),
        disks,
    }
}

/// The free space of pools that a preflight has seen.
pub(super) fn pools(preflight: &Preflight) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    for disk in &preflight.disks {
        if let Treatment::Copy { pool, available_bytes, other_pools, .. } = &disk.treatment {
            seen.extend(other_pools.iter().map(|choice| (choice.pool.clone(), choice.available_bytes)));
            seen.insert(pool.clone(), *available_bytes);
        }
    }
    seen
}
