//! Hooks: told once when a host is empty, and once when all is home; what they say is kept.

use std::sync::Mutex;

use async_trait::async_trait;
use model::{MaintenanceStage, PlanRequest, Subject};

use super::*;
use crate::{HookEvent, Hooks};

#[derive(Default)]
struct Told(Mutex<Vec<HookEvent>>);

#[async_trait]
impl Hooks for Told {
    async fn tell(&self, event: &HookEvent) -> Vec<String> {
        self.0.lock().unwrap().push(event.clone());
        vec![format!("{} was told.", event.event)]
    }
}

impl Bench {
    async fn carry_out(&self, subject: Subject) -> model::EvacuationId {
        let request = PlanRequest { reason: "kernel update".into(), ..PlanRequest::plain(subject) };
        let plan = self.engine.plan(request).await.unwrap();
        assert_eq!(plan.moves.len(), 1, "{plan:#?}");
        self.engine.carry_out(plan.id, "ada").await.unwrap().id
    }

    /// What is kept of alpha while it is emptied; none once it is in use.
    fn alpha(&self) -> Option<model::Maintenance> {
        let hosts = self.engine.snapshot(None).hosts;
        hosts.into_iter().find(|shown| shown.name == host("alpha")).unwrap().maintenance
    }
}

#[tokio::test(start_paused = true)]
async fn what_hooks_say_is_in_the_record() {
    let bench = Bench::new().await;
    let hooks = Arc::new(Told::default());
    bench.engine.set_hooks(hooks.clone());
    bench.vm("web", VmState::Running, IDLE).await;
    let away = bench.carry_out(Subject::Hosts(vec![host("alpha")])).await;
    bench.until(|bench| bench.alpha().is_some_and(|alpha| alpha.told == ["empty was told."])).await;
    assert_eq!(bench.alpha().unwrap().stage, MaintenanceStage::Empty);

    let home = bench.carry_out(Subject::Home(away)).await;
    let mut updates = bench.engine.subscribe(None, None);
    while bench.engine.evacuation(home).await.unwrap().1.iter().all(|event| event.text != "home was told.") {
        updates.recv().await.expect("the console stopped");
    }
    assert_eq!(bench.alpha(), None);
    let told = hooks.0.lock().unwrap().clone();
    let expected = |event, at: usize| HookEvent {
        event,
        host: host("alpha"),
        reason: "kernel update".into(),
        by: "ada".into(),
        evacuation: away,
        at_ms: told[at].at_ms,
    };
    assert_eq!(told, [expected("empty", 0), expected("home", 1)]);
}
