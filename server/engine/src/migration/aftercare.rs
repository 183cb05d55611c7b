//! Aftercare: what is left to do for migrations that have ended.
//!
//! A migration that has left something on a host (`leftovers.rs`), has something to set there (`autostart.rs`), whose guest sleeps
//! (`asleep.rs`), or of which it is not certain where the VM is (`settle.rs`), is looked after until none of that is so, also by the
//! next console. From its end on nothing else changes its record.

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::FutureExt as _;
use model::{Migration, MigrationId, Phase};
use tokio::{
    sync::{Mutex as Turn, watch},
    time::sleep,
};

use super::{asleep, autostart, journal::Journal, leftovers, settle};
use crate::{context::Context, lock::lock};

/// Between two looks, if no host comes back meanwhile: soon enough for a person who watches.
const SOON: Duration = Duration::from_secs(3);
/// The same where all that is left is what hosts have refused to remove.
const LATER: Duration = Duration::from_mins(1);

/// An ended migration that is looked after. Only who has its turn changes the record.
pub(super) type Case = Arc<Turn<Journal>>;

/// Looks after migrations that have ended.
pub(super) struct Aftercare {
    context: Arc<Context>,
    cases: Mutex<BTreeMap<MigrationId, Case>>,
}

impl Aftercare {
    pub(super) fn new(context: Arc<Context>) -> Arc<Self> {
        Arc::new(Self { context, cases: Mutex::default() })
    }

    /// Looks after a migration that has ended, if it needs that.
    pub(super) fn take(self: &Arc<Self>, record: Migration) {
        if !record.needs_care() {
            return;
        }
        let id = record.id;
        let case = Arc::new(Turn::new(Journal::new(Arc::clone(&self.context), record)));
        lock(&self.cases).insert(id, Arc::clone(&case));
        let arrivals = self.context.inventory().arrivals();
        let aftercare = Arc::clone(self);
        // A task each: a host that hangs holds up nothing but its own.
        self.context.tasks().spawn(async move {
            // After a bug that makes it panic it goes on: else nobody would look after the migration before the next start.
            while AssertUnwindSafe(look_after(&aftercare.context, &case, arrivals.clone()))
                .catch_unwind()
                .await
                .is_err()
            {
                tracing::error!(migration = %id, "looking after an ended migration has panicked: it is tried again");
                sleep(LATER).await;
            }
            aftercare.forget(id, &case);
        });
    }

    /// Looks no longer after a migration that goes on; or not any more as this case, if it has ended again meanwhile.
    pub(super) fn forget(&self, id: MigrationId, case: &Case) {
        let mut cases = lock(&self.cases);
        if cases.get(&id).is_some_and(|kept| Arc::ptr_eq(kept, case)) {
            cases.remove(&id);
        }
    }

    /// An ended migration, if it is looked after.
    pub(super) fn case(&self, id: MigrationId) -> Option<Case> {
        lock(&self.cases).get(&id).cloned()
    }
}

/// Returns when nothing is left to do.
async fn look_after(context: &Context, case: &Case, mut arrivals: watch::Receiver<()>) {
    loop {
        let wait;
        {
            let mut journal = case.lock().await;
            // It goes on, or has meanwhile: what this journal has is old.
            if !journal.record().phase.has_ended() {
                return;
            }
            settle::settle(context, &mut journal).await;
            leftovers::clean(context, &mut journal).await;
            autostart::go_on(context, &mut journal).await;
            asleep::look(context, &mut journal).await;
            if !journal.record().needs_care() {
                return;
            }
            wait = until_next_look(journal.record());
        }
        tokio::select! {
            () = sleep(wait) => {}
            Ok(()) = arrivals.changed() => {}
        }
    }
}

fn until_next_look(record: &Migration) -> Duration {
    let is_refused = record.leftovers.iter().all(|leftover| leftover.problem.is_some())
        && record.autostart_pending().is_empty()
        && !record.asleep;
    if is_refused && record.phase != Phase::NeedsAttention { LATER } else { SOON }
}
