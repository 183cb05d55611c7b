//! Several VMs with one UUID: a definition that was copied to another host without giving it one of its own.

use model::{Code, Finding, FindingCode, MigrationOptions, Phase, Severity, VmAction};

use super::*;
use crate::{CopyFacts, DiskSource};

fn on_disk(copy: CopyFacts, path: &str) -> CopyFacts {
    CopyFacts { disks: Some(vec![DiskSource::File { path: path.to_owned() }]), ..copy }
}

impl Bench {
    /// `shop` runs on alpha, and on beta what `twin` makes of it.
    async fn twins(twin: impl FnOnce(CopyFacts) -> CopyFacts) -> (Self, VmId) {
        let bench = Self::new().await;
        let vm = bench.vm("shop", VmState::Running, IDLE).await;
        let shop = on_disk(bench.sim.copy(&host("alpha"), vm).unwrap(), "/vms/shop.qcow2");
        bench.sim.put(&host("alpha"), shop.clone());
        bench.sim.put(&host("beta"), twin(shop));
        bench.until(|bench| bench.engine.snapshot(None).hosts[1].vms == 1 || bench.copies_of(vm) == 2).await;
        (bench, vm)
    }

    fn copies_of(&self, vm: VmId) -> usize {
        let vm = self.engine.vm(vm).unwrap();
        1 + vm.other_copies.len() + vm.twins.len()
    }

    /// What a preflight to this host finds of this code, under this name.
    async fn finds(&self, vm: VmId, to: &str, name: Option<&str>, code: FindingCode) -> Option<Finding> {
        let options = MigrationOptions { new_name: name.map(str::to_owned), ..MigrationOptions::default() };
        let preflight = self.engine.preflight(vm, &host(to), &options).await.unwrap();
        preflight.findings.into_iter().find(|finding| finding.code == code)
    }
}

fn shop_copy(shop: CopyFacts) -> CopyFacts {
    CopyFacts { name: "shop-copy".to_owned(), ..on_disk(shop, "/vms/shop-copy.qcow2") }
}

#[tokio::test(start_paused = true)]
async fn two_vms_that_run_with_one_uuid_are_two_and_nothing_is_done_to_either() {
    let (bench, vm) = Bench::twins(shop_copy).await;
    for (name, at) in [("shop", "alpha"), ("shop-copy", "beta")] {
        let found = bench.engine.look(name, None).await.unwrap();
        assert_eq!((found.host.as_str(), found.state, found.runs_twice()), (at, VmState::Running, false));
        assert!(found.shares_uuid().is_some());
        assert_eq!(bench.engine.find_only(name, None).unwrap_err().code(), Code::UuidTwin);
    }
    for action in [VmAction::ForceOff, VmAction::Pause, VmAction::ShutDown] {
        assert_eq!(bench.engine.act(vm, None, action).await.unwrap_err().code(), Code::UuidTwin);
    }
    let preflight = bench.engine.preflight(vm, &host("gamma"), &MigrationOptions::default()).await.unwrap();
    assert_eq!((preflight.findings[0].code, preflight.is_possible()), (FindingCode::UuidTaken, false));
    assert_eq!(bench.engine.migrate_to_host(request(vm, "gamma"), "admin").await.unwrap_err().code(), Code::UuidTwin);
    let hosts = bench.engine.snapshot(None).hosts;
    assert_eq!((hosts[0].vms_active, hosts[1].vms_active), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn two_vms_of_one_name_and_uuid_are_told_apart_by_their_disks_and_named_with_the_host() {
    let (bench, vm) = Bench::twins(|shop| on_disk(shop, "/vms/other.qcow2")).await;
    assert!(!bench.engine.vm(vm).unwrap().runs_twice());
    assert_eq!(bench.engine.look("shop", None).await.unwrap_err().code(), Code::AmbiguousName);
    assert_eq!(bench.engine.look("shop", Some(&host("beta"))).await.unwrap().host, host("beta"));
}

#[tokio::test(start_paused = true)]
async fn one_vm_that_runs_on_two_hosts_is_one() {
    // A copy without disks may be what somebody started in need: that proves no other VM.
    let without_disks = |shop| CopyFacts { disks: Some(Vec::new()), ..shop };
    for copied in [|shop| shop, without_disks] {
        let (bench, vm) = Bench::twins(copied).await;
        let shown = bench.engine.vm(vm).unwrap();
        assert!(shown.runs_twice() && shown.twins.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_twin_that_is_off_hinders_only_what_would_be_done_to_it() {
    let (bench, vm) = Bench::twins(|shop| CopyFacts { state: VmState::ShutOff, ..shop_copy(shop) }).await;
    assert_eq!(bench.engine.find_only("shop-copy", None).unwrap_err().code(), Code::UuidTwin);
    assert_eq!(bench.engine.find_only("shop", None).unwrap().host, host("alpha"));
    bench.engine.act(vm, None, VmAction::Pause).await.unwrap();
    bench.engine.act(vm, None, VmAction::ForceOff).await.unwrap();
    let refused = bench.engine.act(vm, None, VmAction::Start).await.unwrap_err();
    assert_eq!(refused.code(), Code::UuidTwin, "either could be meant");
}

#[tokio::test(start_paused = true)]
async fn a_twin_that_has_crashed_can_be_forced_off() {
    let (bench, vm) = Bench::twins(|shop| CopyFacts { state: VmState::ShutOff, ..shop_copy(shop) }).await;
    for (name, crashed, off) in [("shop", "alpha", "beta"), ("shop-copy", "beta", "alpha")] {
        for (at, state) in [(off, VmState::ShutOff), (crashed, VmState::Crashed)] {
            let copy = bench.sim.copy(&host(at), vm).unwrap();
            bench.sim.put(&host(at), CopyFacts { state, persistent: true, ..copy });
        }
        bench.until(|bench| bench.engine.vm(vm).is_some_and(|vm| vm.state == VmState::Crashed)).await;
        assert_eq!(bench.engine.find_only(name, None).unwrap().host, host(crashed));
        bench.engine.act(vm, None, VmAction::ForceOff).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn no_move_replaces_the_definition_of_a_twin() {
    let (bench, vm) = Bench::twins(|shop| CopyFacts { state: VmState::ShutOff, ..shop_copy(shop) }).await;
    for name in [None, Some("shop-copy"), Some("shop-3")] {
        let found = bench.finds(vm, "beta", name, FindingCode::UuidTaken).await.unwrap();
        assert_eq!(found.severity, Severity::Blocker);
        assert!(found.text.starts_with("Two VMs have one UUID: "), "{found:?}");
        assert!(!found.fix.unwrap().contains("under the name"));
        assert_eq!(bench.finds(vm, "beta", name, FindingCode::StaleDefinition).await, None);
    }
    let gamma = bench.engine.preflight(vm, &host("gamma"), &MigrationOptions::default()).await.unwrap();
    assert!(gamma.is_possible(), "only where the twin is, is it in the way");
}

#[tokio::test(start_paused = true)]
async fn a_definition_with_other_disks_is_replaced_with_consent_unless_a_move_explains_it() {
    let old = |shop| CopyFacts { state: VmState::ShutOff, ..on_disk(shop, "/old/shop.qcow2") };
    let (bench, vm) = Bench::twins(old).await;
    let stale = async || bench.finds(vm, "beta", None, FindingCode::StaleDefinition).await.unwrap();
    assert!(stale().await.consent);
    assert_eq!(
        bench.engine.migrate_to_host(request(vm, "beta"), "admin").await.unwrap_err().code(),
        Code::NeedsConsent
    );
    // An attempt that came to nothing has put nothing there.
    let accept = vec![FindingCode::StaleDefinition];
    bench.sim.fail_next(vm, crate::testing::Fault::Refused("no".to_owned()));
    let request = MigrationRequest { accept, ..request(vm, "beta") };
    let failed = bench.engine.migrate_to_host(request.clone(), "admin").await.unwrap();
    assert_eq!(bench.ended(failed.id).await.phase, Phase::Failed);
    assert!(stale().await.consent);
    let options = MigrationOptions { keep_source_definition: true, ..MigrationOptions::default() };
    let moved = bench.engine.migrate_to_host(MigrationRequest { options, ..request }, "admin").await.unwrap();
    assert_eq!(bench.ended(moved.id).await.phase, Phase::Succeeded);
    let left = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), on_disk(left, "/old/shop.qcow2"));
    let found = bench.finds(vm, "alpha", None, FindingCode::StaleDefinition).await.unwrap();
    assert_eq!((found.severity, found.consent), (Severity::Warning, false));
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_a_move_left_behind_is_no_twin() {
    let (bench, vm) =
        Bench::twins(|shop| CopyFacts { state: VmState::ShutOff, ..on_disk(shop, "/old/shop.qcow2") }).await;
    assert_eq!(bench.engine.vm(vm).unwrap().twins, []);
    // Nor is one that this console left under the name that the VM had.
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    let options = MigrationOptions {
        keep_source_definition: true,
        new_name: Some("web-2".to_owned()),
        ..MigrationOptions::default()
    };
    let id =
        bench.engine.migrate_to_host(MigrationRequest { options, ..request(vm, "beta") }, "admin").await.unwrap().id;
    bench.ended(id).await;
    let shown = bench.engine.vm(vm).unwrap();
    assert_eq!((shown.name.as_str(), shown.other_copies.len(), shown.twins.len()), ("web-2", 1, 0));
}

#[tokio::test(start_paused = true)]
async fn another_vm_with_the_uuid_proves_nothing_of_a_migration_that_needs_attention() {
    let bench = Bench::new().await;
    let vm = bench.vm("shop", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, crate::testing::Fault::RunsTwice);
    let id = bench.start(vm, "beta").await;
    bench.ended(id).await;
    let shop = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("gamma"), shop_copy(shop.clone()));
    // Neither end runs it any more, but is in memory: what runs on gamma is not the VM.
    for end in ["alpha", "beta"] {
        bench.sim.put(&host(end), CopyFacts { state: VmState::Paused, ..shop.clone() });
    }
    let is_told = |bench: &Bench| {
        let told = bench.engine.snapshot(None).migrations.into_iter().find(|migration| migration.id == id);
        told.and_then(|told| told.problem).is_some_and(|problem| problem.sentence.contains("gamma has another VM"))
    };
    bench.until(is_told).await;
    assert_eq!(bench.engine.migration(id).await.unwrap().0.step, None, "nothing is turned off for it");
}
