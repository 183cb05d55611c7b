//! Which moves begin now, and how one begins.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{
    Evacuation, EvacuationId, EvacuationItem, EvacuationState, HostName, ItemState, Migration, MigrationId,
    MigrationOptions, MigrationRequest, Mode, Phase, Problem, Subject, VmId,
};
use planner::{Begin, HostRoom, Queue, Running, Stage, VmToMove, Waiting};
use uuid::Uuid;

use super::{
    Evacuations, Order, fleet,
    planning::{accepted, options},
    raise::{Raised, raisable, raises},
    reserve,
};
use crate::{
    inventory::{Inventory, Reservation},
    migration::Part,
};

pub(super) const MIB: u64 = 1 << 20;

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
    /// The hosts' room, with the exceptions of these evacuations.
    pub(super) fn rooms<'a>(
        &self,
        inventory: &Inventory,
        evacuations: impl IntoIterator<Item = &'a Evacuation>,
    ) -> BTreeMap<HostName, HostRoom> {
        let home = evacuations.into_iter().filter(|one| matches!(one.request.subject, Subject::Home(_)));
        let home: BTreeSet<HostName> =
            home.flat_map(|one| &one.items).filter_map(|item| item.destination.clone()).collect();
        fleet::rooms(inventory, &home)
    }

    pub(super) fn to_move(
        &self,
        inventory: &Inventory,
        evacuation: &Evacuation,
        item: &EvacuationItem,
    ) -> Option<VmToMove> {
        let vm = inventory.vm(item.vm)?;
        let asked = match evacuation.request.subject {
            Subject::Home(_) => item.destination.clone(),
            Subject::Hosts(_) | Subject::Vms(_) => evacuation.request.destination.clone(),
        };
        let dirty = self.preflights.curve(vm.id).map(|curve| curve.rate_bytes_s());
        Some(fleet::vm(vm, item.mode, asked, item.policy, dirty))
    }

    /// What begins now, of all evacuations; or else what of that under way may use more of the links. The items are marked with the migrations
    /// that they wait for.
    pub(super) fn choose(
        &self,
        open: &mut BTreeMap<EvacuationId, Evacuation>,
        raised: &Raised,
        now_ms: u64,
    ) -> (Vec<Start>, Vec<(MigrationId, u32)>) {
        let (chosen, hops) = {
            let inventory = self.context.inventory();
            let running = open.values().filter(|evacuation| evacuation.state == EvacuationState::Running);
            let hops: Vec<Hop> = running
                .flat_map(|evacuation| evacuation.items.iter().map(move |item| (evacuation, item)))
                .flat_map(|(evacuation, item)| self.hops(&inventory, evacuation, item, now_ms))
                .collect();
            let raisable = raisable(&inventory, open);
            if hops.iter().all(|hop| hop.is_held) && raisable.is_empty() {
                return (Vec::new(), Vec::new());
            }
            let queue = Queue { raisable, ..self.queue(&inventory, open, &hops, raised) };
            let chosen = planner::next(&queue);
            if chosen.is_empty() {
                return (Vec::new(), raises(&inventory, &queue, raised));
            }
            (chosen, hops)
        };
        let mark = |Begin { index, bytes_s }: Begin| {
            let hop = hops.get(index)?;
            Some(start(open.get_mut(&hop.evacuation)?, hop.vm.vm, &hop.destination, bytes_s))
        };
        (chosen.into_iter().filter_map(mark).collect(), Vec::new())
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
        raised: &Raised,
    ) -> Queue<'a> {
        let mut hosts = self.rooms(inventory, open.values());
        let mut running: Vec<Running> =
            inventory.open_migrations().map(|migration| running(migration, raised.limit(migration))).collect();
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
            raisable: BTreeSet::new(),
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

fn is_ready(item: &EvacuationItem, now_ms: u64) -> bool {
    item.state == ItemState::Waiting && item.destination.is_some() && item.waits_for.is_none() && is_time(item, now_ms)
}

pub(super) fn is_time(item: &EvacuationItem, now_ms: u64) -> bool {
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

/// A migration with this limit, in MiB/s, as the planner sees it.
fn running(migration: &Migration, limit_mib_s: Option<u32>) -> Running<'_> {
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
        bytes_s: limit_mib_s.map(|mib_s| u64::from(mib_s) * MIB),
        stage,
        left_ms,
    }
}
