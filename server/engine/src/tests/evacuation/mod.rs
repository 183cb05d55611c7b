//! Evacuations: plans, and what becomes of them.

mod estimate;
mod faults;
mod fleet;
mod home;
mod plan;
mod raise;
mod random;
mod reserve;
mod stages;

use std::time::Duration;

use model::{Evacuation, EvacuationId, ItemState, Maintenance, Plan, PlanRequest, Subject};

use super::*;

/// No evacuation of a test takes longer, in simulated time.
const LIMIT: Duration = Duration::from_secs(24 * 3_600);

impl Bench {
    async fn vms(&self, names: &[&str], load: Load) -> Vec<VmId> {
        let mut vms = Vec::new();
        for name in names {
            vms.push(self.vm(name, VmState::Running, load).await);
        }
        vms
    }

    async fn plan_to_empty(&self, name: &str) -> Plan {
        self.engine.plan(emptying(name)).await.unwrap()
    }

    /// Plans to empty a host, and begins.
    async fn empty(&self, name: &str) -> EvacuationId {
        let plan = self.plan_to_empty(name).await;
        self.engine.carry_out(plan.id, "ada").await.unwrap().id
    }

    async fn evacuation(&self, id: EvacuationId) -> Evacuation {
        self.engine.evacuation(id).await.unwrap().0
    }

    /// Waits until an evacuation is like that, and returns it.
    async fn until_evacuation(&self, id: EvacuationId, is_so: impl Fn(&Evacuation) -> bool) -> Evacuation {
        let waiting = async {
            loop {
                let now = self.evacuation(id).await;
                if is_so(&now) {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let now = tokio::time::timeout(LIMIT, waiting).await;
        match now {
            Ok(now) => now,
            Err(_) => panic!("it never is so: {:#?}", self.engine.evacuation(id).await),
        }
    }

    /// Waits until an evacuation has ended, or nothing of it moves without a person.
    async fn until_settled(&self, id: EvacuationId) -> Evacuation {
        self.until_evacuation(id, |now| now.state.has_ended() || now.left() == 0).await
    }

    fn maintenance(&self, name: &str) -> Option<Maintenance> {
        let hosts = self.engine.snapshot(None).hosts;
        hosts.into_iter().find(|shown| shown.name == host(name)).unwrap().maintenance
    }

    /// Waits until a host is in this stage, or (none) in use.
    async fn until_stage(&self, name: &str, stage: Option<model::MaintenanceStage>) {
        self.until(|bench| bench.maintenance(name).map(|now| now.stage) == stage).await;
    }

    async fn was_told(&self, id: EvacuationId) -> Vec<String> {
        self.engine.evacuation(id).await.unwrap().1.into_iter().map(|event| event.text).collect()
    }
}

fn emptying(name: &str) -> PlanRequest {
    PlanRequest { reason: "kernel update".into(), ..PlanRequest::plain(Subject::Hosts(vec![host(name)])) }
}

fn state(evacuation: &Evacuation, vm: VmId) -> &ItemState {
    &evacuation.item(vm).unwrap().state
}

fn has_moved(evacuation: &Evacuation, vm: VmId) -> bool {
    matches!(state(evacuation, vm), ItemState::Moved { .. })
}
