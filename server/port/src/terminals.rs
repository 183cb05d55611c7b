//! Serial consoles and screens of VMs.

use async_trait::async_trait;
use model::{Problem, TerminalEvent, TerminalKind, VmId};
use tokio::sync::mpsc;

use crate::Principal;

/// A serial console or a screen that is open. Dropping it closes it.
#[derive(Debug)]
pub struct Terminal {
    /// What is typed goes in here.
    pub input: mpsc::Sender<Vec<u8>>,
    /// What the guest says, and where it is. It ends after [`model::TerminalStatus::Ended`]; without that it is to be opened anew: a screen
    /// whose VM has left its host, or the console stops.
    pub events: mpsc::Receiver<TerminalEvent>,
}

/// Serial consoles and screens of VMs: whoever opens one is in front of the machine.
#[async_trait]
pub trait Terminals: Send + Sync {
    /// Opens a terminal of a VM, which follows it when it moves. A serial console is one client's at a time: with `take_over` another loses
    /// it. The audit log says who opened which.
    ///
    /// # Errors
    /// `not-permitted` for a user who may not; `unknown-vm`; `wrong-state` of a VM that is off.
    async fn open_terminal(
        &self,
        who: &Principal,
        vm: VmId,
        kind: TerminalKind,
        take_over: bool,
    ) -> Result<Terminal, Problem>;
}
