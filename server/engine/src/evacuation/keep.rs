//! Plans that are kept for an hour, and the evacuation that a plan becomes.

use std::collections::BTreeMap;

use model::{
    Code, Evacuation, EvacuationId, EvacuationItem, EvacuationState, HostName, ItemState, Mode, Plan, PlanId,
    PlannedMove, PlannedStay, Policy, VmId,
};

/// How long a plan is kept, in ms.
const KEPT_MS: u64 = 60 * 60 * 1_000;
/// How many are kept.
const MOST: usize = 100;

/// Plans that may still be carried out.
#[derive(Default)]
pub(super) struct KeptPlans(BTreeMap<PlanId, Plan>);

impl KeptPlans {
    pub(super) fn keep(&mut self, plan: &Plan, now_ms: u64) {
        self.0.retain(|_, kept| now_ms.saturating_sub(kept.made_at_ms) < KEPT_MS);
        // Ids grow with time.
        while self.0.len() >= MOST {
            self.0.pop_first();
        }
        self.0.insert(plan.id, plan.clone());
    }

    pub(super) fn get(&self, id: PlanId, now_ms: u64) -> Option<Plan> {
        self.0.get(&id).filter(|plan| now_ms.saturating_sub(plan.made_at_ms) < KEPT_MS).cloned()
    }

    pub(super) fn take(&mut self, id: PlanId) {
        self.0.remove(&id);
    }
}

/// What a plan is as it begins.
pub(super) fn evacuation(plan: Plan, id: EvacuationId, by: &str, now_ms: u64) -> Evacuation {
    let mut items: Vec<EvacuationItem> = Vec::new();
    // A VM that halts on a third host has two moves, of which the last says where it goes.
    for planned in plan.moves {
        let halted = items.iter().position(|item| item.vm == planned.vm).map(|at| items.remove(at));
        items.push(moving(planned, halted));
    }
    items.extend(plan.stays.into_iter().map(staying));
    Evacuation {
        id,
        request: plan.request,
        requested_by: by.to_owned(),
        created_at_ms: now_ms,
        ended_at_ms: None,
        state: EvacuationState::Running,
        planned_ms: plan.likely_ms,
        bound_ms: plan.bound_ms,
        fraction: 0.0,
        left_ms: Some(plan.likely_ms),
        items,
    }
}

fn moving(planned: PlannedMove, halted: Option<EvacuationItem>) -> EvacuationItem {
    EvacuationItem {
        vm: planned.vm,
        vm_name: planned.vm_name,
        via: halted.as_ref().and_then(|halted| halted.destination.clone()),
        halted_on: None,
        source: halted.map_or(planned.source, |halted| halted.source),
        destination: Some(planned.destination),
        mode: planned.mode,
        policy: planned.policy,
        memory_bytes: planned.memory_bytes,
        bytes: planned.bytes,
        expected_ms: planned.at_ms[1].saturating_sub(planned.at_ms[0]),
        state: ItemState::Waiting,
        waits_for: None,
        tried: Vec::new(),
        not_before_ms: None,
        appeared: false,
    }
}

fn staying(PlannedStay { vm, vm_name, host, problem, choice, .. }: PlannedStay) -> EvacuationItem {
    // Of one that is on its way by another migration it is seen what becomes of it.
    let is_under_way = problem.as_ref().is_some_and(|problem| problem.code == Code::AlreadyMigrating);
    let state = if is_under_way { ItemState::Waiting } else { ItemState::Stays { problem, choice } };
    EvacuationItem { state, ..unplaced(vm, vm_name, host, 0) }
}

/// A VM for which no host is known yet.
pub(super) fn unplaced(vm: VmId, vm_name: String, source: HostName, memory_bytes: u64) -> EvacuationItem {
    EvacuationItem {
        vm,
        vm_name,
        source,
        destination: None,
        via: None,
        halted_on: None,
        mode: Mode::Live,
        policy: Policy::default(),
        memory_bytes,
        bytes: memory_bytes,
        expected_ms: 0,
        state: ItemState::Waiting,
        waits_for: None,
        tried: Vec::new(),
        not_before_ms: None,
        appeared: false,
    }
}
