//! The stream of updates.

use model::{Problem, Scope, Update};
use tokio::sync::mpsc;

use crate::Principal;

/// The stream of updates.
pub trait Updates: Send + Sync {
    /// All updates of a scope; none is everything. The first is a snapshot, unless `since` is the number of the latest change. Changes that a
    /// slow receiver has not taken come together in the next update; the channel closes when the console stops.
    fn subscribe(
        &self,
        who: &Principal,
        since: Option<u64>,
        scope: Option<Scope>,
    ) -> Result<mpsc::Receiver<Update>, Problem>;
}
