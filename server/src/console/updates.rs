//! The stream of updates.

use model::{Problem, Update};
use port::{Principal, Updates};
use tokio::sync::mpsc;

use super::ServerConsole;

impl Updates for ServerConsole {
    fn subscribe(&self, _who: &Principal, since: Option<u64>) -> Result<mpsc::Receiver<Update>, Problem> {
        Ok(self.engine.subscribe(since))
    }
}
