//! Which VMs a plan is about, and which of them can't move whatever the hosts say.

use std::collections::BTreeSet;

use model::{
    Choice, Code, Evacuation, EvacuationItem, HostName, ItemState, Mode, PlacementKind, PlacementRules, PlanRequest,
    PlannedStay, Problem, Subject, Vm, VmId, VmState,
};

use super::wording::{invalid, invalid_field, known};
use crate::{error::Error, hypervisor::HostError, inventory::Inventory};

/// A VM that is to move.
pub(super) struct Chosen {
    pub(super) vm: Vm,
    pub(super) mode: Mode,
    /// The only host that it may go to.
    pub(super) destination: Option<HostName>,
}

/// The VMs that are to move, and those that stay.
pub(super) type Split = (Vec<Chosen>, Vec<PlannedStay>);

/// Refuses what can't be a request.
pub(super) fn check(inventory: &Inventory, request: &PlanRequest) -> Result<(), Error> {
    if request.reason.chars().count() > PlanRequest::LONGEST_REASON {
        let sentence = format!("The reason is longer than {} characters.", PlanRequest::LONGEST_REASON);
        return Err(invalid_field("reason", sentence));
    }
    let hosts = request.emptied().iter().chain(&request.destination);
    for host in hosts {
        if inventory.host(host).is_none() {
            return Err(HostError::unknown_host_beside(host.as_str(), &inventory.registered()).into());
        }
    }
    match &request.subject {
        Subject::Hosts(hosts) => {
            check_list(hosts, "host")?;
            match &request.destination {
                Some(host) if hosts.contains(host) => {
                    Err(known(Problem::new(Code::SameHost, format!("{host} can't be emptied and filled at once."))))
                }
                _ => Ok(()),
            }
        }
        Subject::Vms(vms) => check_list(vms, "VM"),
        Subject::Home(_) => Ok(()),
    }
}

fn check_list<T: Ord>(list: &[T], what: &str) -> Result<(), Error> {
    if list.is_empty() {
        return Err(invalid(format!("Name at least one {what}.")));
    }
    match list.iter().collect::<BTreeSet<_>>().len() == list.len() {
        true => Ok(()),
        false => Err(invalid(format!("A {what} is named twice."))),
    }
}

/// Refuses rules that say nothing.
pub(super) fn check_rules(PlacementRules { rules, priorities }: &PlacementRules) -> Result<(), Error> {
    let mut names = BTreeSet::new();
    for rule in rules {
        if rule.name.trim().is_empty() || rule.name.chars().count() > 60 {
            return Err(invalid_field("name", "A rule has a name of 1 to 60 characters."));
        }
        if !names.insert(&rule.name) {
            return Err(invalid_field("name", format!("Two rules are called {}.", rule.name)));
        }
        let needs = if matches!(rule.kind, PlacementKind::MayRunOn(_)) { 1 } else { 2 };
        if rule.vms.len() < needs {
            return Err(invalid_field("vms", format!("The rule {} has too few VMs to say anything.", rule.name)));
        }
        if matches!(&rule.kind, PlacementKind::MayRunOn(hosts) if hosts.is_empty()) {
            return Err(invalid_field("hosts", format!("The rule {} names no host.", rule.name)));
        }
    }
    match priorities.iter().find(|(_, priority)| !(-100..=100).contains(*priority)) {
        Some((vm, _)) => Err(invalid_field("priority", format!("The priority of {vm} is not within -100 to 100."))),
        None => Ok(()),
    }
}

/// The VMs of a host that is emptied, or those that were named.
pub(super) fn named(inventory: &Inventory, request: &PlanRequest) -> Result<Split, Error> {
    let vms: Vec<Vm> = match &request.subject {
        Subject::Hosts(hosts) => inventory.vms().flat_map(Vm::each).filter(|vm| hosts.contains(&vm.host)).collect(),
        Subject::Vms(ids) => {
            let find = |id: &VmId| inventory.vm(*id).cloned().ok_or_else(|| HostError::unknown_vm(&id.to_string()));
            ids.iter().map(find).collect::<Result<_, _>>()?
        }
        Subject::Home(_) => Vec::new(),
    };
    let mut split = Split::default();
    for vm in vms {
        sort_in(&mut split, request, vm);
    }
    Ok(split)
}

fn sort_in((move_on, stay): &mut Split, request: &PlanRequest, vm: Vm) {
    let choice = request.choices.get(&vm.id).copied();
    let is_emptied = matches!(request.subject, Subject::Hosts(_));
    if let Some(problem) = immovable(&vm) {
        stay.push(stays(&vm, Some(problem), choice.filter(|choice| *choice == Choice::Leave), Vec::new()));
    } else if request.destination.as_ref() == Some(&vm.host) {
        stay.push(stays(&vm, None, None, Vec::new()));
    } else if vm.state.is_active() {
        match choice {
            Some(choice @ (Choice::Leave | Choice::ShutDown)) => {
                stay.push(stays(&vm, None, Some(choice), CHOICES_RUNNING.to_vec()));
            }
            _ => move_on.push(Chosen { vm, mode: Mode::Live, destination: request.destination.clone() }),
        }
    } else if choice == Some(Choice::MoveOffline) || (!is_emptied && choice != Some(Choice::Leave)) {
        move_on.push(Chosen { vm, mode: Mode::Offline, destination: request.destination.clone() });
    } else {
        // What is off does not keep its host from being empty. It was shut down by nobody's choice, and is not to start when all come home.
        let choice = choice.filter(|choice| *choice != Choice::ShutDown);
        stay.push(stays(&vm, None, choice, vec![Choice::Leave, Choice::MoveOffline]));
    }
}

/// What can be chosen for a VM that runs.
pub(super) const CHOICES_RUNNING: [Choice; 2] = [Choice::Leave, Choice::ShutDown];

pub(super) fn stays(vm: &Vm, problem: Option<Problem>, choice: Option<Choice>, choices: Vec<Choice>) -> PlannedStay {
    PlannedStay {
        vm: vm.id,
        vm_name: vm.name.clone(),
        host: vm.host.clone(),
        is_active: vm.state.has_process(),
        problem,
        choice,
        choices,
    }
}

/// Why a VM can't move, wherever it would go.
fn immovable(vm: &Vm) -> Option<Problem> {
    if let Some(problem) = vm.shares_uuid().filter(|_| vm.is_mistakable()) {
        return Some(problem);
    }
    if let Some(migration) = vm.migration {
        let sentence = format!("{} is being moved already.", vm.name);
        return Some(Problem::new(Code::AlreadyMigrating, sentence).with_migration(migration));
    }
    (vm.state == VmState::Crashed).then(|| {
        Problem::new(Code::WrongState, format!("The guest of {} has crashed, and its QEMU is kept.", vm.name))
            .with_fix("Force it off; then nothing of it is left on the host but its definition.")
    })
}

/// A VM that was moved to a host that has not answered since the console was started.
fn unseen(inventory: &Inventory, item: &EvacuationItem) -> Option<PlannedStay> {
    let ItemState::Moved { .. } = item.state else { return None };
    let host = item.destination.clone().filter(|host| inventory.host(host).is_some())?;
    let error = inventory.connection(&host).err()?;
    Some(PlannedStay {
        vm: item.vm,
        vm_name: item.vm_name.clone(),
        host,
        is_active: false,
        problem: Some(error.into()),
        choice: None,
        choices: Vec::new(),
    })
}

/// The VMs that an evacuation has moved: those that are still where it put them go home.
pub(super) fn home(inventory: &Inventory, before: &Evacuation) -> Split {
    let mut split = Split::default();
    for item in &before.items {
        let Some(vm) = inventory.vm(item.vm) else {
            split.1.extend(unseen(inventory, item));
            continue;
        };
        match &item.state {
            ItemState::Moved { .. } if vm.host == item.source => {}
            ItemState::Moved { .. } if item.destination.as_ref() == Some(&vm.host) => {
                if let Some(problem) = immovable(vm) {
                    split.1.push(stays(vm, Some(problem), None, Vec::new()));
                } else {
                    let mode = if vm.state.is_active() { Mode::Live } else { Mode::Offline };
                    split.0.push(Chosen { vm: vm.clone(), mode, destination: Some(item.source.clone()) });
                }
            }
            ItemState::Moved { .. } => {
                let sentence = format!("{} has moved on to {} since, and stays there.", vm.name, vm.host);
                split.1.push(stays(vm, Some(Problem::new(Code::WrongState, sentence)), None, Vec::new()));
            }
            // It is started again where it was shut down.
            ItemState::Stays { choice: choice @ Some(Choice::ShutDown), .. } if vm.state == VmState::ShutOff => {
                split.1.push(stays(vm, None, *choice, Vec::new()));
            }
            _ => {}
        }
    }
    split
}
