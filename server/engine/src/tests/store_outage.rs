//! A store that can't be written for a while: migrations under way go on, nothing begins, and nothing is missing afterwards.

use std::time::Duration;

use model::{Code, Phase, VmState};
use store::StoreFault;

use super::*;

#[tokio::test(start_paused = true)]
async fn what_could_not_be_written_is_written_in_order() {
    let bench = Bench::new().await;
    let vm = bench.vm("db", VmState::Running, BUSY).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.shown(id).phase == Phase::CopyingMemory).await;
    bench.store.set_broken(true);
    bench.until(|bench| bench.shown(id).phase == Phase::Verifying && bench.shown(id).problem.is_some()).await;
    assert_eq!(bench.shown(id).problem.unwrap().code, Code::StoreUnavailable, "says what it waits for");
    let outage = bench.engine.snapshot(None).store_outage.unwrap();
    assert!(outage.problem.sentence.contains("full"), "{outage:?}");
    assert_eq!(bench.sim.runs_on(vm), [host("beta")]);
    bench.store.set_broken(false);
    assert_eq!(bench.ended(id).await.phase, Phase::Succeeded);
    bench.until(|bench| bench.engine.snapshot(None).store_outage.is_none()).await;

    assert_eq!(bench.store.migration(id).await.unwrap().unwrap().phase, Phase::Succeeded);
    let events = bench.store.events(id).await.unwrap();
    assert!(events.is_sorted_by_key(|event| event.at_ms));
    let mut phases: Vec<Phase> = events.iter().map(|event| event.phase).collect();
    phases.dedup();
    // It lasts half as long as from one sample to the next, and may be skipped.
    phases.retain(|phase| *phase != Phase::SwitchingOver);
    let expected = [
        Phase::Queued,
        Phase::Checking,
        Phase::Preparing,
        Phase::CopyingMemory,
        Phase::Converging,
        Phase::Verifying,
        Phase::Succeeded,
    ];
    assert_eq!(phases, expected, "each once");
}

#[tokio::test(start_paused = true)]
async fn the_store_has_the_phase_as_soon_as_it_can_be_written() {
    let bench = Bench::new().await;
    let vm = bench.vm("cache", VmState::Running, NEVER).await;
    let id = bench.start(vm, "beta").await;
    bench.until(|bench| bench.shown(id).phase == Phase::CopyingMemory).await;
    bench.store.set_fault(Some(StoreFault::ReadOnly));
    bench.until(|bench| bench.shown(id).phase == Phase::Converging).await;
    assert_eq!(bench.store.migration(id).await.unwrap().unwrap().phase, Phase::CopyingMemory);
    bench.store.set_fault(None);
    // Nothing more happens to it: it never converges.
    bench.until(|bench| bench.engine.snapshot(None).store_outage.is_none()).await;
    assert_eq!(bench.store.migration(id).await.unwrap().unwrap().phase, Phase::Converging);
    assert!(bench.shown(id).problem.is_none());
}

#[tokio::test(start_paused = true)]
async fn nothing_begins_that_can_not_be_written() {
    let bench = Bench::new().await;
    let vm = bench.vm("web", VmState::Running, IDLE).await;
    for fault in [StoreFault::Full, StoreFault::ReadOnly, StoreFault::Damaged, StoreFault::Busy, StoreFault::Io] {
        bench.store.set_fault(Some(fault));
        let refused = bench.engine.migrate_to_host(request(vm, "beta"), "admin").await.unwrap_err();
        assert_eq!((refused.clone(), refused.code()), (Error::Store(fault), Code::StoreUnavailable));
        assert!(bench.engine.snapshot(None).vms[0].migration.is_none(), "it is free");
    }
    bench.store.set_fault(None);
    assert_eq!(bench.ended(bench.start(vm, "beta").await).await.phase, Phase::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn what_was_queued_waits_for_the_store() {
    for cancels in [false, true] {
        let bench = Bench::new().await;
        let vm = bench.vm("web", VmState::Running, IDLE).await;
        // As if four others were on their way.
        let places = Arc::clone(&bench.engine.inventory().host(&host("alpha")).unwrap().outgoing);
        let taken = places.acquire_many(4).await.unwrap();
        let id = bench.start(vm, "beta").await;
        bench.store.set_broken(true);
        drop(taken);
        tokio::time::sleep(Duration::from_secs(30)).await;
        let waits = bench.shown(id);
        assert_eq!((waits.phase, waits.problem.unwrap().code), (Phase::Preparing, Code::StoreUnavailable));
        assert_eq!(bench.sim.runs_on(vm), [host("alpha")]);
        if cancels {
            bench.engine.cancel(id, "admin").await.unwrap();
        }
        bench.store.set_broken(false);
        let (phase, place) = if cancels { (Phase::Cancelled, "alpha") } else { (Phase::Succeeded, "beta") };
        let end = bench.ended(id).await;
        assert_eq!((end.phase, end.problem), (phase, None));
        assert_eq!(bench.sim.runs_on(vm), [host(place)]);
    }
}

impl Bench {
    pub(super) fn shown(&self, id: MigrationId) -> Migration {
        self.engine.snapshot(None).migrations.into_iter().find(|migration| migration.id == id).unwrap()
    }
}
