//! What became of the VMs of an evacuation, by their migrations and by where they are.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Code, Evacuation, EvacuationEvent, EvacuationItem, EvacuationState, HostName, ItemState, MOST_TRIES, Migration,
    MigrationId, Mode, Phase, Problem, Subject, Tried, Vm, VmId, VmState,
};

use super::{begin::Refusal, keep};
use crate::{hypervisor::HostError, inventory::Inventory, preflight::memory_needed};

/// How long is waited before a VM is tried again, after the first failure and after the second, in ms.
const WAITS_MS: [u64; 2] = [10_000, 60_000];

/// What has changed of an evacuation since it was last written down.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) items: BTreeSet<VmId>,
    pub(super) events: Vec<EvacuationEvent>,
    /// Whether the record itself has changed, besides its estimate.
    pub(super) record: bool,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.events.is_empty() && !self.record
    }

    pub(super) fn tell(&mut self, now_ms: u64, text: impl Into<String>) {
        self.events.push(EvacuationEvent { at_ms: now_ms, text: text.into() });
    }
}

/// What is known of a migration that an item waits for.
pub(super) enum Known {
    /// Its record.
    Record(Box<Migration>),
    /// It was refused before it began.
    Refused(Refusal),
    /// It is about to begin.
    Beginning,
    /// No record has it: it never began.
    Never,
}

/// The evacuation that an item is part of.
struct Whole {
    state: EvacuationState,
    /// Whether its VMs go home: to that host and no other.
    goes_home: bool,
    /// Now, in ms since 1970.
    now_ms: u64,
}

/// Sees what became of the VMs under way.
pub(super) fn settle(
    evacuation: &mut Evacuation,
    known: &mut BTreeMap<MigrationId, Known>,
    changes: &mut Changes,
    now_ms: u64,
) {
    let goes_home = matches!(evacuation.request.subject, Subject::Home(_));
    let whole = Whole { state: evacuation.state, goes_home, now_ms };
    for item in &mut evacuation.items {
        let ItemState::Moving { migration } = item.state else { continue };
        match known.remove(&migration) {
            None | Some(Known::Beginning) => continue,
            Some(Known::Never) => item.state = ItemState::Waiting,
            Some(Known::Refused(refusal)) => {
                let Refusal { destination, problem, .. } = refusal;
                changes.tell(now_ms, format!("{} can't move to {destination}: {}", item.vm_name, problem.sentence));
                failed(item, Tried { destination, migration: None, problem }, &whole);
            }
            Some(Known::Record(record)) if !record.phase.has_ended() => continue,
            Some(Known::Record(record)) => ended(item, &record, &whole, changes),
        }
        changes.items.insert(item.vm);
    }
}

fn ended(item: &mut EvacuationItem, record: &Migration, whole: &Whole, changes: &mut Changes) {
    let (name, now_ms) = (&item.vm_name, whole.now_ms);
    let problem = || {
        let unknown =
            || Problem::new(Code::ReasonLost, format!("The migration of {name} has ended: {}.", record.phase.label()));
        record.problem.clone().unwrap_or_else(unknown).with_migration(record.id)
    };
    match record.phase {
        Phase::Succeeded if item.via.as_ref() == Some(&record.destination) => {
            changes.tell(now_ms, format!("{name} waits on {} until there is room.", record.destination));
            item.halted_on = item.via.take();
            item.state = ItemState::Waiting;
        }
        Phase::Succeeded => {
            changes.tell(now_ms, format!("{name} has moved to {}.", record.destination));
            item.state = ItemState::Moved { migration: Some(record.id) };
        }
        Phase::NeedsAttention => {
            changes.tell(now_ms, format!("{name} needs attention."));
            item.state = ItemState::WaitsForPerson { problem: problem() };
        }
        Phase::Cancelled if whole.state == EvacuationState::Stopping => {
            item.state = ItemState::Skipped { by: "the stop of the evacuation".to_owned() };
        }
        Phase::Cancelled => {
            changes.tell(now_ms, format!("The migration of {name} was cancelled."));
            let problem = Problem::new(Code::Cancelled, format!("The migration of {name} was cancelled."))
                .with_fix("Try it again, or leave it out.")
                .with_migration(record.id);
            item.state = ItemState::WaitsForPerson { problem };
        }
        // Where it is now is seen by its copies.
        Phase::MovedElsewhere => item.state = ItemState::Waiting,
        _ => {
            let problem = problem();
            let destination = record.destination.clone();
            changes.tell(now_ms, format!("{name} has not moved to {destination}: {}", problem.sentence));
            failed(item, Tried { destination, migration: Some(record.id), problem }, whole);
        }
    }
}

/// One attempt more has failed: after the third it waits for a person.
fn failed(item: &mut EvacuationItem, tried: Tried, whole: &Whole) {
    let problem = tried.problem.clone();
    item.tried.push(tried);
    match WAITS_MS.get(item.tried.len() - 1) {
        Some(wait_ms) if item.tried.len() < MOST_TRIES => {
            item.state = ItemState::Waiting;
            item.not_before_ms = Some(whole.now_ms + wait_ms);
            if !whole.goes_home {
                // A host is looked for anew; this one may be it again.
                (item.destination, item.via) = (None, None);
            }
        }
        _ => item.state = ItemState::WaitsForPerson { problem },
    }
}

/// Sees where the VMs are that wait: others may have moved, stopped or removed them.
pub(super) fn observe(evacuation: &mut Evacuation, inventory: &Inventory, changes: &mut Changes, now_ms: u64) {
    let emptied = evacuation.request.emptied().to_vec();
    for item in &mut evacuation.items {
        let before = (item.state.clone(), item.waits_for.clone(), item.mode);
        match &item.state {
            ItemState::Waiting => waits(item, inventory, &emptied, now_ms),
            ItemState::WaitsForPerson { .. } => person_has_helped(item, inventory),
            ItemState::Moved { .. } | ItemState::Gone { .. } => came_back(item, inventory, &emptied),
            ItemState::Moving { .. } | ItemState::Stays { .. } | ItemState::Skipped { .. } => {}
        }
        if (&item.state, &item.waits_for, item.mode) != (&before.0, &before.1, before.2) {
            changes.items.insert(item.vm);
        }
        if item.state != before.0 {
            changes.tell(now_ms, became(item));
        }
    }
    newcomers(evacuation, inventory, changes, now_ms);
}

fn became(item: &EvacuationItem) -> String {
    let name = &item.vm_name;
    match &item.state {
        ItemState::Waiting => format!("{name} is on {} again.", item.source),
        ItemState::Moved { .. } => format!("{name} was moved by others, to where it should go."),
        ItemState::Gone { sentence } => sentence.clone(),
        _ => format!("{name} waits for a person."),
    }
}

fn waits(item: &mut EvacuationItem, inventory: &Inventory, emptied: &[HostName], now_ms: u64) {
    let gone = |sentence: String| ItemState::Gone { sentence };
    let name = item.vm_name.clone();
    let Some(vm) = inventory.vm(item.vm) else {
        match unheard(item, inventory) {
            Some(error) => item.waits_for = Some(error.sentence),
            None => item.state = gone(format!("{name} was removed.")),
        }
        return;
    };
    if let Err(error) = inventory.connection(&vm.host) {
        item.waits_for = Some(error.sentence);
        return;
    }
    if vm.migration.is_some() {
        item.waits_for = Some("another migration of it".to_owned());
        return;
    }
    if item.destination.as_ref() == Some(&vm.host) && item.via.is_none() {
        item.state = ItemState::Moved { migration: None };
        return;
    }
    if !is_where_expected(item, vm, emptied) {
        item.state = gone(format!("{name} was moved to {} by others.", vm.host));
        return;
    }
    match (item.mode, vm.state.is_active()) {
        (Mode::Live, false) if vm.state != VmState::Unknown => {
            item.state = gone(format!("{name} is {} now.", vm.state.as_str()));
            return;
        }
        (Mode::Offline, true) => {
            item.mode = Mode::Live;
            item.memory_bytes = memory_needed(vm.memory_bytes, vm.vcpus);
        }
        _ => {}
    }
    let later = item.not_before_ms.is_some_and(|then| then > now_ms);
    item.waits_for = later.then(|| "the next attempt".to_owned());
}

/// Why a host that may have a VM does not answer: of one that no other host has it is not known then whether it is there. A console that was
/// just started knows nothing of a host before it has answered.
fn unheard(item: &EvacuationItem, inventory: &Inventory) -> Option<HostError> {
    let tried = item.tried.iter().map(|tried| &tried.destination);
    let hosts = [Some(&item.source), item.halted_on.as_ref(), item.via.as_ref(), item.destination.as_ref()];
    let mut registered = hosts.into_iter().flatten().chain(tried).filter(|host| inventory.host(host).is_some());
    registered.find_map(|host| inventory.connection(host).err())
}

/// At its source, on the host where it halts, or on another that is to be emptied.
fn is_where_expected(item: &EvacuationItem, vm: &Vm, emptied: &[HostName]) -> bool {
    vm.host == *item.halted_on.as_ref().unwrap_or(&item.source) || emptied.contains(&vm.host)
}

/// One that a person has moved, shut down or removed by hand needs no person any more.
fn person_has_helped(item: &mut EvacuationItem, inventory: &Inventory) {
    match inventory.vm(item.vm) {
        None if unheard(item, inventory).is_some() => {}
        None => item.state = ItemState::Gone { sentence: format!("{} was removed.", item.vm_name) },
        Some(vm) if inventory.connection(&vm.host).is_err() || vm.migration.is_some() => {}
        Some(vm) if !is_where_expected(item, vm, &[]) && vm.state.is_active() && !inventory.is_in_doubt(item.vm) => {
            item.state = if item.destination.as_ref() == Some(&vm.host) {
                ItemState::Moved { migration: None }
            } else {
                ItemState::Gone { sentence: format!("{} was moved to {} by others.", item.vm_name, vm.host) }
            };
        }
        Some(vm) if vm.state == VmState::ShutOff && item.mode == Mode::Live && !inventory.is_in_doubt(item.vm) => {
            item.state = ItemState::Gone { sentence: format!("{} was shut down.", item.vm_name) };
        }
        Some(_) => {}
    }
}

/// A VM that is active on a host that is emptied has to leave it, also if it had left or was off before.
fn came_back(item: &mut EvacuationItem, inventory: &Inventory, emptied: &[HostName]) {
    let Some(vm) = inventory.vm(item.vm) else { return };
    if emptied.contains(&vm.host) && vm.state.is_active() && vm.migration.is_none() {
        item.source = vm.host.clone();
        item.mode = Mode::Live;
        item.destination = None;
        item.via = None;
        item.halted_on = None;
        item.appeared = true;
        item.state = ItemState::Waiting;
    }
}

/// VMs that came to a host that is emptied after the plan was made.
fn newcomers(evacuation: &mut Evacuation, inventory: &Inventory, changes: &mut Changes, now_ms: u64) {
    let Subject::Hosts(hosts) = &evacuation.request.subject else { return };
    let known: BTreeSet<VmId> = evacuation.items.iter().map(|item| item.vm).collect();
    let is_new = |vm: &&Vm| hosts.contains(&vm.host) && vm.state.is_active() && !known.contains(&vm.id);
    let new: Vec<EvacuationItem> = inventory
        .vms()
        .filter(is_new)
        .map(|vm| EvacuationItem {
            appeared: true,
            ..keep::unplaced(vm.id, vm.name.clone(), vm.host.clone(), memory_needed(vm.memory_bytes, vm.vcpus))
        })
        .collect();
    for item in new {
        changes.tell(now_ms, format!("{} has appeared on {}, and goes, too.", item.vm_name, item.source));
        changes.items.insert(item.vm);
        evacuation.items.push(item);
    }
}
