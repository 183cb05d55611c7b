//! What has changed since a plan was made, so that it does not hold any more.

use std::collections::{BTreeMap, BTreeSet};

use model::{HostName, PlacementRules, Plan, PlannedMove, Subject, VmId};
use planner::{Fleet, NoPlace, VmToMove};

use super::{fleet, reserve};
use crate::inventory::Inventory;

/// The differences, each in a sentence; none if the plan holds.
pub(super) fn difference(inventory: &Inventory, rules: &PlacementRules, plan: &Plan) -> Vec<String> {
    let mut difference: Vec<String> =
        plan.moves.iter().filter_map(|planned| moved_vm(inventory, plan, planned)).collect();
    difference.extend(newcomers(inventory, plan));
    if difference.is_empty() {
        difference.extend(rooms(inventory, rules, plan));
    }
    difference
}

fn moved_vm(inventory: &Inventory, plan: &Plan, planned: &PlannedMove) -> Option<String> {
    let PlannedMove { vm, vm_name, source, destination, mode, .. } = planned;
    let Some(now) = inventory.vm(*vm) else { return Some(format!("{vm_name} is not there any more.")) };
    // The second of two moves begins where the first ends.
    let halts = plan.moves.iter().any(|other| other.vm == *vm && other.destination == *source);
    if now.host != *source && !halts {
        return Some(format!("{vm_name} is on {} now.", now.host));
    }
    if now.state.is_active() != (*mode == model::Mode::Live) {
        return Some(format!("{vm_name} is {} now.", now.state.as_str()));
    }
    if now.migration.is_some() {
        return Some(format!("{vm_name} is being moved by another migration."));
    }
    match inventory.connection(destination) {
        Ok(_) => None,
        Err(_) => Some(format!("{destination} does not answer.")),
    }
}

/// VMs that have come to a host that is to be emptied.
fn newcomers(inventory: &Inventory, plan: &Plan) -> Vec<String> {
    let planned: BTreeSet<VmId> =
        plan.moves.iter().map(|planned| planned.vm).chain(plan.stays.iter().map(|stay| stay.vm)).collect();
    let is_new = |vm: &&model::Vm| {
        plan.request.emptied().contains(&vm.host) && vm.state.is_active() && !planned.contains(&vm.id)
    };
    inventory.vms().filter(is_new).map(|vm| format!("{} is on {}, too.", vm.name, vm.host)).collect()
}

/// Destinations that have no room any more, or take no VMs.
fn rooms(inventory: &Inventory, rules: &PlacementRules, plan: &Plan) -> Vec<String> {
    let home: BTreeSet<HostName> = match plan.request.subject {
        Subject::Home(_) => plan.moves.iter().map(|planned| planned.destination.clone()).collect(),
        Subject::Hosts(_) | Subject::Vms(_) => BTreeSet::new(),
    };
    // The last move of a VM says where it goes.
    let planned: BTreeMap<VmId, &PlannedMove> = plan.moves.iter().map(|planned| (planned.vm, planned)).collect();
    let to_move = |planned: &&PlannedMove| -> Option<VmToMove> {
        let vm = inventory.vm(planned.vm)?;
        Some(fleet::vm(vm, planned.mode, Some(planned.destination.clone()), planned.policy, None))
    };
    let mut hosts = fleet::rooms(inventory, &home);
    reserve::take_all(&mut hosts, inventory, None);
    for host in plan.request.emptied() {
        hosts.entry(host.clone()).and_modify(|room| room.takes = false);
    }
    let moved = planned.keys().copied().collect();
    let fleet = Fleet {
        vms: planned.values().filter_map(to_move).collect(),
        others: fleet::others(inventory, &moved),
        rules: rules.clone(),
        hosts,
    };
    let placed = planner::place(&fleet);
    let told = |(vm, why): (&VmId, &NoPlace)| {
        let planned = planned.get(vm)?;
        let (name, destination) = (&planned.vm_name, &planned.destination);
        Some(match why {
            NoPlace::Rule(rule) => format!("The rule {rule} forbids {name} on {destination}."),
            NoPlace::Memory { .. } | NoPlace::Space { .. } => format!("{destination} has no room for {name} any more."),
            NoPlace::Refused => format!("{destination} takes no VMs now."),
        })
    };
    placed.without.iter().filter_map(told).collect()
}
