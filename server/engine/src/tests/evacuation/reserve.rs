//! Memory is reserved at the destinations, from the begin of an evacuation to its end, against everything else that wants it.

use model::{Code, EvacuationCommand, Finding, FindingCode, MigrationOptions, Severity};

use super::*;
use crate::testing::Fault;

/// Two of them are more than a simulated host has.
const LARGE: Load = Load { memory_bytes: 40 << 30, dirty_bytes_s: 0 };

impl Bench {
    /// Two large VMs on alpha; of the other hosts only this one answers.
    async fn two_large(&self, gone: &str) -> [VmId; 2] {
        let vms = self.vms(&["web", "db"], LARGE).await;
        self.sim.kill(&host(gone));
        self.until(|bench| bench.engine.snapshot(None).hosts.iter().any(|host| !host.is_connected())).await;
        [vms[0], vms[1]]
    }

    async fn plan_to_move(&self, vm: VmId) -> Plan {
        self.engine.plan(PlanRequest::plain(Subject::Vms(vec![vm]))).await.unwrap()
    }

    /// Begins to move a VM, and pauses before it goes.
    async fn promised(&self, vm: VmId) -> EvacuationId {
        let plan = self.plan_to_move(vm).await;
        let id = self.engine.carry_out(plan.id, "ada").await.unwrap().id;
        let paused = self.engine.tell_evacuation(id, EvacuationCommand::Pause, "ada").await.unwrap();
        assert_eq!(state(&paused, vm), &ItemState::Waiting);
        id
    }

    async fn memory_finding(&self, vm: VmId, destination: &str) -> Finding {
        let options = MigrationOptions::default();
        let preflight = self.engine.preflight(vm, &host(destination), &options).await.unwrap();
        preflight.findings.into_iter().find(|finding| finding.code == FindingCode::Memory).unwrap()
    }

    fn reserved(&self, name: &str) -> u64 {
        let hosts = self.engine.snapshot(None).hosts;
        hosts.into_iter().find(|shown| shown.name == host(name)).unwrap().memory_reserved_bytes
    }
}

#[tokio::test(start_paused = true)]
async fn who_moves_a_vm_by_hand_is_told_what_is_promised() {
    let bench = Bench::new().await;
    let [web, db] = bench.two_large("gamma").await;
    assert_eq!(bench.memory_finding(db, "beta").await.severity, Severity::Ok);
    let id = bench.promised(web).await;
    let finding = bench.memory_finding(db, "beta").await;
    assert_eq!((finding.severity, finding.consent), (Severity::Warning, false));
    assert!(finding.text.contains("of which 40.1 GiB are reserved for VMs of evacuations"), "{}", finding.text);
    // What is reserved for it does not speak against itself.
    assert_eq!(bench.memory_finding(web, "beta").await.severity, Severity::Ok);
    bench.engine.tell_evacuation(id, EvacuationCommand::Stop { cancel: false }, "ada").await.unwrap();
    assert_eq!(bench.memory_finding(db, "beta").await.severity, Severity::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_host_shows_what_is_reserved_until_all_have_come() {
    let mut bench = Bench::new().await;
    let [web, _] = bench.two_large("gamma").await;
    assert_eq!(bench.reserved("beta"), 0);
    let id = bench.promised(web).await;
    let needs = bench.evacuation(id).await.item(web).unwrap().memory_bytes;
    assert!(needs > LARGE.memory_bytes);
    assert_eq!((bench.reserved("alpha"), bench.reserved("beta")), (0, needs));
    assert_eq!(bench.engine.host_details(&host("beta")).await.unwrap().memory_reserved_bytes, needs);
    bench.restart().await;
    assert_eq!(bench.reserved("beta"), needs);
    bench.until(|bench| bench.engine.vm(web).is_some_and(|vm| vm.state == VmState::Running)).await;
    bench.engine.tell_evacuation(id, EvacuationCommand::Continue, "ada").await.unwrap();
    let end = bench.until_evacuation(id, |now| now.state.has_ended()).await;
    assert!(has_moved(&end, web), "{end:#?}");
    assert_eq!(bench.reserved("beta"), 0);
}

#[tokio::test(start_paused = true)]
async fn of_two_plans_for_the_same_room_the_second_is_refused() {
    let bench = Bench::new().await;
    let [web, db] = bench.two_large("gamma").await;
    let plans = [bench.plan_to_move(web).await, bench.plan_to_move(db).await];
    let first = bench.engine.carry_out(plans[0].id, "ada").await.unwrap().id;
    bench.engine.tell_evacuation(first, EvacuationCommand::Pause, "ada").await.unwrap();
    let problem = model::Problem::from(bench.engine.carry_out(plans[1].id, "grace").await.unwrap_err());
    assert_eq!(problem.code, Code::PlanOutdated);
    assert!(problem.sentence.contains("beta has no room for db any more."), "{}", problem.sentence);
}

#[tokio::test(start_paused = true)]
async fn one_that_failed_does_not_get_the_room_of_another_evacuation() {
    let bench = Bench::new().await;
    let [web, db] = bench.two_large("gamma").await;
    bench.sim.revive(&host("gamma"));
    bench.until(|bench| bench.engine.snapshot(None).hosts.iter().all(model::Host::is_connected)).await;
    bench.sim.fail_always(db, Some(Fault::Refused("not now".into())));
    let request = PlanRequest { destination: Some(host("beta")), ..PlanRequest::plain(Subject::Vms(vec![web])) };
    let plan = bench.engine.plan(request).await.unwrap();
    let first = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    bench.engine.tell_evacuation(first, EvacuationCommand::Pause, "ada").await.unwrap();
    let plan = bench.plan_to_move(db).await;
    assert_eq!(plan.moves[0].destination, host("gamma"));
    let second = bench.engine.carry_out(plan.id, "ada").await.unwrap().id;
    let end = bench.until_settled(second).await;
    let tried: Vec<&HostName> = end.item(db).unwrap().tried.iter().map(|tried| &tried.destination).collect();
    assert_eq!(tried, [&host("gamma"); 3], "beta is promised to the other, so that the same is tried again");
}
