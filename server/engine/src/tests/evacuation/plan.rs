//! What a plan says before anything begins.

use model::{Choice, Code, FindingCode, Why};

use super::*;
use crate::hypervisor::Folder;

#[tokio::test(start_paused = true)]
async fn a_plan_names_every_vm_and_changes_nothing() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db", "mail"], IDLE).await;
    let plan = bench.plan_to_empty("alpha").await;
    let mut planned: Vec<VmId> = plan.moves.iter().map(|planned| planned.vm).collect();
    planned.sort_unstable();
    assert_eq!(planned, vms);
    assert!(plan.moves.iter().all(|planned| planned.destination != host("alpha") && planned.source == host("alpha")));
    assert!(plan.moves.iter().all(|planned| matches!(planned.why, Why::Soonest { .. })));
    assert!(plan.likely_ms > 0 && plan.likely_ms >= plan.bound_ms && plan.between_ms[0] <= plan.between_ms[1]);
    assert_eq!((plan.stays.len(), &plan.shortage), (0, &None));
    assert!(bench.engine.snapshot(None).migrations.is_empty() && bench.maintenance("alpha").is_none());
    assert_eq!(bench.engine.kept_plan(plan.id).unwrap(), plan);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_can_not_move_is_named_before_the_start() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db"], IDLE).await;
    bench.sim.shape_vm(vms[1], |domain| domain.host_devices.push("hostdev0".into()));
    let plan = bench.plan_to_empty("alpha").await;
    assert_eq!(plan.moves.iter().map(|planned| planned.vm).collect::<Vec<_>>(), [vms[0]]);
    let stay = &plan.stays[0];
    assert_eq!((stay.vm, stay.choice, &stay.choices[..]), (vms[1], None, &[Choice::Leave, Choice::ShutDown][..]));
    let problem = stay.problem.as_ref().unwrap();
    assert_eq!(problem.code, Code::Blocked);
    assert!(problem.fix.is_some() && problem.details.as_ref().unwrap().contains("beta:"), "{problem:?}");
    // The rest goes.
    let id = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    let end = bench.until_settled(id).await;
    assert!(has_moved(&end, vms[0]));
    assert!(matches!(state(&end, vms[1]), ItemState::Stays { problem: Some(_), choice: None }));
    assert_eq!(bench.sim.runs_on(vms[1]), [host("alpha")], "it was not stopped");
}

#[tokio::test(start_paused = true)]
async fn a_risk_that_keeps_a_vm_can_be_accepted() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let folder = Folder { name: "data".to_owned(), path: Some("/srv/data".to_owned()) };
    bench.sim.shape_vm(vm, move |domain| domain.plan9_folders = vec![folder.clone()]);
    let plan = bench.plan_to_empty("alpha").await;
    assert_eq!(plan.moves.len(), 0);
    let problem = plan.stays[0].problem.as_ref().unwrap();
    assert_eq!(problem.code, Code::NeedsConsent);
    assert_eq!(problem.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [FindingCode::SharedFolder]);
    let details = problem.details.as_ref().unwrap();
    assert!(details.contains("beta:") && details.contains("gamma:"), "{details}");
    let request = PlanRequest { accept: vec![FindingCode::SharedFolder], ..emptying("alpha") };
    let plan = bench.engine.plan(request).await.unwrap();
    assert_eq!(plan.moves.iter().map(|planned| planned.vm).collect::<Vec<_>>(), [vm]);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_off_stays_unless_that_is_chosen() {
    let bench = Bench::new().await;
    let vm = bench.vm("old", VmState::ShutOff, IDLE).await;
    let plan = bench.plan_to_empty("alpha").await;
    assert_eq!((plan.moves.len(), plan.stays[0].vm, &plan.stays[0].problem), (0, vm, &None));
    assert!(!plan.stays[0].is_active && plan.stays[0].choices.contains(&Choice::MoveOffline));
    let chosen = PlanRequest { choices: [(vm, Choice::MoveOffline)].into(), ..emptying("alpha") };
    let plan = bench.engine.plan(chosen).await.unwrap();
    assert_eq!((plan.moves[0].vm, plan.moves[0].mode), (vm, model::Mode::Offline));
    // It is off already: when all come home it would be started.
    let shut_down = PlanRequest { choices: [(vm, Choice::ShutDown)].into(), ..emptying("alpha") };
    let plan = bench.engine.plan(shut_down).await.unwrap();
    assert_eq!((plan.stays[0].vm, plan.stays[0].choice), (vm, None));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_does_not_hold_any_more_is_refused_with_the_difference() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db"], IDLE).await;
    let plan = bench.plan_to_empty("alpha").await;
    bench.start(vms[0], "gamma").await;
    bench.until(|bench| bench.engine.vm(vms[0]).unwrap().host == host("gamma")).await;
    let new = bench.vm("new", VmState::Running, IDLE).await;
    let error = bench.engine.carry_out(plan.id, "ada").await.unwrap_err();
    let problem = model::Problem::from(error);
    assert_eq!(problem.code, Code::PlanOutdated);
    let details = problem.details.unwrap();
    assert!(details.contains("web is on gamma now.") && details.contains("new is on alpha, too."), "{details}");
    assert!(bench.engine.open_evacuations().is_empty() && bench.maintenance("alpha").is_none());
    assert_eq!(bench.sim.runs_on(new), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn requests_that_say_nothing_are_refused() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let plan = async |request: PlanRequest| bench.engine.plan(request).await.unwrap_err().code();
    assert_eq!(plan(PlanRequest::plain(Subject::Hosts(vec![]))).await, Code::InvalidInput);
    assert_eq!(plan(PlanRequest::plain(Subject::Hosts(vec![host("alpha"); 2]))).await, Code::InvalidInput);
    assert_eq!(plan(PlanRequest::plain(Subject::Vms(vec![vm, vm]))).await, Code::InvalidInput);
    assert_eq!(plan(emptying("nowhere")).await, Code::UnknownHost);
    assert_eq!(plan(PlanRequest { reason: "a".repeat(201), ..emptying("alpha") }).await, Code::InvalidInput);
    assert_eq!(plan(PlanRequest { destination: Some(host("alpha")), ..emptying("alpha") }).await, Code::SameHost);
    let unknown = VmId(uuid::Uuid::from_u128(7));
    assert_eq!(plan(PlanRequest::plain(Subject::Vms(vec![unknown]))).await, Code::UnknownVm);
}

#[tokio::test(start_paused = true)]
async fn several_vms_move_to_one_host() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db", "mail"], IDLE).await;
    let request =
        PlanRequest { destination: Some(host("gamma")), ..PlanRequest::plain(Subject::Vms(vms[..2].to_vec())) };
    let plan = bench.engine.plan(request).await.unwrap();
    assert!(plan.moves.iter().all(|planned| planned.destination == host("gamma") && planned.why == Why::Asked));
    let id = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    bench.until_settled(id).await;
    let at = |index: usize| bench.sim.runs_on(vms[index]);
    assert_eq!((at(0), at(1), at(2)), (vec![host("gamma")], vec![host("gamma")], vec![host("alpha")]));
    assert!(bench.maintenance("alpha").is_none(), "it is not emptied");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_planned_to_a_host_that_is_emptied() {
    let bench = Bench::new().await;
    bench.vms(&["web", "db"], IDLE).await;
    bench.empty("beta").await;
    let plan = bench.plan_to_empty("alpha").await;
    assert!(plan.moves.iter().all(|planned| planned.destination == host("gamma")), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_another_evacuation_has_promised_is_not_given_away() {
    let bench = Bench::new().await;
    // Two of them are more than a simulated host has.
    let vms = bench.vms(&["web", "db"], Load { memory_bytes: 40 << 30, dirty_bytes_s: 0 }).await;
    bench.sim.kill(&host("gamma"));
    bench.until(|bench| bench.engine.snapshot(None).hosts.iter().any(|host| !host.is_connected())).await;
    let moving = |vm| PlanRequest::plain(Subject::Vms(vec![vm]));
    let plan = bench.engine.plan(moving(vms[0])).await.unwrap();
    let id = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    let paused = bench.engine.tell_evacuation(id, model::EvacuationCommand::Pause, "ada").await.unwrap();
    assert_eq!(state(&paused, vms[0]), &ItemState::Waiting);
    let plan = bench.engine.plan(moving(vms[1])).await.unwrap();
    assert_eq!(plan.moves.len(), 0, "{plan:#?}");
    assert_eq!(plan.stays[0].problem.as_ref().unwrap().code, Code::NoRoom);
}
