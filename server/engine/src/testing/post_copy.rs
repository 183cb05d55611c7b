//! The recovery of a simulated migration by post-copy that broke off.

use model::VmState;

use super::{Sim, precopy::Outcome};
use crate::hypervisor::{HostError, HostErrorKind, HostEvent, MigrationPlan, StateReason};

/// The rest of the memory follows, and the source drops its half.
pub(super) fn recover(sim: &Sim, source: &model::HostName, plan: &MigrationPlan) -> Outcome {
    let mut world = sim.world();
    let mut is_half = |host: &model::HostName, state| {
        let copy = world.host(host).copies.get(&plan.vm);
        copy.is_some_and(|copy| (copy.state, copy.reason) == (state, StateReason::PostCopyFailed))
    };
    let destination = &plan.destination.name;
    if !(is_half(source, VmState::Paused) && is_half(destination, VmState::Running)) {
        let words = "domain is not being migrated (simulated)";
        return Err(HostError::new(HostErrorKind::WrongState, words));
    }
    let here = world.host(source);
    here.copies.remove(&plan.vm);
    here.tell(&HostEvent::Changed(plan.vm));
    world.host(destination).change(plan.vm, |copy| copy.reason = StateReason::Migrated);
    Ok(())
}
