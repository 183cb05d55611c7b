//! Migrations that need attention: the one safe step, and how the doubt ends.

use std::time::Duration;

use model::{Code, Phase, Step, VmState};
use tokio::time::sleep;

use super::*;
use crate::testing::Fault;

fn turn_off(name: &str) -> Step {
    Step::TurnOff { host: host(name) }
}

fn pause(name: &str) -> Step {
    Step::Pause { host: host(name) }
}

impl Bench {
    /// A migration whose end left two running copies, both writing to the same disks: alpha let its own go on, as it had lost track of the one at beta.
    async fn runs_twice() -> (Self, VmId, MigrationId) {
        let bench = Self::new().await;
        let vm = bench.vm("web", VmState::Running, IDLE).await;
        bench.sim.fail_next(vm, Fault::RunsTwice);
        let id = bench.start(vm, "beta").await;
        let end = bench.ended(id).await;
        assert_eq!((end.phase, end.step), (Phase::NeedsAttention, Some(pause("alpha"))));
        (bench, vm, id)
    }

    async fn record(&self, id: MigrationId) -> Migration {
        self.engine.migration(id).await.unwrap().0
    }

    /// Waits until a record is so, as pages see it.
    async fn until_record(&self, id: MigrationId, is_so: impl Fn(&Migration) -> bool) -> Migration {
        self.until(|bench| {
            bench.engine.snapshot(None).migrations.iter().any(|migration| migration.id == id && is_so(migration))
        })
        .await;
        self.record(id).await
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_step_exactly_one_copy_runs_and_the_history_says_who_took_it() {
    let (bench, vm, id) = Bench::runs_twice().await;
    let told = bench.record(id).await.problem.unwrap();
    assert!(told.sentence.contains("alpha and beta at the same time"), "{told:?}");
    assert!(told.fix.unwrap().contains("Pause the copy on alpha"));
    bench.engine.take_step(id, pause("alpha"), "ada").await.unwrap();
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
    assert_eq!(bench.record(id).await.step, Some(turn_off("alpha")), "it stays until somebody has looked");
    assert_eq!(bench.engine.snapshot(None).vms[0].migration, None, "nothing is under way any more");
    let settled = bench.engine.take_step(id, turn_off("alpha"), "ada").await.unwrap();
    assert_eq!((settled.phase, settled.step), (Phase::Succeeded, None));
    assert_eq!(bench.engine.snapshot(None).vms[0].migration, None);
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
    assert_eq!(
        bench.sim.copy(&host("alpha"), vm),
        None,
        "its definition goes with the VM, as libvirt would have done it"
    );
    let history = bench.history(id).await;
    let at =
        |words: &str| history.iter().position(|text| text.contains(words)).unwrap_or_else(|| panic!("{history:?}"));
    let order = [
        at("not certain"),
        at("ada chose: Pause the copy on alpha"),
        at("ada chose: Turn off the copy on alpha"),
        at("was turned off"),
        at("runs on beta, and only there"),
    ];
    assert!(order.is_sorted(), "{history:?}");
    assert_eq!(bench.record(id).await, bench.engine.snapshot(None).migrations[0], "pages show what is kept");
    assert_eq!(
        bench.ended(bench.start(vm, "gamma").await).await.phase,
        Phase::Succeeded,
        "and the next migration works"
    );
}

#[tokio::test(start_paused = true)]
async fn a_step_that_could_not_be_written_down_is_not_taken_and_not_told_later() {
    let (bench, vm, id) = Bench::runs_twice().await;
    bench.store.set_broken(true);
    let refused = bench.engine.take_step(id, pause("alpha"), "ada").await.unwrap_err();
    assert_eq!(refused.code(), Code::StoreUnavailable);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha"), host("beta")]);
    bench.store.set_broken(false);
    bench.until(|bench| bench.engine.snapshot(None).store_outage.is_none()).await;
    bench.engine.take_step(id, pause("alpha"), "bob").await.unwrap();
    let history = bench.history(id).await;
    assert!(history.iter().any(|text| text.starts_with("bob chose")), "{history:?}");
    assert!(!history.iter().any(|text| text.starts_with("ada chose")), "{history:?}");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_not_the_safe_one_any_more_is_not_taken() {
    let (bench, vm, id) = Bench::runs_twice().await;
    for wrong in [pause("beta"), Step::Start { host: host("gamma") }, turn_off("alpha")] {
        let refused = bench.engine.take_step(id, wrong.clone(), "eve").await.unwrap_err();
        assert_eq!(refused.code(), Code::WrongState, "{wrong:?}");
        assert!(refused.told().fix.unwrap().contains("Pause the copy on alpha"), "what is safe is said");
        assert_eq!(bench.sim.runs_on(vm), [host("alpha"), host("beta")], "{wrong:?}");
    }
    // The destination's copy dies a moment before the step is taken: alpha's is the only one now.
    bench.sim.forget(&host("beta"), vm);
    let refused = bench.engine.take_step(id, pause("alpha"), "ada").await.unwrap_err();
    assert_eq!(refused.code(), Code::WrongState);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    assert_eq!(bench.record(id).await.phase, Phase::Failed);
    let again = bench.engine.take_step(id, pause("alpha"), "ada").await.unwrap_err();
    assert_eq!(again.code(), Code::WrongState, "it is settled");
}

#[tokio::test(start_paused = true)]
async fn a_step_that_a_host_cannot_take_leaves_the_record_as_it_is() {
    let (bench, vm, id) = Bench::runs_twice().await;
    bench.sim.cut(&host("beta"));
    bench.engine.take_step(id, pause("alpha"), "ada").await.unwrap_err();
    let now = bench.record(id).await;
    assert_eq!((now.phase, now.step), (Phase::NeedsAttention, None), "beta may have lost it meanwhile");
    assert!(now.problem.unwrap().sentence.contains("beta does not answer"));
    bench.sim.mend(&host("beta"));
    let now = bench.until_record(id, |migration| migration.step.is_some()).await;
    assert_eq!(now.step, Some(pause("alpha")));
    assert_eq!(bench.sim.runs_on(vm), [host("alpha"), host("beta")]);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_turned_it_off_with_virsh_finds_it_settled() {
    for (goes, phase) in [("beta", Phase::Failed), ("alpha", Phase::Succeeded)] {
        let (bench, vm, id) = Bench::runs_twice().await;
        bench.sim.forget(&host(goes), vm);
        let settled = bench.until_record(id, |migration| migration.phase != Phase::NeedsAttention).await;
        assert_eq!((settled.phase, settled.step), (phase, None));
        assert!(bench.history(id).await.iter().any(|text| text.contains("and only there")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_comes_back_ends_the_doubt_also_for_the_next_console() {
    for restarts in [false, true] {
        let mut bench = Bench::new().await;
        let vm = bench.vm("cache", VmState::Running, NEVER).await;
        let id = bench.start(vm, "beta").await;
        bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
        bench.sim.kill(&host("beta"));
        assert_eq!(bench.ended(id).await.phase, Phase::NeedsAttention);
        if restarts {
            bench.restart().await;
        }
        sleep(Duration::from_mins(10)).await;
        let waiting = bench.record(id).await;
        assert_eq!((waiting.phase, waiting.step), (Phase::NeedsAttention, None));
        assert!(waiting.problem.unwrap().sentence.contains("beta does not answer"));
        bench.sim.revive(&host("beta"));
        let settled = bench.until_record(id, |migration| migration.phase != Phase::NeedsAttention).await;
        assert_eq!(settled.phase, Phase::Failed);
        let history = bench.history(id).await;
        assert!(history.iter().any(|text| text.contains("not certain")), "both entries stay: {history:?}");
        assert!(history.last().unwrap().contains("cache runs on alpha, and only there"), "{history:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_comes_back_with_a_second_copy_is_told() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    bench.sim.kill(&host("beta"));
    bench.ended(id).await;
    let there = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("beta"), there);
    bench.sim.revive(&host("beta"));
    let told = bench.until_record(id, |migration| migration.step.is_some()).await;
    assert!(told.problem.unwrap().sentence.contains("runs on alpha and beta at the same time"));
    // Both say that they booted it: none is proven to be needless.
    assert_eq!(told.step, Some(Step::Pause { host: host("beta") }));
    bench.engine.take_step(id, Step::Pause { host: host("beta") }, "ada").await.unwrap();
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    let then = bench.record(id).await;
    assert_eq!(then.step, Some(turn_off("beta")), "it stays until somebody has found out");
    bench.engine.take_step(id, turn_off("beta"), "ada").await.unwrap();
    assert_eq!(bench.record(id).await.phase, Phase::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_later_migration_does_not_end_the_doubt_about_a_host_that_does_not_answer() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    bench.sim.kill(&host("beta"));
    assert_eq!(bench.ended(id).await.phase, Phase::NeedsAttention);
    let later = bench.start(vm, "gamma").await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(bench.record(id).await.phase, Phase::NeedsAttention, "the VM is in between");
    bench.engine.cancel(later, "admin").await.unwrap();
    bench.ended(later).await;
    sleep(Duration::from_secs(30)).await;
    assert_eq!(bench.record(id).await.phase, Phase::NeedsAttention, "beta may have a copy");
    bench.sim.revive(&host("beta"));
    let settled = bench.until_record(id, |migration| migration.phase != Phase::NeedsAttention).await;
    assert_eq!(settled.phase, Phase::Failed);
}

#[tokio::test(start_paused = true)]
async fn while_a_migration_waits_pages_see_a_second_copy_at_its_destination() {
    let bench = Bench::new().await;
    for number in 0..4 {
        let vm = bench.vm(&format!("vm{number}"), VmState::Running, NEVER).await;
        bench.start(vm, "beta").await;
    }
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.start(vm, "beta").await;
    assert!(!bench.engine.vm(vm).unwrap().runs_twice());
    let second = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("beta"), second);
    bench.until(|bench| bench.engine.vm(vm).unwrap().runs_twice()).await;
}

/// What somebody starts elsewhere while the VM moves is the copy that is paused: the source's ran before.
#[tokio::test(start_paused = true)]
async fn a_copy_that_was_started_on_a_third_host_is_paused_and_then_goes() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    let second = bench.sim.copy(&host("alpha"), vm).unwrap();
    bench.sim.put(&host("gamma"), second);
    bench.engine.cancel(id, "admin").await.unwrap();
    let end = bench.ended(id).await;
    assert_eq!((end.phase, end.step), (Phase::NeedsAttention, Some(Step::Pause { host: host("gamma") })));
    bench.engine.take_step(id, Step::Pause { host: host("gamma") }, "ada").await.unwrap();
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
    let settled = bench.engine.take_step(id, turn_off("gamma"), "ada").await.unwrap();
    assert_eq!(settled.phase, Phase::Cancelled);
    assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_copy_is_not_forgotten_when_the_vm_moves_on() {
    let (bench, vm, id) = Bench::runs_twice().await;
    bench.engine.take_step(id, pause("alpha"), "ada").await.unwrap();
    assert_eq!(bench.ended(bench.start(vm, "gamma").await).await.phase, Phase::Succeeded);
    sleep(Duration::from_secs(30)).await;
    let now = bench.record(id).await;
    assert_eq!((now.phase, now.step), (Phase::NeedsAttention, Some(turn_off("alpha"))));
    let settled = bench.engine.take_step(id, turn_off("alpha"), "ada").await.unwrap();
    assert_eq!(settled.phase, Phase::Succeeded, "it had arrived on beta");
    assert_eq!(bench.sim.runs_on(vm), [host("gamma")]);
}

#[tokio::test(start_paused = true)]
async fn the_next_migration_tells_where_an_earlier_one_had_left_the_vm() {
    let (mut bench, vm, id) = Bench::runs_twice().await;
    bench.sim.cut(&host("alpha"));
    bench.sim.forget(&host("alpha"), vm);
    bench.restart().await;
    bench.until(|bench| bench.engine.vm(vm).is_some()).await;
    for destination in ["gamma", "beta", "gamma"] {
        let end = bench.ended(bench.start(vm, destination).await).await;
        assert_eq!(end.phase, Phase::Succeeded, "{:?}", end.problem);
    }
    assert_eq!(bench.record(id).await.phase, Phase::NeedsAttention);
    bench.sim.mend(&host("alpha"));
    let settled = bench.until_record(id, |migration| migration.phase != Phase::NeedsAttention).await;
    assert_eq!(settled.phase, Phase::Succeeded, "the next one began on beta");
}

#[tokio::test(start_paused = true)]
async fn another_machine_of_the_name_has_no_say() {
    let mut bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.engine.snapshot(None).migrations[0].phase == Phase::Converging).await;
    bench.sim.kill(&host("beta"));
    assert_eq!(bench.ended(id).await.phase, Phase::NeedsAttention);
    bench.engine.stop().await;
    let config = bench.sim.add_host("beta2");
    bench.hosts[1] = HostConfig { transport: config.transport.clone(), ..bench.hosts[1].clone() };
    bench.restart().await;
    sleep(Duration::from_mins(1)).await;
    let now = bench.record(id).await;
    assert_eq!((now.phase, now.step), (Phase::NeedsAttention, None));
    let sentence = now.problem.unwrap().sentence;
    assert!(sentence.contains("beta is not registered any more, or another machine has that name"), "{sentence}");
}

#[tokio::test(start_paused = true)]
async fn a_bug_that_ends_a_migration_s_task_does_not_lock_the_vm() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    bench.sim.fail_next(vm, Fault::Panics);
    assert_eq!(bench.ended(bench.start(vm, "beta").await).await.phase, Phase::Succeeded);
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
    assert_eq!(bench.ended(bench.start(vm, "gamma").await).await.phase, Phase::Succeeded);
}
