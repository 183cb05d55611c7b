//! What a person has chosen for VMs that can't move while they run: they are shut down, and started again once they are home.

use model::{Choice, Evacuation, ItemState, Subject, VmAction, VmState};

use super::{Evacuations, settle::Changes};

impl Evacuations {
    /// Shuts down the VMs that a person has chosen to be; starts those again that come home so.
    pub(super) async fn act_on_choices(&self, evacuation: &mut Evacuation, changes: &mut Changes, now_ms: u64) {
        let action = match evacuation.request.subject {
            Subject::Home(_) => VmAction::Start,
            Subject::Hosts(_) | Subject::Vms(_) => VmAction::ShutDown,
        };
        for item in &mut evacuation.items {
            let is_chosen = item.state == ItemState::Stays { problem: None, choice: Some(Choice::ShutDown) };
            // It is asked once: a guest may take its time, or not listen.
            if !is_chosen || item.not_before_ms.is_some() {
                continue;
            }
            let (state, connection) = {
                let inventory = self.context.inventory();
                let Some(vm) = inventory.vm(item.vm) else { continue };
                (vm.state, inventory.connection(&vm.host))
            };
            let Ok(connection) = connection else { continue };
            let is_due = if action == VmAction::Start { state == VmState::ShutOff } else { state == VmState::Running };
            if !is_due {
                continue;
            }
            item.not_before_ms = Some(now_ms);
            changes.items.insert(item.vm);
            let done = connection.act(item.vm, action).await;
            let what = if action == VmAction::Start { "start" } else { "shut down" };
            changes.tell(
                now_ms,
                match done {
                    Ok(()) => format!("{} was asked to {what}, as chosen.", item.vm_name),
                    Err(error) => format!("{} could not be asked to {what}: {}", item.vm_name, error.sentence),
                },
            );
        }
    }
}
