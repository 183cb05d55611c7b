//! Terminals of simulated VMs: the guest answers every piece of input with it, and with the name of its host.

use std::time::Duration;

use model::{TerminalKind, VmId};
use tokio::{sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

use super::host::SimConnection;
use crate::hypervisor::{HostError, HostErrorKind, TerminalStream};

/// How often the model looks whether the guest still runs there.
const LOOK: Duration = Duration::from_millis(20);

impl SimConnection {
    /// Opens a terminal of a VM that is active here. Each VM has both; only the serial console is one client's at a time.
    pub(super) fn terminal(&self, vm: VmId, kind: TerminalKind, take_over: bool) -> Result<TerminalStream, HostError> {
        let open = CancellationToken::new();
        self.ask(|host| {
            if !host.copies.get(&vm).is_some_and(|copy| copy.state.is_active()) {
                return Err(HostError::new(HostErrorKind::WrongState, "domain is not running (simulated)"));
            }
            if kind == TerminalKind::Serial {
                if let Some(other) = host.consoles.get(&vm).filter(|other| !other.is_cancelled()) {
                    if !take_over {
                        return Err(HostError::new(HostErrorKind::InUse, "Active console session exists (simulated)"));
                    }
                    other.cancel();
                }
                host.consoles.insert(vm, open.clone());
            }
            Ok(())
        })??;
        let (input, mut typed) = mpsc::channel::<Vec<u8>>(1);
        let (said, output) = mpsc::channel(1);
        let connection = Self { sim: self.sim.clone(), name: self.name.clone(), cuts: self.cuts };
        tokio::spawn(async move {
            let _closed_at_the_end = open.clone().drop_guard();
            while connection.has_active(vm) {
                let typed = tokio::select! {
                    () = open.cancelled() => return,
                    () = said.closed() => return,
                    () = sleep(LOOK) => continue,
                    typed = typed.recv() => typed,
                };
                let Some(mut answer) = typed else { return };
                answer.extend(format!(" on {}", connection.name).into_bytes());
                if said.send(answer).await.is_err() {
                    return;
                }
            }
        });
        Ok(TerminalStream { input, output })
    }

    fn has_active(&self, vm: VmId) -> bool {
        self.ask(|host| host.copies.get(&vm).is_some_and(|copy| copy.state.is_active())).unwrap_or(false)
    }
}
