//! The stream of updates.

use model::{Problem, Update};
use tokio::sync::mpsc;

use crate::Principal;

/// The stream of updates.
pub trait Updates: Send + Sync {
    /// All updates after number `since`; from a snapshot on where that number is unknown or too old. A receiver that lags gets
    /// a snapshot; the channel closes when the console stops.
    fn subscribe(&self, who: &Principal, since: Option<u64>) -> Result<mpsc::Receiver<Update>, Problem>;
}
