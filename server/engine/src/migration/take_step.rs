//! A person takes the step that a migration offers which needs attention.

use model::{Migration, Phase, Step, VmAction, VmId};

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

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is done.
    Done,
    /// The migration goes on, and holds the VM: its recovery is to be run now.
    GoesOn,
}

/// Takes it, if it is still the safe one after all hosts were asked again, and writes down who did it and what came of it.
///
/// # Errors
/// Another step is the safe one now, or none; or the host could not do it.
pub(super) async fn take_step(context: &Context, journal: &mut Journal, step: &Step, by: &str) -> Result<Taken, Error> {
    // Neither a migration nor another act on the VM begins meanwhile.
    let claim = Claim::on(context, journal.record())?;
    let situation = Situation::look(context, journal.record()).await;
    unless_changed(context, journal, &situation, step).await?;
    let record = journal.record().clone();
    let connection = context.inventory().connection(step.host())?;
    journal.write_durably(format!("{by} chose: {}.", step.label())).await?;
    // That may have taken a while, and other programs can't be kept out.
    let again = Situation::look(context, journal.record()).await;
    if again != situation {
        journal.write("Nothing was done: the hosts say something else now.".to_owned()).await;
        settle::conclude(context, journal, &again).await;
        return Err(Error::NotTheStep(Box::new(journal.record().clone())));
    }
    if matches!(step, Step::Recover { .. }) {
        journal.go_on_in_post_copy(by, step.done(&record)).await;
        claim.keep();
        return Ok(Taken::GoesOn);
    }
    let done = act(&*connection, &record, step).await;
    match &done {
        Ok(()) => {
            journal.write(step.done(&record)).await;
            forget_definition(&*connection, journal, &situation, step).await;
        }
        Err(error) => journal.write(format!("{} could not do it: {error}", step.host())).await,
    }
    let situation = Situation::look(context, journal.record()).await;
    settle::conclude(context, journal, &situation).await;
    done?;
    Ok(Taken::Done)
}

/// The VM, claimed for a step for as long as this lives.
struct Claim<'a> {
    context: &'a Context,
    vm: VmId,
}

impl<'a> Claim<'a> {
    /// # Errors
    /// The VM is being moved, or another step is taken.
    fn on(context: &'a Context, record: &Migration) -> Result<Self, Error> {
        let already = |open| Error::AlreadyMigrating { vm: record.vm_name.clone(), open };
        context.inventory().claim(record).map_err(already)?;
        Ok(Self { context, vm: record.vm })
    }

    /// The VM stays claimed, for the migration itself: it gives it back at its end.
    fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.context.inventory().release(self.vm);
    }
}

/// # Errors
/// The step is not the one that is safe now. What is safe stands in the record then.
async fn unless_changed(
    context: &Context,
    journal: &mut Journal,
    situation: &Situation,
    step: &Step,
) -> Result<(), Error> {
    if journal.record().phase == Phase::NeedsAttention && settle::only_place(journal.record(), situation).is_none() {
        let Advice { step: now, .. } = advice::advise(journal.record(), situation);
        if now.as_ref() == Some(step) {
            return Ok(());
        }
    }
    if journal.record().phase == Phase::NeedsAttention {
        settle::conclude(context, journal, situation).await;
    }
    Err(Error::NotTheStep(Box::new(journal.record().clone())))
}

async fn act(connection: &dyn HostConnection, record: &Migration, step: &Step) -> Result<(), HostError> {
    let action = match step {
        Step::TurnOff { .. } => VmAction::ForceOff,
        Step::Pause { .. } => VmAction::Pause,
        Step::Resume { .. } => VmAction::Resume,
        Step::Start { .. } => VmAction::Start,
        Step::Undefine { .. } => return connection.undefine(record.vm).await,
        // It takes as long as a migration does, and so is run as one.
        Step::Recover { .. } => return Ok(()),
    };
    connection.act(record.vm, action).await
}

/// What is turned off goes with its definition where libvirt would have removed that: the one that the migration made at the destination,
/// and the source's of a VM that has arrived.
async fn forget_definition(connection: &dyn HostConnection, journal: &mut Journal, situation: &Situation, step: &Step) {
    let record = journal.record();
    let Step::TurnOff { host } = step else { return };
    let goes = (*host == record.destination && advice::made_definition(record))
        || (*host == record.source && has_arrived_for_good(record, situation));
    if goes && let Err(error) = connection.undefine(record.vm).await {
        journal.write(format!("{host} could not remove its definition: {error}")).await;
    }
}

/// Whether the VM runs at the destination with a definition that outlives a power-off, and none was to stay at the source.
fn has_arrived_for_good(record: &Migration, situation: &Situation) -> bool {
    let arrived = |seen: &Seen| seen.doing == Doing::Running && seen.reason == StateReason::Migrated && seen.persistent;
    let there = situation.at(&record.destination);
    !record.options.keep_source_definition && matches!(there, Answer::Copy(seen) if arrived(seen))
}
