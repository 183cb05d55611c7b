//! Which moves begin now, and how one begins.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{
    Code, Evacuation, EvacuationId, EvacuationItem, EvacuationState, HostName, ItemState, Migration, MigrationId,
    MigrationOptions, MigrationRequest, Mode, Phase, Problem, Subject, VmId,
};
use planner::{Begin, Fleet, HostRoom, Queue, Running, Stage, VmToMove, Waiting};
use uuid::Uuid;

use super::{
    Evacuations, Order, fleet,
    planning::{accepted, options},
    reserve,
    settle::Changes,
    wording,
};
use crate::{
    inventory::{Inventory, Reservation},
    migration::Part,
};

const MIB: u64 = 1 << 20;

/// That a migration was refused before there was one.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) migration: MigrationId,
    pub(super) destination: HostName,
    pub(super) problem: Problem,
}

/// A move that waits.
struct Hop {
    evacuation: EvacuationId,
    vm: VmToMove,
    source: HostName,
    destination: HostName,
    /// Whether it may not begin now.
    is_held: bool,
}

impl Hop {
    fn waiting(&self) -> Waiting<'_> {
        Waiting { vm: &self.vm, source: &self.source, destination: &self.destination }
    }
}

/// A move that begins.
pub(super) struct Start {
    pub(super) evacuation: EvacuationId,
    pub(super) migration: MigrationId,
    pub(super) by: String,
    pub(super) request: MigrationRequest,
}

impl Evacuations {
    /// Looks for hosts for the VMs that have none: those that failed, or came later.
    pub(super) fn find_places(&self, evacuation: &mut Evacuation, changes: &mut Changes, now_ms: u64) {
        let wanted: BTreeSet<VmId> =
            evacuation.items.iter().filter(|item| has_no_place(item, now_ms)).map(|item| item.vm).collect();
        if wanted.is_empty() {
            return;
        }
        let mut placed = planner::place(&self.fleet_of(evacuation, &wanted, &BTreeSet::new()));
        let has_failed = |vm: &VmId| evacuation.item(*vm).is_some_and(|item| !item.tried.is_empty());
        let nowhere_else: BTreeSet<VmId> = placed.without.keys().copied().filter(has_failed).collect();
        if !nowhere_else.is_empty() {
            placed = planner::place(&self.fleet_of(evacuation, &wanted, &nowhere_else));
        }
        let moves_under_way = evacuation.left() > wanted.len();
        for item in evacuation.items.iter_mut().filter(|item| wanted.contains(&item.vm)) {
            let destination = placed.moves.iter().rev().find(|planned| planned.vm == item.vm);
            match (destination, placed.without.get(&item.vm)) {
                (Some(planned), _) => {
                    changes.tell(now_ms, format!("{} is to go to {}.", item.vm_name, planned.destination));
                    item.destination = Some(planned.destination.clone());
                    item.bytes = planned.bytes;
                    item.expected_ms = planned.at_ms[1].saturating_sub(planned.at_ms[0]);
                }
                // Those under way may make room.
                (None, Some(why)) if moves_under_way && !matches!(why, planner::NoPlace::Refused) => {
                    item.waits_for = Some("room on another host".to_owned());
                }
                (None, why) => {
                    let problem = match (why, item.tried.last()) {
                        (Some(planner::NoPlace::Refused) | None, Some(tried)) => tried.problem.clone(),
                        (Some(why), _) => wording::no_place(&item.vm_name, why),
                        (None, None) => Problem::new(Code::Blocked, format!("No host can take {}.", item.vm_name)),
                    };
                    changes.tell(now_ms, format!("{} waits for a person: {}", item.vm_name, problem.sentence));
                    item.state = ItemState::WaitsForPerson { problem };
                }
            }
            changes.items.insert(item.vm);
        }
    }

    /// What the planner is asked about some VMs of an evacuation. Hosts where one has failed are for those only that can go `nowhere_else`.
    fn fleet_of(&self, evacuation: &Evacuation, wanted: &BTreeSet<VmId>, nowhere_else: &BTreeSet<VmId>) -> Fleet {
        let inventory = self.context.inventory();
        let mut hosts = self.rooms(&inventory, [evacuation]);
        reserve::take_all(&mut hosts, &inventory, Some(evacuation.id));
        // Of this one as it is now.
        for reserved in reserve::reservations(evacuation).iter().filter(|reserved| !wanted.contains(&reserved.vm)) {
            reserve::take(&mut hosts, &inventory, reserved);
        }
        let items = evacuation.items.iter().filter(|item| wanted.contains(&item.vm));
        let mut vms: Vec<VmToMove> = items.filter_map(|item| self.to_move(&inventory, evacuation, item)).collect();
        for vm in &mut vms {
            let refused = !nowhere_else.contains(&vm.vm);
            for tried in evacuation.item(vm.vm).map(|item| item.tried.as_slice()).unwrap_or_default() {
                let pair = planner::Pair { refused, against: 100, ..planner::Pair::default() };
                vm.pairs.insert(tried.destination.clone(), pair);
            }
        }
        Fleet { vms, others: fleet::others(&inventory, wanted), rules: self.rules(), hosts }
    }

    /// The hosts' room, with the exceptions of these evacuations.
    fn rooms<'a>(
        &self,
        inventory: &Inventory,
        evacuations: impl IntoIterator<Item = &'a Evacuation>,
    ) -> BTreeMap<HostName, HostRoom> {
        let home = evacuations.into_iter().filter(|one| matches!(one.request.subject, Subject::Home(_)));
        let home: BTreeSet<HostName> =
            home.flat_map(|one| &one.items).filter_map(|item| item.destination.clone()).collect();
        fleet::rooms(inventory, &home)
    }

    fn to_move(&self, inventory: &Inventory, evacuation: &Evacuation, item: &EvacuationItem) -> Option<VmToMove> {
        let vm = inventory.vm(item.vm)?;
        let asked = match evacuation.request.subject {
            Subject::Home(_) => item.destination.clone(),
            Subject::Hosts(_) | Subject::Vms(_) => evacuation.request.destination.clone(),
        };
        let dirty = self.preflights.curve(vm.id).map(|curve| curve.rate_bytes_s());
        Some(fleet::vm(vm, item.mode, asked, item.policy, dirty))
    }

    /// What begins now, of all evacuations. The items are marked with the migrations that they wait for.
    pub(super) fn choose(&self, open: &mut BTreeMap<EvacuationId, Evacuation>, now_ms: u64) -> Vec<Start> {
        let (chosen, hops) = {
            let inventory = self.context.inventory();
            let running = open.values().filter(|evacuation| evacuation.state == EvacuationState::Running);
            let hops: Vec<Hop> = running
                .flat_map(|evacuation| evacuation.items.iter().map(move |item| (evacuation, item)))
                .flat_map(|(evacuation, item)| self.hops(&inventory, evacuation, item, now_ms))
                .collect();
            if hops.iter().all(|hop| hop.is_held) {
                return Vec::new();
            }
            let chosen = planner::next(&self.queue(&inventory, open, &hops));
            (chosen, hops)
        };
        let mark = |Begin { index, bytes_s }: Begin| {
            let hop = hops.get(index)?;
            Some(start(open.get_mut(&hop.evacuation)?, hop.vm.vm, &hop.destination, bytes_s))
        };
        chosen.into_iter().filter_map(mark).collect()
    }

    /// The moves that an item still needs: two if it halts on a third host.
    fn hops(&self, inventory: &Inventory, evacuation: &Evacuation, item: &EvacuationItem, now_ms: u64) -> Vec<Hop> {
        let (Some(vm), Some(destination)) = (self.to_move(inventory, evacuation, item), &item.destination) else {
            return Vec::new();
        };
        let is_waiting = item.state == ItemState::Waiting;
        let is_held = !is_ready(item, now_ms);
        let hop = |source: &HostName, destination: &HostName, is_held| Hop {
            evacuation: evacuation.id,
            source: source.clone(),
            destination: destination.clone(),
            vm: vm.clone(),
            is_held,
        };
        match (&item.via, is_waiting) {
            (Some(via), true) => vec![hop(&vm.source, via, is_held), hop(via, destination, is_held)],
            (Some(via), false) if matches!(item.state, ItemState::Moving { .. }) => vec![hop(via, destination, true)],
            (None, true) => vec![hop(&vm.source, destination, is_held)],
            _ => Vec::new(),
        }
    }

    fn queue<'a>(
        &self,
        inventory: &'a Inventory,
        open: &'a BTreeMap<EvacuationId, Evacuation>,
        hops: &'a [Hop],
    ) -> Queue<'a> {
        let mut hosts = self.rooms(inventory, open.values());
        let mut running: Vec<Running> = inventory.open_migrations().map(running).collect();
        for evacuation in open.values() {
            // What waits in one that runs is in the queue itself.
            let is_queued =
                |reserved: &Reservation| reserved.migration.is_none() && evacuation.state == EvacuationState::Running;
            for reserved in reserve::reservations(evacuation).iter().filter(|reserved| !is_queued(reserved)) {
                reserve::take(&mut hosts, inventory, reserved);
            }
        }
        // Begun, and not in the inventory yet.
        for item in open.values().flat_map(|evacuation| &evacuation.items) {
            let ItemState::Moving { migration } = item.state else { continue };
            let to = item.via.as_ref().or(item.destination.as_ref());
            let (Some(destination), Some(vm), None) = (to, inventory.vm(item.vm), inventory.migration(migration))
            else {
                continue;
            };
            let stage = Stage::Preparing;
            running.push(Running { vm: item.vm, source: &vm.host, destination, bytes_s: None, stage, left_ms: None });
        }
        Queue {
            waiting: hops.iter().map(Hop::waiting).collect(),
            running,
            hosts,
            places: fleet::others(inventory, &BTreeSet::new()),
            rules: self.rules(),
            held: hops.iter().filter(|hop| hop.is_held).map(|hop| hop.vm.vm).collect(),
        }
    }

    /// Begins a move, in a task of its own: the conductor hears what came of it.
    pub(super) fn begin(self: &Arc<Self>, start: Start) {
        let evacuations = Arc::clone(self);
        self.context.tasks().spawn(async move {
            let Start { evacuation, migration, by, request } = start;
            let destination = request.destination.clone();
            let part = Part { evacuation, migration };
            let order = match evacuations.migrations.start_part(request, &by, part).await {
                Ok(_) => Order::Begun(migration),
                Err(error) => Order::Refused(Refusal { migration, destination, problem: error.into() }),
            };
            // The conductor ends with the engine, and then the next one sees what the store has.
            let _ = evacuations.conductor.send(order);
        });
    }
}

fn has_no_place(item: &EvacuationItem, now_ms: u64) -> bool {
    let waits_otherwise = item.waits_for.is_some() && item.waits_for.as_deref() != Some("room on another host");
    item.state == ItemState::Waiting && item.destination.is_none() && !waits_otherwise && is_time(item, now_ms)
}

fn is_ready(item: &EvacuationItem, now_ms: u64) -> bool {
    item.state == ItemState::Waiting && item.destination.is_some() && item.waits_for.is_none() && is_time(item, now_ms)
}

fn is_time(item: &EvacuationItem, now_ms: u64) -> bool {
    item.not_before_ms.is_none_or(|then| then <= now_ms)
}

/// Marks an item with a migration to come.
fn start(evacuation: &mut Evacuation, vm: VmId, destination: &HostName, bytes_s: Option<u64>) -> Start {
    let migration = MigrationId(Uuid::now_v7());
    let mut mode = Mode::Live;
    if let Some(item) = evacuation.items.iter_mut().find(|item| item.vm == vm) {
        item.state = ItemState::Moving { migration };
        mode = item.mode;
    }
    let bandwidth_mib_s = bytes_s.map(|bytes_s| u32::try_from(bytes_s / MIB).unwrap_or(u32::MAX).max(1));
    Start {
        evacuation: evacuation.id,
        migration,
        by: evacuation.requested_by.clone(),
        request: MigrationRequest {
            vm,
            destination: destination.clone(),
            mode: Some(mode),
            options: MigrationOptions { bandwidth_mib_s, ..options(&evacuation.request) },
            accept: accepted(&evacuation.request),
        },
    }
}

/// A migration as the planner sees it.
fn running(migration: &Migration) -> Running<'_> {
    let stage = match migration.phase {
        Phase::Queued | Phase::Checking | Phase::Preparing => Stage::Preparing,
        Phase::CopyingDisks | Phase::CopyingMemory | Phase::Converging | Phase::PostCopy => Stage::Sending,
        _ => Stage::Ending,
    };
    let left_ms = migration.progress.time_left.filter(|_| stage == Stage::Sending).map(|left| left.likely_ms);
    Running {
        vm: migration.vm,
        source: &migration.source,
        destination: &migration.destination,
        bytes_s: migration.options.bandwidth_mib_s.map(|mib_s| u64::from(mib_s) * MIB),
        stage,
        left_ms,
    }
}
