//! Plans, evacuations, hosts in maintenance, and rules.

use std::sync::Arc;

use model::{
    Evacuation, EvacuationCommand, EvacuationEvent, EvacuationId, HostName, MaintenanceCommand, PlacementRules, Plan,
    PlanId, PlanRequest,
};

use super::Engine;
use crate::{error::Error, evacuation::Hooks};

impl Engine {
    /// Plans, and changes nothing. The plan is kept for an hour. Takes up to 35 s.
    ///
    /// # Errors
    /// `invalid-input`, `unknown-host`, `unknown-vm`, `unknown-evacuation`; `same-host` for a host that is to be emptied and filled at once.
    pub async fn plan(&self, request: PlanRequest) -> Result<Plan, Error> {
        self.evacuations.plan(request).await
    }

    /// A plan that was made before.
    ///
    /// # Errors
    /// `unknown-plan`.
    pub fn kept_plan(&self, id: PlanId) -> Result<Plan, Error> {
        self.evacuations.kept_plan(id)
    }

    /// Writes down that a plan is carried out, and begins.
    ///
    /// # Errors
    /// `unknown-plan`; `plan-outdated` with the difference; `in-maintenance`, `already-migrating`.
    pub async fn carry_out(&self, id: PlanId, by: &str) -> Result<Evacuation, Error> {
        self.evacuations.carry_out(id, by).await
    }

    /// An evacuation as it is now, and its history, oldest entry first.
    ///
    /// # Errors
    /// `unknown-evacuation`.
    pub async fn evacuation(&self, id: EvacuationId) -> Result<(Evacuation, Vec<EvacuationEvent>), Error> {
        self.evacuations.get(id).await
    }

    /// The newest evacuations, newest first, without their items.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn evacuations(&self, limit: u32) -> Result<Vec<Evacuation>, Error> {
        self.evacuations.list(limit).await
    }

    /// The evacuations that have not ended, oldest first, as they are now.
    pub fn open_evacuations(&self) -> Vec<Evacuation> {
        self.evacuations.open()
    }

    /// Tells an evacuation to go on otherwise.
    ///
    /// # Errors
    /// `unknown-evacuation`, `already-ended`, `wrong-state`, `unknown-vm`.
    pub async fn tell_evacuation(
        &self,
        id: EvacuationId,
        command: EvacuationCommand,
        by: &str,
    ) -> Result<Evacuation, Error> {
        self.evacuations.tell(id, command, by).await
    }

    /// Says that work on an empty host begins, or that a host is in use again.
    ///
    /// # Errors
    /// `unknown-host`, `wrong-state`.
    pub async fn set_maintenance(&self, host: &HostName, command: MaintenanceCommand) -> Result<(), Error> {
        self.evacuations.set_maintenance(host, command).await
    }

    /// The rules for where VMs may be.
    pub fn placement_rules(&self) -> PlacementRules {
        self.evacuations.rules()
    }

    /// Replaces them.
    ///
    /// # Errors
    /// `invalid-input`.
    pub async fn set_placement_rules(&self, rules: PlacementRules) -> Result<(), Error> {
        self.evacuations.set_rules(rules).await
    }

    /// Who is told when a host is empty, and when all is home.
    pub fn set_hooks(&self, hooks: Arc<dyn Hooks>) {
        self.evacuations.set_hooks(hooks);
    }
}
