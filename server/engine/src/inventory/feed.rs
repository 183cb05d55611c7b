//! The stream of updates: numbered, resumable, and never blocked by a slow reader.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use model::{Change, Update};
use tokio::sync::{broadcast, mpsc};

use super::Inventory;
use crate::lock::lock;

/// Updates kept for readers that come back: at 4 samples a second and migration, minutes of a busy console.
const KEPT: usize = 4096;

/// How many updates a reader may be behind before it is sent a snapshot instead.
const LAG: usize = 1024;

/// Numbers reserved at every start: more than a console can use up before the next one.
pub(crate) const RESERVED: u64 = 1 << 32;

/// Numbers updates, keeps the latest, and hands them to all listeners.
pub(crate) struct Feed {
    last: u64,
    first_kept: u64,
    kept: VecDeque<Update>,
    sender: broadcast::Sender<Update>,
}

impl Feed {
    /// A feed whose first update gets the number `first`.
    pub(crate) fn new(first: u64) -> Self {
        Self { last: first - 1, first_kept: first, kept: VecDeque::new(), sender: broadcast::channel(LAG).0 }
    }

    /// The number of the latest update.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    pub(crate) fn publish(&mut self, at_ms: u64, change: Change) {
        self.last += 1;
        let update = Update { sequence: self.last, at_ms, change };
        if self.kept.len() == KEPT {
            self.kept.pop_front();
            self.first_kept += 1;
        }
        self.kept.push_back(update.clone());
        // That there is no listener is no error.
        let _ = self.sender.send(update);
    }

    /// All updates after number `since`; none if some of them are no longer, or were never, known.
    pub(crate) fn since(&self, since: u64) -> Option<Vec<Update>> {
        if since > self.last || since + 1 < self.first_kept {
            return None;
        }
        let skip = usize::try_from(since + 1 - self.first_kept).ok()?;
        Some(self.kept.iter().skip(skip).cloned().collect())
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Update> {
        self.sender.subscribe()
    }
}

/// Subscribes to all updates after number `since`. Where that number is unknown the first update is a snapshot, and so it is for
/// a subscriber that lags. The task that is returned feeds the subscriber until it leaves.
pub(crate) fn subscribe(
    inventory: Arc<Mutex<Inventory>>,
    since: Option<u64>,
) -> (mpsc::Receiver<Update>, impl Future<Output = ()> + Send + 'static) {
    // A small buffer: what waits is in the feed, not here.
    let (sender, receiver) = mpsc::channel(16);
    let (first, updates) = {
        let inventory = lock(&inventory);
        let missed = since.and_then(|since| inventory.feed.since(since));
        (missed.unwrap_or_else(|| vec![inventory.snapshot_update()]), inventory.feed.listen())
    };
    (receiver, forward(inventory, first, updates, sender))
}

/// Feeds one subscriber until it leaves.
async fn forward(
    inventory: Arc<Mutex<Inventory>>,
    first: Vec<Update>,
    mut updates: broadcast::Receiver<Update>,
    subscriber: mpsc::Sender<Update>,
) {
    for update in first {
        if subscriber.send(update).await.is_err() {
            return;
        }
    }
    loop {
        let update = tokio::select! {
            () = subscriber.closed() => return,
            received = updates.recv() => match received {
                Ok(update) => update,
                Err(broadcast::error::RecvError::Closed) => return,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let inventory = lock(&inventory);
                    updates = inventory.feed.listen();
                    inventory.snapshot_update()
                }
            },
        };
        if subscriber.send(update).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn feed(updates: u64) -> Feed {
        let mut feed = Feed::new(1000);
        for _ in 0..updates {
            feed.publish(0, Change::VmGone(model::VmId(uuid::Uuid::nil())));
        }
        feed
    }

    #[test]
    fn a_number_nobody_knows_gets_nothing() {
        assert!(feed(3).since(1003).is_none(), "from the future");
        assert!(feed(3).since(998).is_none(), "from before the restart");
        assert!(feed(KEPT as u64 + 1).since(999).is_none(), "too long ago");
    }

    proptest! {
        #[test]
        fn what_was_missed_comes_whole_and_in_order(updates in 0u64..6000, behind in 0u64..6000) {
            let feed = feed(updates);
            let since = feed.last().saturating_sub(behind);
            if let Some(missed) = feed.since(since) {
                let numbers: Vec<u64> = missed.iter().map(|update| update.sequence).collect();
                prop_assert_eq!(numbers, (since + 1..=feed.last()).collect::<Vec<_>>());
            } else {
                prop_assert!(behind > KEPT as u64 || behind > updates);
            }
        }
    }
}
