//! A host from its first VM's leave to the end of its maintenance.

use model::{Code, EvacuationCommand, EvacuationState, FindingCode, MaintenanceCommand, MaintenanceStage};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_host_is_emptied() {
    let bench = Bench::new().await;
    let mut vms = bench.vms(&["web", "db", "mail"], IDLE).await;
    vms.push(bench.vm("busy", VmState::Running, BUSY).await);
    let id = bench.empty("alpha").await;
    assert_eq!(bench.maintenance("alpha").unwrap().stage, MaintenanceStage::Draining);
    let end = bench.until_settled(id).await;
    assert!(vms.iter().all(|vm| has_moved(&end, *vm)), "{end:#?}");
    assert!(vms.iter().all(|vm| bench.sim.runs_on(*vm).len() == 1 && bench.sim.runs_on(*vm) != [host("alpha")]));
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
    let end = bench.evacuation(id).await;
    assert_eq!((end.state, end.fraction), (EvacuationState::Done, 1.0));
    let migrations = bench.engine.migrations(&MigrationFilter::newest(9)).await.unwrap();
    assert!(migrations.iter().all(|migration| migration.evacuation == Some(id)));
    let told = bench.maintenance("alpha").unwrap();
    assert_eq!((told.reason.as_str(), told.by.as_str(), told.evacuation), ("kernel update", "ada", id));
}

#[tokio::test(start_paused = true)]
async fn an_empty_host_is_worked_on_and_used_again() {
    let bench = Bench::new().await;
    let id = bench.empty("alpha").await;
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
    let tell = async |command| bench.engine.set_maintenance(&host("alpha"), command).await;
    assert_eq!(bench.evacuation(id).await.state, EvacuationState::Done);
    tell(MaintenanceCommand::Begin).await.unwrap();
    bench.until_stage("alpha", Some(MaintenanceStage::InMaintenance)).await;
    tell(MaintenanceCommand::End).await.unwrap();
    bench.until_stage("alpha", None).await;
    assert_eq!(tell(MaintenanceCommand::End).await.unwrap_err().code(), Code::WrongState);
}

#[tokio::test(start_paused = true)]
async fn a_host_is_not_worked_on_before_it_is_empty() {
    let bench = Bench::new().await;
    bench.vm("never", VmState::Running, NEVER).await;
    bench.empty("alpha").await;
    for command in [MaintenanceCommand::Begin, MaintenanceCommand::End] {
        let error = bench.engine.set_maintenance(&host("alpha"), command).await.unwrap_err();
        assert_eq!(error.code(), Code::WrongState);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_by_name_needs_consent() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.empty("beta").await;
    let refused = bench.engine.migrate_to_host(request(vm, "beta"), "ada").await.unwrap_err();
    assert_eq!(refused.code(), Code::NeedsConsent);
    let accepted = MigrationRequest { accept: vec![FindingCode::Maintenance], ..request(vm, "beta") };
    let id = bench.engine.migrate_to_host(accepted, "ada").await.unwrap().id;
    assert_eq!(bench.ended(id).await.phase, model::Phase::Succeeded);
    // An empty host that is not empty any more does not say so.
    bench.until_stage("beta", Some(MaintenanceStage::Draining)).await;
}

#[tokio::test(start_paused = true)]
async fn vms_that_appear_go_too() {
    let bench = Bench::new().await;
    let first = bench.vm("first", VmState::Running, BUSY).await;
    let id = bench.empty("alpha").await;
    let late = bench.vm("late", VmState::Running, IDLE).await;
    let end = bench.until_settled(id).await;
    assert!(has_moved(&end, first) && has_moved(&end, late), "{end:#?}");
    assert!(end.item(late).unwrap().appeared && !end.item(first).unwrap().appeared);
    assert!(bench.was_told(id).await.iter().any(|text| text == "late has appeared on alpha, and goes, too."));
}

#[tokio::test(start_paused = true)]
async fn a_paused_evacuation_begins_nothing() {
    let bench = Bench::new().await;
    bench.vms(&["a", "b", "c", "d", "e", "f", "g", "h"], BUSY).await;
    let id = bench.empty("alpha").await;
    bench.until_evacuation(id, |now| now.count(|state| matches!(state, ItemState::Moving { .. })) > 0).await;
    bench.engine.tell_evacuation(id, EvacuationCommand::Pause, "ada").await.unwrap();
    let quiet =
        bench.until_evacuation(id, |now| now.count(|state| matches!(state, ItemState::Moving { .. })) == 0).await;
    let waiting = quiet.count(|state| *state == ItemState::Waiting);
    assert!(waiting > 0 && quiet.state == EvacuationState::Paused, "{quiet:#?}");
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(bench.evacuation(id).await.count(|state| *state == ItemState::Waiting), waiting);
    bench.engine.tell_evacuation(id, EvacuationCommand::Continue, "ada").await.unwrap();
    assert_eq!(bench.until_settled(id).await.left(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_evacuation_cancels_if_that_is_asked_for() {
    for cancel in [true, false] {
        let bench = Bench::new().await;
        let vms = bench.vms(&["a", "b", "c", "d", "e", "f", "g", "h"], BUSY).await;
        let id = bench.empty("alpha").await;
        bench.until_evacuation(id, |now| now.count(|state| matches!(state, ItemState::Moving { .. })) > 0).await;
        bench.engine.tell_evacuation(id, EvacuationCommand::Stop { cancel }, "ada").await.unwrap();
        let end = bench.until_evacuation(id, |now| now.state.has_ended()).await;
        assert_eq!(end.state, EvacuationState::Stopped);
        let moved = vms.iter().filter(|vm| has_moved(&end, **vm)).count();
        assert_eq!(moved == 0, cancel, "{end:#?}");
        assert!(vms.iter().all(|vm| bench.sim.runs_on(*vm).len() == 1));
        bench.until_stage("alpha", None).await;
        let again = bench.engine.tell_evacuation(id, EvacuationCommand::Pause, "ada").await.unwrap_err();
        assert_eq!(again.code(), Code::AlreadyEnded);
    }
}

#[tokio::test(start_paused = true)]
async fn one_is_left_out_and_another_goes_first() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["a", "b", "c", "d", "e", "f", "g", "h"], BUSY).await;
    let id = bench.empty("alpha").await;
    bench.engine.tell_evacuation(id, EvacuationCommand::Pause, "ada").await.unwrap();
    let now = bench.evacuation(id).await;
    let waiting: Vec<VmId> =
        now.items.iter().filter(|item| item.state == ItemState::Waiting).map(|item| item.vm).collect();
    let [.., skipped, first] = waiting[..] else { panic!("{now:#?}") };
    bench.engine.tell_evacuation(id, EvacuationCommand::Skip(skipped), "ada").await.unwrap();
    let now = bench.engine.tell_evacuation(id, EvacuationCommand::First(first), "ada").await.unwrap();
    let next = now.items.iter().find(|item| item.state == ItemState::Waiting).unwrap();
    assert_eq!(next.vm, first);
    bench.engine.tell_evacuation(id, EvacuationCommand::Continue, "ada").await.unwrap();
    let end = bench.until_settled(id).await;
    assert_eq!(state(&end, skipped), &ItemState::Skipped { by: "ada".into() });
    assert_eq!(bench.sim.runs_on(skipped), [host("alpha")]);
    assert!(vms.iter().filter(|vm| **vm != skipped).all(|vm| has_moved(&end, *vm)));
    let unknown = EvacuationCommand::Skip(VmId(uuid::Uuid::from_u128(7)));
    assert!(bench.engine.tell_evacuation(id, unknown, "ada").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_chosen_vm_is_shut_down_and_none_unasked() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "pinned"], IDLE).await;
    let request = PlanRequest { choices: [(vms[1], model::Choice::ShutDown)].into(), ..emptying("alpha") };
    let plan = bench.engine.plan(request).await.unwrap();
    let id = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
    assert_eq!(bench.sim.copy(&host("alpha"), vms[1]).unwrap().state, VmState::ShutOff);
    // It is started again when the others come home.
    let home = bench.engine.plan(PlanRequest::plain(Subject::Home(id))).await.unwrap();
    bench.engine.carry_out(home.id, "ada").await.unwrap();
    bench.until_stage("alpha", None).await;
    assert!(vms.iter().all(|vm| bench.sim.runs_on(*vm) == [host("alpha")]));
}

#[tokio::test(start_paused = true)]
async fn a_host_is_emptied_by_one_at_a_time() {
    let bench = Bench::new().await;
    bench.vm("never", VmState::Running, NEVER).await;
    let plans = [bench.plan_to_empty("alpha").await, bench.plan_to_empty("alpha").await];
    bench.engine.carry_out(plans[0].id, "ada").await.unwrap();
    let refused = bench.engine.carry_out(plans[1].id, "grace").await.unwrap_err();
    assert_eq!(refused.code(), Code::InMaintenance);
    let twice = bench.engine.carry_out(plans[0].id, "ada").await.unwrap_err();
    assert_eq!(twice.code(), Code::UnknownPlan, "a plan is carried out once");
}
