//! What migrations leave on hosts that die, hang or refuse, and that it is removed when they answer.

use std::time::Duration;

use model::{Code, Leftover, LeftoverKind, Migration, Phase, VmState};

use super::{
    hosts_elsewhere::{Elsewhere, NAME},
    storage::{contents, disk, pool},
    *,
};
use crate::{
    CopyFacts, StateReason,
    testing::{Fault, StorageFault},
};

const VOLUME: &str = "the volume web.qcow2 of the pool images on beta";

pub(super) fn volumes(bench: &Bench, name: &str) -> Vec<String> {
    bench.sim.volumes(&host(name), "images")
}

/// What is left of a migration, as pages and programs see it now.
async fn left(bench: &Bench, id: MigrationId) -> Vec<String> {
    bench.engine.migration(id).await.unwrap().0.leftovers.iter().map(Leftover::name).collect()
}

/// A migration whose destination dies while it makes the volume.
async fn unconfirmed() -> (Bench, VmId, Migration) {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_storage(&host("beta"), StorageFault::DiesCreating);
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!((end.phase, volumes(&bench, "beta")), (Phase::Failed, vec!["web.qcow2".to_owned()]));
    (bench, vm, end)
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_was_made_unseen_is_removed_by_the_next_console() {
    let (mut bench, vm, end) = unconfirmed().await;
    bench.restart().await;
    assert_eq!(left(&bench, end.id).await, [VOLUME]);
    bench.sim.revive(&host("beta"));
    bench.stayed_and_can_go(vm, &end).await;
    assert!(bench.told(end.id, "Removed the volume web.qcow2 of the pool images on beta.").await);
    assert!(bench.store.needing_care().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_console_that_dies_while_a_volume_is_made_leaves_it_to_the_next() {
    let (mut bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    bench.sim.fail_storage(&host("beta"), StorageFault::CreateHangs);
    let id = bench.start(vm, "beta").await;
    bench
        .until(|bench| {
            !volumes(bench, "beta").is_empty() || bench.engine.snapshot(None).migrations[0].phase.has_ended()
        })
        .await;
    bench.restart().await;
    let end = bench.ended(id).await;
    assert_eq!(end.phase, Phase::Failed, "{end:?}");
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_may_be_another_programs_is_not_touched() {
    let (bench, _, end) = unconfirmed().await;
    bench.sim.put_volume(&host("beta"), "images", "web.qcow2", contents());
    bench.sim.revive(&host("beta"));
    bench.cleaned(end.id).await;
    assert_eq!(volumes(&bench, "beta"), ["web.qcow2"], "something is in it");
    assert!(bench.told(end.id, "is not certain, so it is not touched").await);
}

#[tokio::test(start_paused = true)]
async fn a_volume_that_a_vm_has_is_not_touched() {
    let (bench, _, end) = unconfirmed().await;
    let other = bench.sim.add_vm(&host("beta"), "twin", VmState::ShutOff, IDLE);
    bench.sim.add_disk(other, disk("vda", "/images/web.qcow2"));
    bench.sim.revive(&host("beta"));
    bench.cleaned(end.id).await;
    assert_eq!(volumes(&bench, "beta"), ["web.qcow2"]);
    assert!(bench.told(end.id, "in use: the volume web.qcow2 of the pool images on beta (the VM twin)").await);
}

/// A migration that breaks off while its destination is away for good, with a volume that is half full.
pub(super) async fn half_full() -> (Bench, VmId, Migration) {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingDisks).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    bench.sim.kill(&host("beta"));
    let end = bench.ended(id).await;
    assert_eq!((end.phase, left(&bench, id).await), (Phase::Failed, vec![VOLUME.to_owned()]));
    (bench, vm, end)
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_has_moved_on_does_not_keep_what_it_left_elsewhere() {
    let (bench, vm, end) = half_full().await;
    bench.sim.add_pool(&host("gamma"), pool("images", "/images"), "gamma");
    assert_eq!(bench.ended(bench.start(vm, "gamma").await).await.phase, Phase::Succeeded);
    bench.sim.revive(&host("beta"));
    bench.cleaned(end.id).await;
    assert!(volumes(&bench, "beta").is_empty());
    assert_eq!(volumes(&bench, "gamma"), ["web.qcow2"]);
    assert_eq!(left(&bench, end.id).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_removed_from_another_machine_of_the_name() {
    let (mut bench, _, end) = half_full().await;
    bench.engine.stop().await;
    // beta is a new machine, on which a volume of that name is somebody's.
    let config = bench.sim.add_host("beta2");
    bench.sim.add_pool(&host("beta2"), pool("images", "/images"), "beta2");
    bench.sim.put_volume(&host("beta2"), "images", "web.qcow2", contents());
    let transport = config.transport.clone();
    bench.hosts[1] = HostConfig { transport, ..bench.hosts[1].clone() };
    bench.restart().await;
    bench.cleaned(end.id).await;
    assert_eq!(volumes(&bench, "beta2"), ["web.qcow2"]);
    assert!(bench.told(end.id, "beta is another machine by now.").await);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_on_a_host_that_is_gone_is_named_once_more() {
    let (mut bench, _, end) = half_full().await;
    bench.hosts.remove(1);
    bench.restart().await;
    bench.cleaned(end.id).await;
    assert!(bench.told(end.id, "beta is not registered any more.").await);
}

#[tokio::test(start_paused = true)]
async fn a_full_pool_whose_host_hangs_is_cleaned_when_it_is_back() {
    let (bench, vm) = Bench::with_disk(VmState::ShutOff, IDLE).await;
    bench.sim.fail_storage(&host("beta"), StorageFault::NoSpace);
    bench.sim.fail_storage(&host("beta"), StorageFault::DeleteHangs);
    let end = bench.ended(bench.start(vm, "beta").await).await;
    assert_eq!((end.phase, end.problem.as_ref().unwrap().code), (Phase::Failed, Code::Hypervisor));
    assert!(end.problem.as_ref().unwrap().details.as_ref().unwrap().contains("No space left"));
    assert_eq!(end.leftovers[0].name(), VOLUME);
    bench.stayed_and_can_go(vm, &end).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_that_could_not_be_removed_is_removed_later() {
    let (bench, vm) = Bench::with_shared_disk(true).await;
    bench.sim.fail_storage(&host("alpha"), StorageFault::DeleteFails);
    let id = bench.start(vm, "beta").await;
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    bench.cleaned(id).await;
    assert_eq!(bench.sim.volumes(&host("beta"), "nfs"), ["web.qcow2"], "the token is gone");
}

/// A definition of the VM at beta, shut off.
fn define_at_beta(bench: &Bench, vm: VmId) {
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("beta"), CopyFacts { state: VmState::ShutOff, ..copy });
}

/// beta's daemon is away while the VM moves there, and leaves its definition.
async fn leaves_a_definition(bench: &Bench, vm: VmId) -> Migration {
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingMemory).await;
    let expected = bench.engine.migration(id).await.unwrap().0.leftovers;
    assert!(expected.iter().any(|left| left.what == LeftoverKind::Definition), "it is known beforehand");
    bench.sim.kill(&host("beta"));
    define_at_beta(bench, vm);
    bench.sim.revive(&host("beta"));
    bench.ended(id).await
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_the_destination_was_left_with_is_removed() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let end = leaves_a_definition(&bench, vm).await;
    assert_eq!(end.phase, Phase::Failed);
    bench.cleaned(end.id).await;
    assert_eq!(bench.sim.copy(&host("beta"), vm), None);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    assert!(bench.told(end.id, "Removed the VM's definition on beta.").await);
}

#[tokio::test(start_paused = true)]
async fn a_definition_stays_while_no_other_host_runs_the_vm() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::Refused("no".into()));
    let end = bench.ended(bench.start(vm, "beta").await).await;
    bench.engine.stop().await;
    let left = Leftover {
        host: host("beta"),
        what: LeftoverKind::Definition,
        since_ms: end.created_at_ms,
        machine: None,
        problem: None,
    };
    bench.store.update_migration(&Migration { leftovers: vec![left], ..end.clone() }, &[]).await.unwrap();
    let define_at_beta = |reason| {
        let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
        bench.sim.put(&host("beta"), CopyFacts { state: VmState::ShutOff, reason, ..copy });
    };
    define_at_beta(StateReason::Shutdown);
    let running = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("alpha"), CopyFacts { state: VmState::ShutOff, ..running.clone() });
    bench.restart().await;
    let why = |bench: &Bench| bench.engine.snapshot(None).migrations[0].leftovers[0].problem.clone();
    bench.until(|bench| why(bench).is_some()).await;
    assert!(why(&bench).unwrap().sentence.contains("No other host runs web now"));
    assert!(bench.sim.copy(&host("beta"), vm).is_some(), "it may be the only one that is needed");
    bench.sim.put(&host("alpha"), running);
    bench.cleaned(end.id).await;
    assert_eq!(bench.sim.copy(&host("beta"), vm), None);
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_never_ran_goes_though_the_vm_is_off() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingMemory).await;
    bench.sim.kill(&host("beta"));
    let copy = bench.sim.copy(&host("alpha"), vm).unwrap();
    let left = CopyFacts { state: VmState::ShutOff, reason: StateReason::Failed, ..copy.clone() };
    bench.sim.put(&host("beta"), left);
    bench.sim.put(&host("alpha"), CopyFacts { state: VmState::ShutOff, reason: StateReason::Crashed, ..copy });
    bench.sim.revive(&host("beta"));
    assert_eq!(bench.ended(id).await.phase, Phase::Failed);
    bench.cleaned(id).await;
    assert_eq!(bench.sim.copy(&host("beta"), vm), None);
    assert!(bench.sim.copy(&host("alpha"), vm).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_definition_that_was_there_before_stays() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    define_at_beta(&bench, vm);
    let id = bench.start(vm, "beta").await;
    bench.reaches(id, Phase::CopyingMemory).await;
    bench.sim.kill(&host("beta"));
    define_at_beta(&bench, vm);
    bench.sim.revive(&host("beta"));
    assert_eq!(bench.ended(id).await.phase, Phase::Failed);
    bench.cleaned(id).await;
    assert!(bench.sim.copy(&host("beta"), vm).is_some(), "it may be an admin's");
}

#[tokio::test(start_paused = true)]
async fn what_the_vm_has_taken_over_is_nothing_left() {
    let (bench, vm) = Bench::with_disk(VmState::Running, IDLE).await;
    let states = bench.follow(bench.start(vm, "beta").await).await;
    let expected =
        |state: &Migration| state.leftovers.iter().map(|left| left.what.volume().is_some()).collect::<Vec<_>>();
    assert!(states.iter().any(|state| expected(state) == [true, false, false]), "volume, copy, definition");
    let end = states.last().unwrap();
    assert_eq!((end.phase, end.leftovers.len()), (Phase::Succeeded, 0));
    assert_eq!(volumes(&bench, "beta"), ["web.qcow2"]);
}

/// A migration to a host that is not registered, which has left a volume there.
async fn left_on_an_ad_hoc_destination() -> (Elsewhere, Migration) {
    let elsewhere = Elsewhere::new(IDLE).await;
    let Elsewhere { bench, vm, there } = &elsewhere;
    for name in [&host("alpha"), &there.name] {
        bench.sim.add_pool(name, pool("images", "/images"), name.as_str());
    }
    bench.sim.put_volume(&host("alpha"), "images", "web.qcow2", contents());
    bench.sim.add_disk(*vm, disk("vda", "/images/web.qcow2"));
    bench.sim.fail_next(*vm, Fault::DiskCopyFails);
    // At the end, and once more soon afterwards.
    for _ in 0..2 {
        bench.sim.fail_storage(&there.name, StorageFault::DeleteFails);
    }
    let migration = elsewhere.migrate(elsewhere.reach("right").await.unwrap()).await.unwrap();
    let end = bench.ended(migration.id).await;
    assert_eq!((end.phase, end.leftovers.len()), (Phase::Failed, 1), "{end:?}");
    (elsewhere, end)
}

#[tokio::test(start_paused = true)]
async fn an_ad_hoc_destination_is_kept_until_nothing_is_left_there() {
    let (elsewhere, end) = left_on_an_ad_hoc_destination().await;
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(elsewhere.shown(NAME).is_some(), "it is still needed");
    elsewhere.bench.cleaned(end.id).await;
    assert!(elsewhere.bench.sim.volumes(&elsewhere.there.name, "images").is_empty());
    elsewhere.bench.until(|_| elsewhere.shown(NAME).is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_left_where_only_a_typed_password_leads_is_named_after_a_restart() {
    let (mut elsewhere, end) = left_on_an_ad_hoc_destination().await;
    elsewhere.bench.restart().await;
    elsewhere.bench.cleaned(end.id).await;
    assert!(elsewhere.bench.told(end.id, "is not registered, and wants a login. Remove by hand").await);
    elsewhere.bench.until(|_| elsewhere.shown(NAME).is_none()).await;
}
