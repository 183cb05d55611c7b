//! Hosts that refuse or die, consoles that die, a store that fails.

use model::{Code, EvacuationCommand, EvacuationState, MaintenanceStage, VmAction};

use super::*;
use crate::testing::Fault;

#[tokio::test(start_paused = true)]
async fn a_vm_that_fails_is_tried_again_and_the_others_go_on() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db"], IDLE).await;
    let id = {
        let plan = bench.plan_to_empty("alpha").await;
        bench.sim.fail_next(vms[0], Fault::Refused("not now".into()));
        bench.engine.carry_out(plan.id, "ada").await.unwrap().id
    };
    let end = bench.until_settled(id).await;
    assert!(vms.iter().all(|vm| has_moved(&end, *vm)), "{end:#?}");
    let tried = &end.item(vms[0]).unwrap().tried;
    assert_eq!(tried.len(), 1);
    assert!(tried[0].problem.details.as_ref().unwrap().contains("not now") && tried[0].migration.is_some());
    assert_ne!(
        end.item(vms[0]).unwrap().destination.as_ref(),
        Some(&tried[0].destination),
        "another host is tried first"
    );
}

#[tokio::test(start_paused = true)]
async fn after_three_failures_it_waits_for_a_person() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db"], IDLE).await;
    bench.sim.fail_always(vms[0], Some(Fault::Refused("not now".into())));
    let id = bench.empty("alpha").await;
    let end = bench.until_settled(id).await;
    assert_eq!((end.state, end.stuck()), (EvacuationState::Running, 1), "{end:#?}");
    assert!(has_moved(&end, vms[1]));
    let ItemState::WaitsForPerson { problem } = state(&end, vms[0]) else { panic!("{end:#?}") };
    assert_eq!((end.item(vms[0]).unwrap().tried.len(), problem.code), (3, Code::Hypervisor));
    assert_eq!(bench.sim.runs_on(vms[0]), [host("alpha")], "it was not stopped");
    assert_eq!(bench.maintenance("alpha").unwrap().stage, MaintenanceStage::Draining);
    bench.sim.fail_always(vms[0], None);
    bench.engine.tell_evacuation(id, EvacuationCommand::Retry(vms[0]), "ada").await.unwrap();
    let end = bench.until_evacuation(id, |now| now.state.has_ended()).await;
    assert!(has_moved(&end, vms[0]));
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
}

#[tokio::test(start_paused = true)]
async fn the_next_console_goes_on() {
    let mut bench = Bench::new().await;
    let vms = bench.vms(&["a", "b", "c", "d", "e", "f"], BUSY).await;
    let id = bench.empty("alpha").await;
    for seconds in [1, 5, 9] {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        bench.restart().await;
    }
    let end = bench.until_evacuation(id, |now| now.state.has_ended()).await;
    assert!(vms.iter().all(|vm| has_moved(&end, *vm)), "{end:#?}");
    assert!(vms.iter().all(|vm| bench.sim.runs_on(*vm).len() == 1));
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
    bench.restart().await;
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
}

#[tokio::test(start_paused = true)]
async fn a_console_that_starts_while_the_host_is_away_waits_for_it() {
    let mut bench = Bench::new().await;
    let vms = bench.vms(&["a", "b", "c", "d", "e", "f", "g", "h"], BUSY).await;
    let id = bench.empty("alpha").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.sim.cut(&host("alpha"));
    bench.restart().await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let now = bench.evacuation(id).await;
    assert!(now.items.iter().all(|item| !matches!(item.state, ItemState::Gone { .. })), "{now:#?}");
    let waits = now.items.iter().find(|item| item.state == ItemState::Waiting).unwrap();
    assert!(waits.waits_for.as_ref().unwrap().contains("alpha"), "{waits:?}");
    bench.sim.mend(&host("alpha"));
    let end = bench.until_settled(id).await;
    assert!(vms.iter().all(|vm| has_moved(&end, *vm)), "{end:#?}");
    assert!(end.items.iter().all(|item| !item.appeared), "{end:#?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_for_a_person_is_not_gone_while_its_host_is_away() {
    let mut bench = Bench::new().await;
    let vms = bench.vms(&["web"], IDLE).await;
    bench.sim.fail_always(vms[0], Some(Fault::Refused("not now".into())));
    let id = bench.empty("alpha").await;
    bench.until_settled(id).await;
    bench.sim.cut(&host("alpha"));
    bench.restart().await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    let now = bench.evacuation(id).await;
    assert!(matches!(state(&now, vms[0]), ItemState::WaitsForPerson { .. }), "{now:#?}");
}

#[tokio::test(start_paused = true)]
async fn when_a_destination_dies_another_host_takes_its_vms() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["a", "b", "c", "d"], BUSY).await;
    let plan = bench.plan_to_empty("alpha").await;
    assert!(plan.moves.iter().any(|planned| planned.destination == host("beta")), "{plan:#?}");
    bench.sim.kill(&host("beta"));
    bench.until(|bench| bench.engine.snapshot(None).hosts.iter().any(|host| !host.is_connected())).await;
    assert_eq!(bench.engine.carry_out(plan.id, "ada").await.unwrap_err().code(), Code::PlanOutdated);
    let id = bench.empty("alpha").await;
    let end = bench.until_settled(id).await;
    assert!(vms.iter().all(|vm| has_moved(&end, *vm) && bench.sim.runs_on(*vm) == [host("gamma")]), "{end:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_shut_down_meanwhile_is_done_with() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["a", "b", "c", "d", "e", "f", "g", "h"], BUSY).await;
    let id = bench.empty("alpha").await;
    bench.engine.tell_evacuation(id, EvacuationCommand::Pause, "ada").await.unwrap();
    let now = bench.evacuation(id).await;
    let last = now.items.iter().rfind(|item| item.state == ItemState::Waiting).unwrap().vm;
    bench.engine.act(last, None, VmAction::ForceOff).await.unwrap();
    bench.engine.tell_evacuation(id, EvacuationCommand::Continue, "ada").await.unwrap();
    let end = bench.until_settled(id).await;
    assert!(matches!(state(&end, last), ItemState::Gone { .. }), "{end:#?}");
    assert!(vms.iter().filter(|vm| **vm != last).all(|vm| has_moved(&end, *vm)));
    bench.until_stage("alpha", Some(MaintenanceStage::Empty)).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_that_can_not_be_written_down() {
    let bench = Bench::new().await;
    let vms = bench.vms(&["web", "db"], IDLE).await;
    let plan = bench.plan_to_empty("alpha").await;
    bench.store.set_broken(true);
    assert_eq!(bench.engine.carry_out(plan.id, "ada").await.unwrap_err().code(), Code::StoreUnavailable);
    assert!(bench.maintenance("alpha").is_none());
    bench.store.set_broken(false);
    let id = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    bench.store.set_broken(true);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let started = bench.store.migrations(&MigrationFilter::newest(9)).await.unwrap();
    assert!(started.is_empty(), "{started:#?}");
    bench.store.set_broken(false);
    let end = bench.until_settled(id).await;
    assert!(vms.iter().all(|vm| has_moved(&end, *vm)));
}
