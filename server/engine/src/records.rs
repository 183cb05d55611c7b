//! The records of migrations on their way to the store. What can't be written now is kept, in order, and written as soon as it can be.
//!
//! `migration/journal.rs` writes through this; the engine tries again what failed (`engine/store.rs`).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use model::{Migration, MigrationEvent, MigrationId};
use store::{EngineStore, StoreError, StoreFault};
use tokio::{
    sync::{Mutex, Notify, watch},
    time::sleep,
};

use crate::error::Error;

/// Between two tries to write to a store that fails: it heals within seconds of its cause, and a try costs nothing.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// Entries of a history that are kept for one migration. A migration has about ten, and one more for each volume.
const MOST_EVENTS: usize = 200;

/// Writes records, and keeps those that could not be written.
pub(crate) struct Records {
    store: Arc<dyn EngineStore>,
    condition: watch::Receiver<Option<StoreFault>>,
    /// Held while a record is written, so that the history stays in order.
    unwritten: Mutex<BTreeMap<MigrationId, Unwritten>>,
    /// Told when a record could not be written, and when one was that could not be before.
    changed: Notify,
}

/// A record as it was last, and the entries of its history that the store does not have.
struct Unwritten {
    record: Migration,
    events: Vec<MigrationEvent>,
}

/// What is kept of what can't be written now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    All,
    Record,
}

impl Records {
    pub(crate) fn new(store: Arc<dyn EngineStore>) -> Self {
        Self { condition: store.condition(), store, unwritten: Mutex::default(), changed: Notify::new() }
    }

    /// Writes a record, with an entry in its history if there is one. All of it or nothing.
    ///
    /// # Errors
    /// [`Error::Store`] if it can't be written now. It is kept, and written later.
    pub(crate) async fn write(&self, record: &Migration, event: Option<MigrationEvent>) -> Result<(), Error> {
        self.write_or(record, event, Kept::All).await
    }

    /// The same, but an entry that can't be written now is dropped: what it tells of is not done then.
    ///
    /// # Errors
    /// [`Error::Store`] if it can't be written now. Only the record is kept.
    pub(crate) async fn write_now(&self, record: &Migration, event: MigrationEvent) -> Result<(), Error> {
        self.write_or(record, Some(event), Kept::Record).await
    }

    async fn write_or(&self, record: &Migration, event: Option<MigrationEvent>, kept: Kept) -> Result<(), Error> {
        let mut unwritten = self.unwritten.lock().await;
        let entry = unwritten
            .entry(record.id)
            .and_modify(|entry| entry.record.clone_from(record))
            .or_insert_with(|| Unwritten { record: record.clone(), events: Vec::new() });
        let before = (kept == Kept::Record).then(|| entry.events.clone());
        event.into_iter().for_each(|event| entry.push(event));
        let known = *self.condition.borrow();
        let written = match known {
            // Only `try_again` does: where the database is locked, each try takes seconds.
            Some(fault) => Err(Error::Store(fault)),
            None => {
                let written = self.store.update_migration(&entry.record, &entry.events).await;
                let is_settled = is_settled(&written);
                self.changed.notify_waiters();
                if is_settled {
                    unwritten.remove(&record.id);
                    return Ok(written?);
                }
                written.map_err(Error::from)
            }
        };
        if let Some(before) = before {
            entry.events = before;
        }
        written
    }

    /// Why the store does not have the record of a migration as it was written last; none if it has.
    pub(crate) async fn fault(&self, id: MigrationId) -> Option<StoreFault> {
        let fault = *self.condition.borrow();
        self.unwritten.lock().await.contains_key(&id).then(|| fault.unwrap_or(StoreFault::Other))
    }

    /// Returns when the store has the record of a migration as it was written last.
    pub(crate) async fn written(&self, id: MigrationId) {
        loop {
            let changed = self.changed.notified();
            if !self.unwritten.lock().await.contains_key(&id) {
                return;
            }
            changed.await;
        }
    }

    /// Waits until something can't be written; returns why.
    pub(crate) async fn fails(&self) -> StoreFault {
        let mut condition = self.condition.clone();
        loop {
            let changed = self.changed.notified();
            if let Some(fault) = *condition.borrow_and_update() {
                return fault;
            }
            if !self.unwritten.lock().await.is_empty() {
                return StoreFault::Other;
            }
            tokio::select! {
                () = changed => {}
                _ = condition.changed() => {}
            }
        }
    }

    /// After a while, tries to write what could not be written.
    ///
    /// # Errors
    /// Why it still can't be.
    pub(crate) async fn try_again(&self) -> Result<(), StoreFault> {
        sleep(TRY_AGAIN).await;
        self.store.try_to_write().await.map_err(fault)?;
        let mut unwritten = self.unwritten.lock().await;
        let mut refused = Ok(());
        for id in unwritten.keys().copied().collect::<Vec<_>>() {
            let Some(Unwritten { record, events }) = unwritten.get(&id) else { continue };
            let written = self.store.update_migration(record, events).await;
            if is_settled(&written) {
                unwritten.remove(&id);
                continue;
            }
            match written.map_err(fault) {
                // Others may be accepted.
                Err(StoreFault::Other) => refused = Err(StoreFault::Other),
                Err(fault) => return Err(fault),
                Ok(()) => {}
            }
        }
        self.changed.notify_waiters();
        refused
    }
}

impl Unwritten {
    /// Keeps an entry, unless it says what the last one says. If there are too many, the oldest goes that is no change of phase.
    fn push(&mut self, event: MigrationEvent) {
        let is_repeated = self.events.last().is_some_and(|last| (last.phase, &last.text) == (event.phase, &event.text));
        if is_repeated {
            return;
        }
        self.events.push(event);
        if self.events.len() > MOST_EVENTS {
            let needless = self.events.windows(2).position(|pair| pair[0].phase == pair[1].phase);
            self.events.remove(needless.map_or(0, |index| index + 1));
        }
    }
}

/// Whether there is no use in trying again. What can't follow what is kept is a bug of the journal's: the next console finds the record as
/// it is kept.
fn is_settled(written: &Result<(), StoreError>) -> bool {
    match written {
        Err(error @ StoreError::Transition { .. }) => {
            tracing::error!(%error, "the store refuses a migration's history");
            true
        }
        written => written.is_ok(),
    }
}

fn fault(error: StoreError) -> StoreFault {
    match error {
        StoreError::Failed { fault, .. } => fault,
        StoreError::Open(_) | StoreError::Transition { .. } => StoreFault::Other,
    }
}
