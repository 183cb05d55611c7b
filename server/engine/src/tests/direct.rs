//! Migrations that the console drives itself, because the request says so or the source may not log in.

use std::time::Duration;

use model::{Code, ControlFlow, FindingCode, MigrationOptions, Mode, Phase, Severity, VmState};
use tokio::time::sleep;

use super::*;
use crate::testing::Fault;

pub(super) fn by(control_flow: ControlFlow) -> MigrationOptions {
    MigrationOptions { control_flow: Some(control_flow), ..MigrationOptions::default() }
}

impl Bench {
    /// What the preflight says of the control flow: how sure it is, and which it is.
    async fn control_flow(&self, vm: VmId) -> (Severity, ControlFlow) {
        let preflight = self.engine.preflight(vm, &host("beta"), &MigrationOptions::default()).await.unwrap();
        let finding = preflight.findings.iter().find(|finding| finding.code == FindingCode::PeerLogin).unwrap();
        (finding.severity, preflight.control_flow)
    }

    /// Moves a VM that is on beta back to alpha.
    async fn back(&self, vm: VmId) {
        let back = self.start(vm, "alpha").await;
        assert_eq!(self.ended(back).await.phase, Phase::Succeeded);
        self.until(|bench| bench.engine.find("web", None).is_ok_and(|vm| vm.host == host("alpha"))).await;
    }

    /// The only host that has a copy of the VM, which runs.
    pub(super) fn runs_only_on(&self, vm: VmId, hosts: &[&str]) -> HostName {
        let copies: Vec<_> = hosts.iter().filter_map(|name| Some((*name, self.sim.copy(&host(name), vm)?))).collect();
        match &copies[..] {
            [(name, copy)] if copy.state == VmState::Running => host(name),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_console_drives_it_if_asked_to() {
    let bench = Bench::new().await;
    for (state, mode) in
        [(VmState::Running, Mode::Live), (VmState::Paused, Mode::Live), (VmState::ShutOff, Mode::Offline)]
    {
        let vm = bench.vm(state.as_str(), state, IDLE).await;
        let end = bench.ended(bench.start_with(vm, by(ControlFlow::Direct)).await).await;
        assert_eq!((end.phase, end.control_flow, end.mode), (Phase::Succeeded, Some(ControlFlow::Direct), mode));
        assert_eq!(
            (bench.sim.copy(&host("alpha"), vm), bench.sim.copy(&host("beta"), vm).unwrap().state),
            (None, state)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_the_source_may_not_log_in_for_goes_on_direct() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.refuse_peers(&host("beta"), true);
    assert_eq!(bench.control_flow(vm).await, (Severity::Unknown, ControlFlow::PeerToPeer));
    let states = bench.follow(bench.start(vm, "beta").await).await;
    let end = states.last().unwrap();
    assert_eq!(
        (states[0].control_flow, end.control_flow, end.phase),
        (Some(ControlFlow::PeerToPeer), Some(ControlFlow::Direct), Phase::Succeeded)
    );
    let history = bench.history(end.id).await;
    let told = |words: &str| history.iter().filter(|text| text.contains(words)).count();
    assert_eq!(told("alpha could not log in on beta (Permission denied (publickey,password).). It goes on direct"), 1);
    assert_eq!(told("Made the volume"), 1, "what was ready stayed so: {history:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_remembered_for_a_day_and_over_restarts() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.refuse_peers(&host("beta"), true);
    for _ in 0..2 {
        let end = bench.ended(bench.start(vm, "beta").await).await;
        assert_eq!((end.phase, end.control_flow), (Phase::Succeeded, Some(ControlFlow::Direct)));
        bench.back(vm).await;
        assert_eq!(bench.control_flow(vm).await, (Severity::Ok, ControlFlow::Direct));
    }
    let first = bench
        .store
        .migrations(&MigrationFilter::newest(10))
        .await
        .unwrap()
        .into_iter()
        .rfind(|one| one.destination == host("beta"));
    assert!(bench.told(first.unwrap().id, "could not log in").await);
    let second = bench.store.migrations(&MigrationFilter::newest(2)).await.unwrap().pop().unwrap();
    assert!(!bench.told(second.id, "could not log in").await, "it was not tried again");
    bench.restart().await;
    bench.until(|bench| bench.engine.find("web", None).is_ok_and(|vm| vm.host == host("alpha"))).await;
    assert_eq!(bench.control_flow(vm).await, (Severity::Ok, ControlFlow::Direct));
    sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!(bench.control_flow(vm).await, (Severity::Unknown, ControlFlow::PeerToPeer), "it may have a key by now");
    bench.sim.refuse_peers(&host("beta"), false);
    assert_eq!(bench.ended(bench.start(vm, "beta").await).await.control_flow, Some(ControlFlow::PeerToPeer));
    bench.back(vm).await;
    // What was found before is old by then.
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.control_flow(vm).await, (Severity::Ok, ControlFlow::PeerToPeer));
}

#[tokio::test(start_paused = true)]
async fn a_console_that_is_not_restarted_forgets_a_refused_login_too() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.refuse_peers(&host("beta"), true);
    assert_eq!(bench.ended(bench.start(vm, "beta").await).await.control_flow, Some(ControlFlow::Direct));
    bench.back(vm).await;
    sleep(Duration::from_secs(24 * 60 * 60)).await;
    assert_eq!(bench.control_flow(vm).await, (Severity::Unknown, ControlFlow::PeerToPeer), "it may have a key by now");
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_for_a_refused_login_is_not_begun_anew_before_both_hosts_agree() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::TakenForALogin);
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!((end.phase, end.control_flow), (Phase::Succeeded, Some(ControlFlow::PeerToPeer)), "{:?}", end.problem);
    assert_eq!(bench.runs_only_on(vm, &["alpha", "beta"]), host("beta"));
}

#[tokio::test(start_paused = true)]
async fn nor_is_it_said_that_such_a_vm_stayed() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::TakenForALogin);
    let end = bench.ended(bench.start_with(vm, by(ControlFlow::PeerToPeer)).await).await;
    assert_eq!(end.phase, Phase::Succeeded, "{:?}", end.problem);
    assert_eq!(bench.sim.volumes(&host("beta"), "images"), ["web.qcow2"]);
}

#[tokio::test(start_paused = true)]
async fn nor_of_one_that_the_console_drove() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::TakenForALogin);
    let end = bench.ended(bench.start_with(vm, by(ControlFlow::Direct)).await).await;
    assert_eq!((end.phase, end.control_flow), (Phase::Succeeded, Some(ControlFlow::Direct)), "{:?}", end.problem);
    assert_eq!(bench.runs_only_on(vm, &["alpha", "beta"]), host("beta"));
}

#[tokio::test(start_paused = true)]
async fn a_login_that_works_after_all_is_remembered() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.refuse_peers(&host("beta"), true);
    assert_eq!(bench.ended(bench.start(vm, "beta").await).await.control_flow, Some(ControlFlow::Direct));
    bench.back(vm).await;
    bench.sim.refuse_peers(&host("beta"), false);
    let end = bench.ended(bench.start_with(vm, by(ControlFlow::PeerToPeer)).await).await;
    assert_eq!((end.phase, end.control_flow), (Phase::Succeeded, Some(ControlFlow::PeerToPeer)));
    bench.back(vm).await;
    assert_eq!(bench.control_flow(vm).await, (Severity::Ok, ControlFlow::PeerToPeer));
}

#[tokio::test(start_paused = true)]
async fn who_insists_on_peer_to_peer_is_told_that_it_can_not_be() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.refuse_peers(&host("beta"), true);
    let end = bench.ended(bench.start_with(vm, by(ControlFlow::PeerToPeer)).await).await;
    assert_eq!((end.phase, end.control_flow), (Phase::Failed, Some(ControlFlow::PeerToPeer)));
    assert_eq!(end.problem.as_ref().unwrap().code, Code::PeerLogin);
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_cancel_between_two_ways_counts() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.refuse_peers(&host("beta"), true);
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::Preparing).await;
    sleep(Duration::from_millis(500)).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.control_flow), (Phase::Cancelled, Some(ControlFlow::PeerToPeer)));
    assert_eq!(bench.runs_only_on(vm, &["alpha", "beta"]), host("alpha"));
}

#[tokio::test(start_paused = true)]
async fn direct_can_be_cancelled() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start_with(vm, by(ControlFlow::Direct)).await;
    bench.reaches(id, Phase::Converging).await;
    bench.engine.cancel(id, "admin").await.unwrap();
    assert_eq!(bench.ended(id).await.phase, Phase::Cancelled);
    assert_eq!(bench.runs_only_on(vm, &["alpha", "beta"]), host("alpha"));
}
