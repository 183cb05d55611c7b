//! The stream of updates.

use model::{Problem, Scope, Update};
use port::{Principal, Updates};
use tokio::sync::mpsc;

use super::ServerConsole;

impl Updates for ServerConsole {
    fn subscribe(
        &self,
        _who: &Principal,
        since: Option<u64>,
        scope: Option<Scope>,
    ) -> Result<mpsc::Receiver<Update>, Problem> {
        Ok(self.engine.subscribe(since, scope))
    }
}
