//! Post-copy that breaks off: both halves stay, and a person lets the rest of the memory follow where the versions allow it.

use std::time::Duration;

use model::{Acted, Code, MigrationOptions, Phase, Policy, Steering, Step, VmState};
use tokio::time::sleep;

use super::*;
use crate::{StateReason, testing::Fault};

fn recover() -> Step {
    Step::Recover { host: host("alpha") }
}

impl Bench {
    /// alpha and beta with these versions of libvirt, and a migration from alpha to beta whose post-copy has broken off.
    async fn broken_post_copy(versions: [&str; 2]) -> (Self, VmId, MigrationId) {
        let mut bench = Self::new().await;
        for (name, version) in ["alpha", "beta"].into_iter().zip(versions) {
            bench.sim.update_libvirt(&host(name), version);
        }
        bench.restart().await;
        let vm = bench.vm("cache", VmState::Running, NEVER).await;
        bench.sim.fail_next(vm, Fault::PostCopyBreaks);
        let options = MigrationOptions {
            bandwidth_mib_s: Some(32),
            policy: Some(Policy::Certain),
            ..MigrationOptions::default()
        };
        let asked_for = MigrationRequest { options, ..request(vm, "beta") };
        let id = bench.engine.migrate_to_host(asked_for, "admin").await.unwrap().id;
        let states = bench.follow(id).await;
        assert!(states.iter().any(|state| state.phase == Phase::PostCopy));
        assert_eq!(states.last().unwrap().phase, Phase::NeedsAttention);
        bench.are_halves(vm);
        (bench, vm, id)
    }

    fn are_halves(&self, vm: VmId) {
        let copies =
            [host("alpha"), host("beta")].map(|host| self.sim.copy(&host, vm).map(|copy| (copy.state, copy.reason)));
        let failed = StateReason::PostCopyFailed;
        assert_eq!(copies, [Some((VmState::Paused, failed)), Some((VmState::Running, failed))]);
    }

    fn now(&self, id: MigrationId) -> Migration {
        self.engine.snapshot(None).migrations.into_iter().find(|migration| migration.id == id).unwrap()
    }

    /// Recovers it, and waits until data flows.
    async fn recovering(&self, id: MigrationId) {
        let left = self.now(id).progress.bytes_remaining;
        self.engine.take_step(id, recover(), "ada").await.unwrap();
        self.until(|bench| {
            let now = bench.now(id);
            now.phase == Phase::PostCopy && now.progress.bytes_remaining < left
        })
        .await;
    }

    fn has_arrived(&self, vm: VmId, end: &Migration) {
        assert_eq!((end.phase, end.step.clone(), end.problem.clone()), (Phase::Succeeded, None, None));
        assert!((end.progress.percent, end.ended_at_ms.is_some(), end.outcome.is_some()) == (100.0, true, true));
        assert_eq!(self.sim.runs_on(vm), [host("beta")]);
        assert_eq!(self.sim.copy(&host("alpha"), vm), None, "its definition goes with the VM");
        assert_eq!(self.engine.vm(vm).unwrap().migration, None, "nothing is under way any more");
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_lets_the_rest_follow_and_exactly_one_copy_runs() {
    let (bench, vm, id) = Bench::broken_post_copy(["11.3.0", "12.0.0"]).await;
    let broken = bench.now(id);
    let told = broken.problem.clone().unwrap();
    assert_eq!(broken.step, Some(recover()));
    assert!(told.sentence.contains("runs on beta with a part of its memory, and alpha has the rest"), "{told:?}");
    assert!(told.details.unwrap().contains("failed in post-copy phase"), "libvirt's words are kept");
    sleep(Duration::from_mins(10)).await;
    bench.are_halves(vm);

    let goes_on = bench.engine.take_step(id, recover(), "ada").await.unwrap();
    assert_eq!((goes_on.phase, goes_on.ended_at_ms, goes_on.outcome), (Phase::PostCopy, None, None));
    let states = bench.follow(id).await;
    assert!(states.iter().filter(|state| state.phase == Phase::PostCopy).count() > 3, "its progress is shown");
    assert!(states.iter().map(|state| state.progress.percent).is_sorted());
    assert!(states[0].progress.percent >= broken.progress.percent, "the bar goes on where it was");
    let end = states.last().unwrap();
    bench.has_arrived(vm, end);
    let recovered = end.acts.iter().find(|act| act.what == Acted::Recovered).expect("it is in the record");
    assert_eq!(recovered.by.as_deref(), Some("ada"));
    let history = bench.history(id).await;
    assert!(history.iter().any(|text| text == "ada chose: Recover the migration from alpha."), "{history:?}");
    assert!(end.outcome.unwrap().total_ms > 600_000, "from the request to the verdict");
    let trace = bench.engine.trace(id).await.unwrap();
    assert!(trace.first().unwrap().elapsed_ms < 60_000 && trace.last().unwrap().elapsed_ms > 600_000, "all of it");
    assert!(bench.store.open_migrations().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn while_it_is_recovered_it_is_a_migration_in_post_copy_like_any_other() {
    let (bench, vm, id) = Bench::broken_post_copy(["12.0.0", "12.0.0"]).await;
    bench.recovering(id).await;
    assert_eq!(bench.store.open_migrations().await.unwrap().len(), 1, "the next console finds it open");
    assert_eq!(bench.engine.vm(vm).unwrap().migration, Some(id));
    assert_eq!(bench.engine.cancel(id, "eve").await.unwrap_err().code(), Code::WrongState);
    assert_eq!(bench.engine.take_step(id, recover(), "eve").await.unwrap_err().code(), Code::WrongState);
    let other = bench.engine.migrate_to_host(request(vm, "gamma"), "eve").await.unwrap_err();
    assert_eq!(other.code(), Code::AlreadyMigrating);
    bench.engine.steer(id, Steering::Bandwidth { mib_s: 1_000 }, "ada").await.unwrap();
    let end = bench.ended(id).await;
    bench.has_arrived(vm, &end);
    assert!(end.acts.iter().any(|act| act.what == Acted::Bandwidth { mib_s: 1_000 }), "{:?}", end.acts);
}

#[tokio::test(start_paused = true)]
async fn what_breaks_off_again_can_be_recovered_again() {
    let (bench, vm, id) = Bench::broken_post_copy(["12.0.0", "12.0.0"]).await;
    for fault in [Fault::PostCopyBreaks, Fault::Refused("no route to host".into()), Fault::PostCopyBreaks] {
        bench.sim.fail_next(vm, fault);
        bench.engine.take_step(id, recover(), "ada").await.unwrap();
        let again = bench.ended(id).await;
        assert_eq!((again.phase, again.step), (Phase::NeedsAttention, Some(recover())));
        assert_eq!(bench.engine.vm(vm).unwrap().migration, None);
        bench.are_halves(vm);
        // Longer than it is looked after by whatever looked after it before.
        sleep(Duration::from_secs(10)).await;
    }
    bench.engine.take_step(id, recover(), "ada").await.unwrap();
    bench.has_arrived(vm, &bench.ended(id).await);
}

#[tokio::test(start_paused = true)]
async fn a_recovery_that_does_not_begin_is_given_up() {
    let (bench, vm, id) = Bench::broken_post_copy(["12.0.0", "12.0.0"]).await;
    bench.sim.fail_next(vm, Fault::RecoveryHangs);
    bench.engine.take_step(id, recover(), "ada").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.step), (Phase::NeedsAttention, Some(recover())));
    assert!(end.problem.unwrap().details.unwrap().contains("did not begin to recover the migration of cache"));
    bench.are_halves(vm);
    bench.engine.take_step(id, recover(), "ada").await.unwrap();
    bench.has_arrived(vm, &bench.ended(id).await);
}

#[tokio::test(start_paused = true)]
async fn it_is_not_offered_where_libvirt_would_crash_until_that_is_updated() {
    let (mut bench, vm, id) = Bench::broken_post_copy(["12.0.0", "11.3.0"]).await;
    let broken = bench.now(id);
    assert_eq!(broken.step, None);
    let fix = broken.problem.unwrap().fix.unwrap();
    assert!(fix.contains("Neither copy may be destroyed") && fix.contains("beta (11.2 or 11.3) crashes"), "{fix}");
    assert_eq!(bench.engine.take_step(id, recover(), "eve").await.unwrap_err().code(), Code::WrongState);
    bench.are_halves(vm);
    bench.sim.update_libvirt(&host("beta"), "11.4.0");
    bench.restart().await;
    bench.until(|bench| bench.engine.snapshot(None).migrations.iter().any(|one| one.step == Some(recover()))).await;
    bench.engine.take_step(id, recover(), "ada").await.unwrap();
    bench.has_arrived(vm, &bench.ended(id).await);
}

#[tokio::test(start_paused = true)]
async fn a_console_that_dies_meanwhile_loses_nothing() {
    for breaks in [false, true] {
        let (mut bench, vm, id) = Bench::broken_post_copy(["12.0.0", "12.0.0"]).await;
        if breaks {
            bench.sim.fail_next(vm, Fault::PostCopyBreaks);
        }
        bench.recovering(id).await;
        bench.restart().await;
        let end = bench.ended(id).await;
        if breaks {
            assert_eq!((end.phase, end.step), (Phase::NeedsAttention, Some(recover())));
            bench.are_halves(vm);
            bench.engine.take_step(id, recover(), "ada").await.unwrap();
            bench.has_arrived(vm, &bench.ended(id).await);
        } else {
            bench.has_arrived(vm, &end);
        }
    }
}

/// The console has said that it goes on, and dies before it has told libvirt.
#[tokio::test(start_paused = true)]
async fn what_was_written_down_and_not_begun_is_offered_again() {
    let (mut bench, vm, id) = Bench::broken_post_copy(["12.0.0", "12.0.0"]).await;
    bench.sim.fail_next(vm, Fault::RecoveryHangs);
    bench.engine.take_step(id, recover(), "ada").await.unwrap();
    bench.restart().await;
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.step), (Phase::NeedsAttention, Some(recover())));
    bench.are_halves(vm);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_dies_meanwhile_leaves_both_halves() {
    for name in ["alpha", "beta"] {
        let (bench, vm, id) = Bench::broken_post_copy(["12.0.0", "12.0.0"]).await;
        bench.recovering(id).await;
        bench.sim.kill(&host(name));
        sleep(Duration::from_secs(5)).await;
        bench.sim.revive(&host(name));
        let end = bench.ended(id).await;
        assert_eq!(end.phase, Phase::NeedsAttention, "{name}");
        bench.are_halves(vm);
        bench.until(|bench| bench.now(id).step == Some(recover())).await;
        bench.engine.take_step(id, recover(), "ada").await.unwrap();
        bench.has_arrived(vm, &bench.ended(id).await);
    }
}
