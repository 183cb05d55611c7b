//! VMs come home.

use model::{Code, MaintenanceStage, Why};

use super::*;
use crate::testing::Fault;

#[tokio::test(start_paused = true)]
async fn all_come_home() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db", "mail"], IDLE).await;
    let id = bench.empty("alpha").await;
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
    let plan = bench.engine.plan(PlanRequest::plain(Subject::Home(id))).await.unwrap();
    assert_eq!(plan.moves.len(), 3);
    assert!(plan.moves.iter().all(|planned| planned.destination == host("alpha") && planned.why == Why::Home));
    let home = bench.engine.carry_out(plan.id, "ada").await.unwrap();
    assert_eq!(bench.maintenance("alpha").unwrap().stage, MaintenanceStage::ComingBack);
    let end = bench.until_settled(home.id).await;
    assert!(vms.iter().all(|vm| has_moved(&end, *vm)));
    assert!(vms.iter().all(|vm| bench.sim.runs_on(*vm) == [host("alpha")]));
    bench.until_stage("alpha", None).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_on_its_way_home_goes_nowhere_else() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db"], IDLE).await;
    let id = bench.empty("alpha").await;
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
    bench.sim.fail_next(vms[0], Fault::Refused("not now".into()));
    let plan = bench.engine.plan(PlanRequest::plain(Subject::Home(id))).await.unwrap();
    let home = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    let end = bench.until_settled(home).await;
    assert_eq!(end.item(vms[0]).unwrap().tried.len(), 1);
    assert!(vms.iter().all(|vm| has_moved(&end, *vm) && bench.sim.runs_on(*vm) == [host("alpha")]), "{end:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_on_a_host_that_is_away_is_named() {
    let mut bench = Bench::new().await;
    let vms = bench.vms(&["web", "db"], IDLE).await;
    let id = bench.empty("alpha").await;
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
    let away = bench.engine.vm(vms[0]).unwrap().host;
    let there = vms.iter().filter(|vm| bench.engine.vm(**vm).unwrap().host == away).count();
    bench.sim.cut(&away);
    bench.restart().await;
    bench.until(|bench| bench.engine.snapshot(None).hosts.iter().filter(|host| host.is_connected()).count() == 2).await;
    let plan = bench.engine.plan(PlanRequest::plain(Subject::Home(id))).await.unwrap();
    assert_eq!(plan.moves.len(), vms.len() - there, "{plan:#?}");
    let stays = plan.stays.iter().find(|stays| stays.vm == vms[0]).unwrap();
    assert!(stays.problem.as_ref().unwrap().sentence.contains(away.as_str()), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_has_moved_on_stays_there() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db"], IDLE).await;
    let id = bench.empty("alpha").await;
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
    let on = bench.engine.vm(vms[0]).unwrap().host;
    let other = if on == host("beta") { "gamma" } else { "beta" };
    let moved_on = bench.start(vms[0], other).await;
    bench.ended(moved_on).await;
    bench.until(|bench| bench.engine.vm(vms[0]).unwrap().host == host(other)).await;
    let plan = bench.engine.plan(PlanRequest::plain(Subject::Home(id))).await.unwrap();
    assert_eq!((plan.moves.len(), plan.moves[0].vm, plan.stays[0].vm), (1, vms[1], vms[0]));
    assert!(plan.stays[0].problem.as_ref().unwrap().sentence.contains("has moved on"));
    let home = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    bench.until_settled(home).await;
    assert_eq!(bench.sim.runs_on(vms[0]), [host(other)]);
}

#[tokio::test(start_paused = true)]
async fn the_home_of_an_unknown_evacuation_is_none() {
    let bench = Bench::new().await;
    let unknown = EvacuationId(uuid::Uuid::from_u128(7));
    let error = bench.engine.plan(PlanRequest::plain(Subject::Home(unknown))).await.unwrap_err();
    assert_eq!(error.code(), Code::UnknownEvacuation);
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_on_a_third_host_goes_on_to_where_it_belongs() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let mut evacuation = model::examples::evacuation(1, &["web"]);
    evacuation.request = PlanRequest::plain(Subject::Vms(vec![vm]));
    let item = &mut evacuation.items[0];
    (item.vm, item.via, item.destination) = (vm, Some(host("beta")), Some(host("gamma")));
    store::Evacuations::insert_evacuation(&*bench.store, &evacuation, &[]).await.unwrap();
    bench.restart().await;
    let end = bench.until_settled(evacuation.id).await;
    assert!(has_moved(&end, vm), "{end:#?}");
    assert_eq!(bench.sim.runs_on(vm), [host("gamma")]);
    let hops = bench.engine.migrations(&MigrationFilter::newest(9)).await.unwrap();
    let hops: Vec<&HostName> = hops.iter().rev().map(|hop| &hop.destination).collect();
    assert_eq!(hops, [&host("beta"), &host("gamma")]);
}
