//! What no hostile request may change: hosts, VMs and migrations, and that the user is logged in.

use anyhow::Result;
use serde_json::Value;

use crate::client::Target;

/// The state of the console, as its API tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State([Value; 3]);

impl State {
    /// Asks the console.
    ///
    /// # Errors
    /// If it does not answer, or the user is not logged in any more.
    pub async fn of(target: &Target) -> Result<Self> {
        let mut hosts = target.get(None, "/api/hosts").await?;
        let mut vms = target.get(None, "/plugins/kimchi/vms").await?;
        let tasks = target.get(None, "/plugins/kimchi/tasks").await?;
        // Free memory, latency and processor time change by themselves.
        for host in hosts.as_array_mut().into_iter().flatten() {
            host["state"].take();
        }
        for vm in vms.as_array_mut().into_iter().flatten() {
            *vm = Value::from_iter(["name", "uuid", "state", "host"].map(|key| (key, vm[key].take())));
        }
        Ok(Self([hosts, vms, tasks]))
    }
}
