//! Plans and evacuations.

use async_trait::async_trait;
use model::{
    Code, Evacuation, EvacuationCommand, EvacuationEvent, EvacuationId, HostName, MaintenanceCommand, PlacementRules,
    Plan, PlanId, PlanRequest, Problem,
};
use port::{Evacuations, Principal};
use store::Action;

use super::ServerConsole;

/// The most evacuations that are listed at once.
const LONGEST_LIST: u32 = 1_000;

#[async_trait]
impl Evacuations for ServerConsole {
    async fn plan(&self, _who: &Principal, request: PlanRequest) -> Result<Plan, Problem> {
        Ok(self.engine.plan(request).await?)
    }

    async fn kept_plan(&self, _who: &Principal, id: PlanId) -> Result<Plan, Problem> {
        Ok(self.engine.kept_plan(id)?)
    }

    async fn carry_out(&self, who: &Principal, id: PlanId) -> Result<Evacuation, Problem> {
        // The audit entry of a start is written by the store, in the same transaction as the evacuation.
        Ok(self.engine.carry_out(id, who.user()).await?)
    }

    async fn evacuation(
        &self,
        _who: &Principal,
        id: EvacuationId,
    ) -> Result<(Evacuation, Vec<EvacuationEvent>), Problem> {
        Ok(self.engine.evacuation(id).await?)
    }

    async fn evacuations(&self, _who: &Principal, limit: u32) -> Result<Vec<Evacuation>, Problem> {
        match limit {
            1..=LONGEST_LIST => Ok(self.engine.evacuations(limit).await?),
            _ => Err(Problem::new(Code::InvalidInput, format!("limit is not within 1 to {LONGEST_LIST}."))),
        }
    }

    async fn tell(&self, who: &Principal, id: EvacuationId, command: EvacuationCommand) -> Result<Evacuation, Problem> {
        self.engine.evacuation(id).await?;
        self.audit(who, Action::EvacuationTold(id, &command)).await?;
        Ok(self.engine.tell_evacuation(id, command, who.user()).await?)
    }

    async fn set_maintenance(
        &self,
        who: &Principal,
        host: &HostName,
        command: MaintenanceCommand,
    ) -> Result<(), Problem> {
        self.audit(who, Action::MaintenanceSet(host, command)).await?;
        Ok(self.engine.set_maintenance(host, command).await?)
    }

    async fn placement_rules(&self, _who: &Principal) -> Result<PlacementRules, Problem> {
        Ok(self.engine.placement_rules())
    }

    async fn set_placement_rules(&self, who: &Principal, rules: PlacementRules) -> Result<(), Problem> {
        self.audit(who, Action::PlacementRulesSet(&rules)).await?;
        Ok(self.engine.set_placement_rules(rules).await?)
    }
}
