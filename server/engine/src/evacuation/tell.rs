//! What a person tells an evacuation: what becomes of it, and of its record.

use model::{Code, Evacuation, EvacuationCommand, EvacuationId, EvacuationState, ItemState, Problem, Subject, VmId};

use super::{Evacuations, conduct::Conductor, settle::Changes, wording};
use crate::error::Error;

impl Conductor {
    /// Writes down what a person has asked for, and then goes by it.
    pub(super) async fn tell(
        &mut self,
        id: EvacuationId,
        command: EvacuationCommand,
        by: &str,
    ) -> Result<Evacuation, Error> {
        let now_ms = self.now_ms();
        let Some(evacuation) = self.open.get_mut(&id) else { return Err(wording::unknown(id)) };
        let before = evacuation.clone();
        let mut changes = Changes { record: true, ..Changes::default() };
        apply(evacuation, &command, by, &mut changes, now_ms)?;
        let vms: Vec<VmId> = changes.items.iter().copied().collect();
        let written = self.evacuations.context.store().update_evacuation(evacuation, &vms, &changes.events).await;
        if let Err(error) = written {
            *evacuation = before;
            return Err(error.into());
        }
        let evacuation = evacuation.clone();
        self.evacuations.show(&evacuation);
        if command == (EvacuationCommand::Stop { cancel: true }) {
            self.evacuations.cancel_all(&evacuation, by).await;
        }
        Ok(evacuation)
    }
}

impl Evacuations {
    /// Cancels the migrations of an evacuation that is stopped.
    async fn cancel_all(&self, evacuation: &Evacuation, by: &str) {
        for item in &evacuation.items {
            let ItemState::Moving { migration } = item.state else { continue };
            if let Err(error) = self.migrations.cancel(migration, by).await {
                // It has just ended, or runs at its destination.
                tracing::info!(%migration, %error, "a migration of a stopped evacuation is not cancelled");
            }
        }
    }
}

/// Does to the record what a person has asked for.
fn apply(
    evacuation: &mut Evacuation,
    command: &EvacuationCommand,
    by: &str,
    changes: &mut Changes,
    now_ms: u64,
) -> Result<(), Error> {
    use EvacuationState::{Paused, Running, Stopping};
    let refused = |sentence: &str| Err(wording::known(Problem::new(Code::WrongState, sentence)));
    match (command, evacuation.state) {
        (EvacuationCommand::Pause, Running) => {
            evacuation.state = Paused;
            changes.tell(now_ms, format!("{by} paused it."));
        }
        (EvacuationCommand::Continue, Paused) => {
            evacuation.state = Running;
            changes.tell(now_ms, format!("{by} let it go on."));
        }
        (EvacuationCommand::Stop { cancel }, Running | Paused | Stopping) => {
            evacuation.state = Stopping;
            let how = if *cancel { "and cancels what moves" } else { "what moves goes on" };
            changes.tell(now_ms, format!("{by} stopped it, {how}."));
        }
        (EvacuationCommand::Skip(vm), Running | Paused) => skip(evacuation, *vm, by, changes, now_ms)?,
        (EvacuationCommand::Retry(vm), Running | Paused) => retry(evacuation, *vm, by, changes, now_ms)?,
        (EvacuationCommand::First(vm), Running | Paused) => {
            let from = position(evacuation, *vm)?;
            let is_waiting = |item: &model::EvacuationItem| item.state == ItemState::Waiting;
            if !is_waiting(&evacuation.items[from]) {
                return refused("Only what waits can go first.");
            }
            let to = evacuation.items.iter().position(is_waiting).unwrap_or(from);
            let item = evacuation.items.remove(from);
            changes.tell(now_ms, format!("{by} put {} first.", item.vm_name));
            evacuation.items.insert(to, item);
            changes.items.extend(evacuation.items.iter().map(|item| item.vm));
        }
        (EvacuationCommand::Pause, Paused) | (EvacuationCommand::Continue, Running) => {}
        _ => return refused("The evacuation is being stopped."),
    }
    Ok(())
}

fn position(evacuation: &Evacuation, vm: VmId) -> Result<usize, Error> {
    let unknown = || wording::known(Problem::new(Code::UnknownVm, format!("The evacuation has no VM {vm}.")));
    evacuation.items.iter().position(|item| item.vm == vm).ok_or_else(unknown)
}

fn skip(evacuation: &mut Evacuation, vm: VmId, by: &str, changes: &mut Changes, now_ms: u64) -> Result<(), Error> {
    let at = position(evacuation, vm)?;
    let item = &mut evacuation.items[at];
    match item.state {
        ItemState::Waiting | ItemState::WaitsForPerson { .. } => {
            item.state = ItemState::Skipped { by: by.to_owned() };
            changes.tell(now_ms, format!("{by} left {} out.", item.vm_name));
            changes.items.insert(vm);
            Ok(())
        }
        ItemState::Skipped { .. } => Ok(()),
        _ => {
            let sentence = format!("{} does not wait.", item.vm_name);
            let fix = "A move under way can be cancelled on its own page.";
            Err(wording::known(Problem::new(Code::WrongState, sentence).with_fix(fix)))
        }
    }
}

fn retry(evacuation: &mut Evacuation, vm: VmId, by: &str, changes: &mut Changes, now_ms: u64) -> Result<(), Error> {
    let is_home = matches!(evacuation.request.subject, Subject::Home(_));
    let at = position(evacuation, vm)?;
    let item = &mut evacuation.items[at];
    match item.state {
        ItemState::WaitsForPerson { .. } | ItemState::Skipped { .. } | ItemState::Stays { .. } => {
            if !is_home {
                item.destination = None;
            }
            item.tried.clear();
            item.not_before_ms = None;
            item.state = ItemState::Waiting;
            changes.tell(now_ms, format!("{by} had {} tried again.", item.vm_name));
            changes.items.insert(vm);
            Ok(())
        }
        ItemState::Waiting => Ok(()),
        _ => {
            Err(wording::known(Problem::new(Code::WrongState, format!("{} does not wait for a person.", item.vm_name))))
        }
    }
}
