//! Plans, and evacuations: plans that are carried out.

use async_trait::async_trait;
use model::{
    Evacuation, EvacuationCommand, EvacuationEvent, EvacuationId, HostName, MaintenanceCommand, PlacementRules, Plan,
    PlanId, PlanRequest, Problem,
};

use crate::Principal;

/// Plans and evacuations.
#[async_trait]
pub trait Evacuations: Send + Sync {
    /// Plans, and changes nothing: which VMs go where, in which order, how long it takes, and which can't move and why. The plan is kept for
    /// an hour.
    ///
    /// # Errors
    /// `invalid-input` for a reason that is too long, or a host or VM that is named twice; `unknown-host`, `unknown-vm`,
    /// `unknown-evacuation`.
    async fn plan(&self, who: &Principal, request: PlanRequest) -> Result<Plan, Problem>;

    /// A plan that was made before.
    ///
    /// # Errors
    /// `unknown-plan`.
    async fn kept_plan(&self, who: &Principal, id: PlanId) -> Result<Plan, Problem>;

    /// Carries a plan out. Hosts that it empties are no destinations from then on.
    ///
    /// # Errors
    /// `unknown-plan`; `plan-outdated` with the difference if the world has changed so that it does not hold any more; `in-maintenance` if
    /// another evacuation empties one of its hosts; `already-migrating` if another evacuation has one of its VMs.
    async fn carry_out(&self, who: &Principal, id: PlanId) -> Result<Evacuation, Problem>;

    /// An evacuation as it is now, and its history, oldest entry first.
    ///
    /// # Errors
    /// `unknown-evacuation`.
    async fn evacuation(
        &self,
        who: &Principal,
        id: EvacuationId,
    ) -> Result<(Evacuation, Vec<EvacuationEvent>), Problem>;

    /// The newest evacuations, newest first, without their items; at most `limit`, 1 to 1000.
    ///
    /// # Errors
    /// `invalid-input` for another limit.
    async fn evacuations(&self, who: &Principal, limit: u32) -> Result<Vec<Evacuation>, Problem>;

    /// Tells an evacuation that has not ended to go on otherwise.
    ///
    /// # Errors
    /// `unknown-evacuation`; `already-ended`; `wrong-state` with the reason; `unknown-vm` if it has no such VM.
    async fn tell(&self, who: &Principal, id: EvacuationId, command: EvacuationCommand) -> Result<Evacuation, Problem>;

    /// Says that work on an empty host begins, or that a host is in use again.
    ///
    /// # Errors
    /// `unknown-host`; `wrong-state` with the reason.
    async fn set_maintenance(
        &self,
        who: &Principal,
        host: &HostName,
        command: MaintenanceCommand,
    ) -> Result<(), Problem>;

    /// The rules for where VMs may be.
    ///
    /// # Errors
    /// None today.
    async fn placement_rules(&self, who: &Principal) -> Result<PlacementRules, Problem>;

    /// Replaces the rules for where VMs may be.
    ///
    /// # Errors
    /// `invalid-input` for a rule without name or VMs, two rules of one name, a priority out of range.
    async fn set_placement_rules(&self, who: &Principal, rules: PlacementRules) -> Result<(), Problem>;
}
