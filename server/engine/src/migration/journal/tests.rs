//! Whatever order events come in: what is written down is a way through the state machine.

use model::examples;
use proptest::{collection::vec, prelude::*, sample::select};
use store::{EngineStore, MemoryStore, Migrations as _};

use super::*;
use crate::{
    clock::Clock,
    inventory::{Feed, Inventory},
    testing::Sim,
};

/// What happens to a migration: it enters a phase, or it ends in one.
fn event() -> impl Strategy<Value = Phase> {
    select(Phase::ALL)
}

async fn journal(store: &Arc<MemoryStore>) -> Journal {
    let record = examples::migration(1);
    store.insert_migration(&record).await.unwrap();
    let clock = Clock::start();
    let store: Arc<dyn EngineStore> = store.clone();
    Journal::new(Context::new(Arc::new(Sim::new()), store, clock, Inventory::new(clock, Feed::new(1))), record)
}

proptest! {
    #[test]
    fn only_legal_transitions_are_written(events in vec(event(), 0..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (written, record) = runtime.block_on(async {
            let store = Arc::new(MemoryStore::default());
            let mut journal = journal(&store).await;
            for to in events {
                match to.has_ended() {
                    true => journal.end(to, None, None).await,
                    false => journal.enter(to).await,
                }
            }
            let kept = store.migration(journal.record().id).await.unwrap().unwrap();
            (store.events(kept.id).await.unwrap(), kept)
        });
        let mut now = Phase::Queued;
        for event in written {
            prop_assert!(now.may_become(event.phase), "{now:?} to {:?}", event.phase);
            now = event.phase;
        }
        prop_assert_eq!(record.phase, now, "the record is as the history tells");
        prop_assert_eq!(record.ended_at_ms.is_some(), now.has_ended());
    }
}
