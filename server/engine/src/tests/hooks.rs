//! Hooks: told once when a host is empty, and once when all is home, and again only if the console died meanwhile; what they say is kept.

use std::sync::Mutex;

use async_trait::async_trait;
use model::{HookEvent, HookKind, MaintenanceStage, PlanRequest, Subject};
use store::Evacuations as _;

use super::*;
use crate::Hooks;

#[derive(Default)]
struct Told(Mutex<Vec<HookEvent>>);

#[async_trait]
impl Hooks for Told {
    async fn tell(&self, event: &HookEvent) -> Vec<String> {
        self.0.lock().unwrap().push(event.clone());
        vec![format!("{} was told.", event.event.as_str())]
    }
}

/// Hears of it, and does not come to an end.
#[derive(Default)]
struct Stuck(Told);

#[async_trait]
impl Hooks for Stuck {
    async fn tell(&self, event: &HookEvent) -> Vec<String> {
        self.0.tell(event).await;
        std::future::pending().await
    }
}

impl Told {
    fn heard(&self) -> Vec<HookEvent> {
        self.0.lock().unwrap().clone()
    }
}

impl Bench {
    /// Waits until the store has nothing more that is to be told.
    async fn until_told(&self) {
        while !self.store.hooks_to_tell().await.unwrap().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    async fn carry_out(&self, subject: Subject) -> model::EvacuationId {
        let request = PlanRequest { reason: "kernel update".into(), ..PlanRequest::plain(subject) };
        let plan = self.engine.plan(request).await.unwrap();
        assert_eq!(plan.moves.len(), 1, "{plan:#?}");
        self.engine.carry_out(plan.id, "ada").await.unwrap().id
    }

    /// Empties alpha, which has no VMs.
    async fn carry_out_empty(&self) {
        self.until(|bench| bench.engine.snapshot(None).hosts.iter().all(model::Host::is_connected)).await;
        let plan = self.engine.plan(PlanRequest::plain(Subject::Hosts(vec![host("alpha")]))).await.unwrap();
        self.engine.carry_out(plan.id, "ada").await.unwrap();
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
    let told = hooks.heard();
    let expected = |event, at: usize| HookEvent {
        id: told[at].id,
        event,
        host: host("alpha"),
        reason: "kernel update".into(),
        by: "ada".into(),
        evacuation: away,
        home: (event == HookKind::Home).then_some(home),
        at_ms: told[at].at_ms,
    };
    assert_eq!(told, [expected(HookKind::Empty, 0), expected(HookKind::Home, 1)]);
    assert_ne!(told[0].id, told[1].id);
}

#[tokio::test(start_paused = true)]
async fn what_was_told_is_not_told_by_the_next_console() {
    let mut bench = Bench::new().await;
    let hooks = Arc::new(Told::default());
    bench.engine.set_hooks(hooks.clone());
    bench.vm("web", VmState::Running, IDLE).await;
    bench.carry_out(Subject::Hosts(vec![host("alpha")])).await;
    bench.until(|bench| bench.alpha().is_some_and(|alpha| !alpha.told.is_empty())).await;
    bench.until_told().await;
    bench.restart().await;
    let next = Arc::new(Told::default());
    bench.engine.set_hooks(next.clone());
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!((hooks.heard().len(), next.heard().len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_console_that_died_has_not_told_the_next_one_tells() {
    let mut bench = Bench::new().await;
    bench.vm("web", VmState::Running, IDLE).await;
    let away = bench.carry_out(Subject::Hosts(vec![host("alpha")])).await;
    bench.until(|bench| bench.alpha().is_some_and(|alpha| alpha.stage == MaintenanceStage::Empty)).await;
    // It was not even begun: nobody has said yet who is to be told.
    bench.restart().await;
    let stuck = Arc::new(Stuck::default());
    bench.engine.set_hooks(stuck.clone());
    while stuck.0.heard().is_empty() {
        tokio::task::yield_now().await;
    }
    // Nor did it end.
    bench.restart().await;
    let hooks = Arc::new(Told::default());
    bench.engine.set_hooks(hooks.clone());
    bench.until_told().await;
    assert_eq!(hooks.heard(), stuck.0.heard(), "it is known again by its id");
    assert_eq!(bench.alpha().unwrap().told, ["empty was told."]);

    let home = bench.carry_out(Subject::Home(away)).await;
    bench.until(|bench| bench.alpha().is_none()).await;
    bench.until_told().await;
    assert_eq!(hooks.heard().len(), 2);
    let history = bench.engine.evacuation(home).await.unwrap().1;
    assert_eq!(history.iter().filter(|event| event.text == "home was told.").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_can_not_be_written_down_is_told_to_nobody_until_it_is() {
    let bench = Bench::new().await;
    let hooks = Arc::new(Told::default());
    bench.engine.set_hooks(hooks.clone());
    bench.carry_out_empty().await;
    bench.store.set_broken(true);
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(hooks.heard(), []);
    bench.store.set_broken(false);
    bench.until(|bench| bench.alpha().is_some_and(|alpha| !alpha.told.is_empty())).await;
    assert_eq!(hooks.heard().len(), 1);
}
