//! Serial consoles and screens of VMs.

use async_trait::async_trait;
use model::{Code, Problem, TerminalKind, VmId};
use port::{Principal, Terminal, Terminals};
use store::Action;

use super::ServerConsole;

#[async_trait]
impl Terminals for ServerConsole {
    async fn open_terminal(
        &self,
        who: &Principal,
        vm: VmId,
        kind: TerminalKind,
        take_over: bool,
    ) -> Result<Terminal, Problem> {
        if !who.may_use_terminals() {
            return Err(Problem::new(Code::NotPermitted, "You may not use the consoles of VMs."));
        }
        self.known_vm(vm)?;
        self.audit(who, Action::TerminalOpened(vm, kind, take_over)).await?;
        let (input, events) = self.engine.open_terminal(vm, kind, take_over)?;
        Ok(Terminal { input, events })
    }
}
