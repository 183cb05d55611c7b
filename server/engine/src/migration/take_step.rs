//! A person takes the step that a migration offers which needs attention.

use model::{Migration, Phase, Step, VmAction};

use super::{
    advice::{self, Advice},
    journal::Journal,
    settle,
    situation::{Answer, Doing, Seen, Situation},
};
use crate::{
    context::Context,
    error::Error,
    hypervisor::{HostConnection, HostError, StateReason},
};

/// Takes it, if it is still the safe one after all hosts were asked again, and writes down who did it and what came of it.
///
/// # Errors
/// Another step is the safe one now, or none; or the host could not do it.
pub(super) async fn take_step(context: &Context, journal: &mut Journal, step: &Step, by: &str) -> Result<(), Error> {
    let situation = Situation::look(context, journal.record()).await;
    unless_changed(journal, &situation, step).await?;
    let record = journal.record().clone();
    let connection = context.inventory().connection(step.host())?;
    journal.write_durably(format!("{by} chose: {}.", step.label())).await?;
    // Neither a migration nor another act on the VM begins meanwhile.
    let already = |open| Error::AlreadyMigrating { vm: record.vm_name.clone(), open };
    context.inventory().claim(&record).map_err(already)?;
    let done = act(&*connection, &record, &situation, step).await;
    context.inventory().release(record.vm);
    if let Err(error) = &done {
        journal.write(format!("{} could not do it: {error}", step.host())).await;
    } else {
        journal.write(step.done(&record)).await;
    }
    let situation = Situation::look(context, journal.record()).await;
    settle::conclude(journal, &situation).await;
    Ok(done?)
}

/// # Errors
/// The step is not the one that is safe now. What is safe stands in the record then.
async fn unless_changed(journal: &mut Journal, situation: &Situation, step: &Step) -> Result<(), Error> {
    if journal.record().phase == Phase::NeedsAttention && settle::only_place(journal.record(), situation).is_none() {
        let Advice { step: now, .. } = advice::advise(journal.record(), situation);
        if now.as_ref() == Some(step) {
            return Ok(());
        }
    }
    if journal.record().phase == Phase::NeedsAttention {
        settle::conclude(journal, situation).await;
    }
    Err(Error::NotTheStep(Box::new(journal.record().clone())))
}

async fn act(
    connection: &dyn HostConnection,
    record: &Migration,
    situation: &Situation,
    step: &Step,
) -> Result<(), HostError> {
    let action = match step {
        Step::TurnOff { .. } => VmAction::ForceOff,
        Step::Pause { .. } => VmAction::Pause,
        Step::Resume { .. } => VmAction::Resume,
        Step::Start { .. } => VmAction::Start,
        Step::Undefine { .. } => return connection.undefine(record.vm).await,
    };
    connection.act(record.vm, action).await?;
    match step {
        // What is turned off goes with its definition where libvirt would have removed that: the one that the migration made at the
        // destination, and the source's of a VM that has arrived.
        Step::TurnOff { host } if *host == record.destination && advice::made_definition(record) => {
            connection.undefine(record.vm).await
        }
        Step::TurnOff { host } if *host == record.source && has_arrived_for_good(record, situation) => {
            connection.undefine(record.vm).await
        }
        _ => Ok(()),
    }
}

/// Whether the VM runs at the destination with a definition that outlives a power-off, and none was to stay at the source.
fn has_arrived_for_good(record: &Migration, situation: &Situation) -> bool {
    let arrived = |seen: &Seen| seen.doing == Doing::Running && seen.reason == StateReason::Migrated && seen.persistent;
    let there = situation.at(&record.destination);
    !record.options.keep_source_definition && matches!(there, Answer::Copy(seen) if arrived(seen))
}
