//! What a host keeps beside a VM's definition: it follows, or that it does not is said.

use std::time::Duration;

use model::{MigrationOptions, Phase, VmAction, VmState};

use super::*;
use crate::{CopyFacts, HostErrorKind, testing::Fault};

impl Bench {
    async fn vm_that_starts_with_alpha(&self, state: VmState) -> VmId {
        let vm = self.vm("web", state, IDLE).await;
        self.sim.start_with_host(&host("alpha"), vm);
        vm
    }

    async fn moved(&self, vm: VmId, destination: &str, keep_source_definition: bool) -> Migration {
        let options = MigrationOptions { keep_source_definition, ..MigrationOptions::default() };
        let request = MigrationRequest { options, ..request(vm, destination) };
        let id = self.engine.migrate_to_host(request, "admin").await.unwrap().id;
        let end = self.ended(id).await;
        assert_eq!(end.phase, Phase::Succeeded, "{:?}", end.problem);
        end
    }

    async fn says(&self, id: MigrationId, words: &str) -> bool {
        self.history(id).await.iter().any(|text| text.contains(words))
    }

    /// Waits until the history says so.
    async fn until_said(&self, id: MigrationId, words: &str) {
        let mut updates = self.engine.subscribe(None, None);
        while !self.says(id, words).await {
            updates.recv().await.expect("the console stopped");
        }
    }

    /// Waits until no migration of it is looked after any more.
    async fn until_done(&self, id: MigrationId) {
        self.until(|bench| bench.engine.snapshot(None).migrations.iter().any(|now| now.id == id && !now.needs_care()))
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_starts_with_its_host_does_so_where_it_arrives() {
    for state in [VmState::Running, VmState::ShutOff, VmState::Paused] {
        let bench = Bench::new().await;
        let vm = bench.vm_that_starts_with_alpha(state).await;
        let end = bench.moved(vm, "beta", false).await;
        assert_eq!(bench.sim.starts_with(vm), [host("beta")], "{state:?}");
        assert!(bench.says(end.id, "beta starts web when it boots, as alpha did.").await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_stays_is_not_started_with_its_host() {
    for state in [VmState::Running, VmState::ShutOff] {
        let bench = Bench::new().await;
        let vm = bench.vm_that_starts_with_alpha(state).await;
        let end = bench.moved(vm, "beta", true).await;
        assert!(bench.sim.copy(&host("alpha"), vm).is_some(), "its definition stays");
        assert_eq!(bench.sim.starts_with(vm), [host("beta")], "{state:?}: after a power cut it runs once");
        assert!(bench.says(end.id, "alpha does not start web any more when it boots.").await);
        if state == VmState::Running {
            bench.moved(vm, "alpha", true).await;
            assert_eq!(bench.sim.starts_with(vm), [host("alpha")], "it comes back with the VM");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_was_there_before_does_not_decide() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("beta"), CopyFacts { state: VmState::ShutOff, ..copy });
    bench.sim.start_with_host(&host("beta"), vm);
    bench.moved(vm, "beta", false).await;
    assert!(bench.sim.starts_with(vm).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_is_not_persistent_is_never_started_with_its_host() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), CopyFacts { persistent: false, ..copy });
    bench.until(|bench| bench.engine.snapshot(None).vms.iter().any(|vm| !vm.persistent)).await;
    let end = bench.moved(vm, "beta", false).await;
    assert_eq!(end.autostart, None);
    assert!(bench.sim.starts_with(vm).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_stays_goes_on_starting_with_its_host() {
    let bench = Bench::new().await;
    let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
    bench.sim.fail_next(vm, Fault::Refused("no".into()));
    let id = bench.start(vm, "beta").await;
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.needs_care()), (Phase::Failed, false));
    assert_eq!(bench.sim.starts_with(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn the_next_console_knows_it_too() {
    let mut bench = Bench::new().await;
    let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    bench.restart().await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.starts_with(vm), [host("beta")], "alpha has forgotten it by now");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer_in_time_is_told_later() {
    let mut bench = Bench::new().await;
    let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
    bench.sim.fail_autostart(&host("beta"), Some(HostErrorKind::TimedOut));
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.autostart_pending()), (Phase::Succeeded, &[host("beta")][..]));
    assert!(model::text::leftovers(&end)[0].contains("Whether beta starts web when it boots is still to be set."));
    bench.restart().await;
    bench.sim.fail_autostart(&host("beta"), None);
    bench.until_done(id).await;
    assert_eq!(bench.sim.starts_with(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_refuses_is_told_of() {
    let bench = Bench::new().await;
    let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
    bench.sim.fail_autostart(&host("beta"), Some(HostErrorKind::Refused));
    let end = bench.moved(vm, "beta", false).await;
    assert!(!end.needs_care(), "it is not asked again and again");
    assert!(bench.says(end.id, "Whether beta starts web when it boots could not be set:").await);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_say_it_is_told_of() {
    let bench = Bench::new().await;
    let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
    bench.sim.fail_autostart(&host("alpha"), Some(HostErrorKind::NotSupported));
    let end = bench.moved(vm, "beta", false).await;
    assert_eq!(end.autostart, None);
    assert!(bench.says(end.id, "alpha does not say whether it starts web when it boots").await);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_say_it_and_keeps_the_definition_does_not_start_it() {
    let bench = Bench::new().await;
    let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
    bench.sim.fail_autostart(&host("alpha"), Some(HostErrorKind::TimedOut));
    let end = bench.moved(vm, "beta", true).await;
    assert_eq!(end.autostart_pending(), [host("alpha")]);
    bench.sim.fail_autostart(&host("alpha"), None);
    bench.until_done(end.id).await;
    assert!(bench.sim.starts_with(vm).is_empty(), "after a power cut it would run on both");
}

impl Bench {
    /// A VM that was on alpha, which keeps its definition and was not told yet that it starts on beta.
    async fn moved_from_silent_alpha(&self) -> (VmId, MigrationId) {
        let vm = self.vm_that_starts_with_alpha(VmState::Running).await;
        let options = MigrationOptions { keep_source_definition: true, ..MigrationOptions::default() };
        let request = MigrationRequest { options, ..request(vm, "beta") };
        let id = self.engine.migrate_to_host(request, "admin").await.unwrap().id;
        self.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
        self.sim.fail_autostart(&host("alpha"), Some(HostErrorKind::TimedOut));
        assert_eq!(self.ended(id).await.autostart_pending(), [host("alpha")]);
        (vm, id)
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_has_not_let_it_go_is_told_later() {
    let bench = Bench::new().await;
    let (vm, id) = bench.moved_from_silent_alpha().await;
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), CopyFacts { state: VmState::Paused, outgoing: true, ..copy.clone() });
    bench.sim.fail_autostart(&host("alpha"), None);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.engine.migration(id).await.unwrap().0.autostart_pending(), [host("alpha")]);
    bench.sim.put(&host("alpha"), copy);
    bench.until_done(id).await;
    assert_eq!(bench.sim.starts_with(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn a_later_migration_sees_to_its_own_hosts_only() {
    let bench = Bench::new().await;
    let (vm, first) = bench.moved_from_silent_alpha().await;
    bench.moved(vm, "gamma", false).await;
    bench.sim.fail_autostart(&host("alpha"), None);
    bench.until_done(first).await;
    assert_eq!(bench.sim.starts_with(vm), [host("gamma")]);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_came_back_starts_with_its_host() {
    let bench = Bench::new().await;
    let (vm, first) = bench.moved_from_silent_alpha().await;
    let second = bench.moved(vm, "alpha", true).await;
    bench.sim.fail_autostart(&host("alpha"), None);
    bench.until_done(first).await;
    bench.until_done(second.id).await;
    assert_eq!(bench.sim.starts_with(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_later_migration_carries_on_what_was_not_set() {
    for keep in [false, true] {
        let bench = Bench::new().await;
        let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
        bench.sim.fail_autostart(&host("beta"), Some(HostErrorKind::TimedOut));
        let first = bench.moved(vm, "beta", true).await;
        let second = bench.moved(vm, "gamma", keep).await;
        assert!(second.autostart.is_some_and(|autostart| autostart.enabled), "beta was not told yet");
        bench.sim.fail_autostart(&host("beta"), None);
        bench.until_done(first.id).await;
        bench.until_done(second.id).await;
        assert_eq!(bench.sim.starts_with(vm), [host("gamma")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_migration_that_fails_takes_nothing_away() {
    let bench = Bench::new().await;
    let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
    bench.sim.fail_autostart(&host("beta"), Some(HostErrorKind::TimedOut));
    let first = bench.moved(vm, "beta", true).await;
    bench.sim.fail_next(vm, Fault::Refused("no".into()));
    let id = bench.start(vm, "gamma").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Failed);
    bench.sim.fail_autostart(&host("beta"), None);
    bench.until_done(first.id).await;
    assert_eq!(bench.sim.starts_with(vm), [host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn a_vm_with_a_new_name_is_told_of_by_the_name_that_it_has_there() {
    let bench = Bench::new().await;
    let vm = bench.vm_that_starts_with_alpha(VmState::Running).await;
    let options = MigrationOptions { new_name: Some("shop".into()), ..MigrationOptions::default() };
    let request = MigrationRequest { options, ..request(vm, "beta") };
    let id = bench.engine.migrate_to_host(request, "admin").await.unwrap().id;
    let end = bench.ended(id).await;
    assert!(model::text::summary(&end).starts_with("shop runs on beta"), "{}", model::text::summary(&end));
    assert!(bench.says(id, "beta starts shop when it boots, as alpha did.").await);
    assert!(bench.says(id, "shop runs on beta after").await);
    let shown = bench.engine.snapshot(None);
    assert!(shown.vms.iter().any(|shown| shown.id == vm && shown.name == "shop"));
}

impl Bench {
    fn state(&self, vm: VmId) -> VmState {
        self.engine.vm(vm).unwrap().state
    }

    /// A VM that sleeps on beta, which libvirt there does not know.
    async fn arrived_asleep(&self) -> (VmId, MigrationId) {
        let vm = self.vm("web", VmState::Running, IDLE).await;
        self.sim.fall_asleep(&host("alpha"), vm);
        self.until(|bench| bench.state(vm) == VmState::Suspended).await;
        let end = self.moved(vm, "beta", false).await;
        assert!(end.asleep && model::text::summary(&end).starts_with("web is asleep on beta"));
        assert_eq!(self.sim.copy(&host("beta"), vm).unwrap().state, VmState::Running, "so libvirt says");
        assert_eq!(self.state(vm), VmState::Suspended);
        (vm, end.id)
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_arrives_asleep_is_asleep_until_it_is_woken_up() {
    let bench = Bench::new().await;
    let (vm, id) = bench.arrived_asleep().await;
    bench.engine.act(vm, None, VmAction::WakeUp).await.unwrap();
    assert!(!bench.sim.is_asleep(&host("beta"), vm));
    assert_eq!(bench.state(vm), VmState::Running);
    bench.until_said(id, "web sleeps no longer on beta.").await;
    assert!(bench.engine.act(vm, None, VmAction::WakeUp).await.is_err(), "it is awake");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_others_wake_up_is_awake() {
    let bench = Bench::new().await;
    let (vm, id) = bench.arrived_asleep().await;
    bench.sim.wake_up_from_outside(&host("beta"), vm);
    bench.until(|bench| bench.state(vm) == VmState::Running).await;
    bench.until_done(id).await;
}

#[tokio::test(start_paused = true)]
async fn the_next_console_knows_that_a_guest_sleeps() {
    let mut bench = Bench::new().await;
    let (vm, id) = bench.arrived_asleep().await;
    bench.restart().await;
    bench.until(|bench| bench.engine.vm(vm).is_some_and(|vm| vm.state == VmState::Suspended)).await;
    // Nothing tells it to a console that is not there.
    bench.engine.stop().await;
    bench.sim.wake_up_from_outside(&host("beta"), vm);
    bench.restart().await;
    bench.until(|bench| bench.engine.vm(vm).is_some_and(|vm| vm.state == VmState::Suspended)).await;
    assert!(bench.engine.act(vm, None, VmAction::WakeUp).await.is_err());
    assert_eq!(bench.state(vm), VmState::Running, "now it is known");
    bench.until_done(id).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_runs_beside_one_that_sleeps_is_told_and_is_the_one_that_is_listed() {
    let bench = Bench::new().await;
    let (vm, _) = bench.arrived_asleep().await;
    let copy = bench.sim.copy(&host("beta"), vm).unwrap();
    bench.sim.put(&host("gamma"), crate::CopyFacts { state: VmState::Running, ..copy });
    bench.until(|bench| bench.engine.vm(vm).unwrap().runs_twice()).await;
    let shown = bench.engine.vm(vm).unwrap();
    assert_eq!((shown.host, shown.state), (host("gamma"), VmState::Running));
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_sleeps_moves_on_asleep() {
    let bench = Bench::new().await;
    let (vm, first) = bench.arrived_asleep().await;
    let end = bench.moved(vm, "gamma", false).await;
    assert!(end.asleep && bench.sim.is_asleep(&host("gamma"), vm));
    assert_eq!(bench.state(vm), VmState::Suspended);
    bench.until_done(first).await;
    bench.engine.act(vm, None, VmAction::ForceOff).await.unwrap();
    assert_eq!(bench.state(vm), VmState::ShutOff);
    bench.until_done(end.id).await;
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_falls_asleep_or_wakes_up_on_the_way_is_told_as_it_arrives() {
    for sleeps in [true, false] {
        let bench = Bench::new().await;
        let vm = bench.vm("db", VmState::Running, BUSY).await;
        if !sleeps {
            bench.sim.fall_asleep(&host("alpha"), vm);
            bench.until(|bench| bench.state(vm) == VmState::Suspended).await;
        }
        let id = bench.start(vm, "beta").await;
        bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::CopyingMemory).await;
        match sleeps {
            true => bench.sim.fall_asleep(&host("alpha"), vm),
            false => bench.sim.wake_up_from_outside(&host("alpha"), vm),
        }
        let end = bench.ended(id).await;
        assert_eq!((end.phase, end.asleep), (Phase::Succeeded, sleeps));
        assert_eq!(bench.state(vm) == VmState::Suspended, sleeps);
    }
}
