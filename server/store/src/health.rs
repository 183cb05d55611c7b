//! Whether the store can be written.

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{StoreError, StoreFault};

/// Whether the store can be written.
#[async_trait]
pub trait Health: Send + Sync + 'static {
    /// What keeps the store from being written, as the last write has shown, whoever asked for it; none if that write succeeded.
    fn condition(&self) -> watch::Receiver<Option<StoreFault>>;

    /// Writes something that changes nothing, to see whether writing is possible again.
    async fn try_to_write(&self) -> Result<(), StoreError>;
}

/// What the writes of one store have shown.
#[derive(Clone, Debug)]
pub(crate) struct Condition(watch::Sender<Option<StoreFault>>);

impl Default for Condition {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Condition {
    pub(crate) fn watch(&self) -> watch::Receiver<Option<StoreFault>> {
        self.0.subscribe()
    }

    /// A write succeeded.
    pub(crate) fn written(&self) {
        self.set(None);
    }

    /// A write failed. That it was asked for something impossible says nothing of other writes.
    pub(crate) fn failed(&self, fault: StoreFault) {
        if fault != StoreFault::Other {
            self.set(Some(fault));
        }
    }

    fn set(&self, now: Option<StoreFault>) {
        self.0.send_if_modified(|before| std::mem::replace(before, now) != now);
    }
}
