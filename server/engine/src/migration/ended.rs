//! A VM that ended while it was being moved, or as soon as it had: what it ended by is told.

use model::{Migration, Phase, Problem};

use super::{Reported, inquiry::Look};
use crate::{
    error::Error,
    hypervisor::{Presence, StateReason},
};

/// The end of such a migration: it has failed, because there was nothing left to move.
pub(super) fn end(migration: &Migration, source: Look, reported: Reported) -> (Phase, Option<Problem>) {
    let Migration { vm_name, source: host, .. } = migration;
    let reason = source.answer.reason;
    let (vm, host) = (vm_name.clone(), host.clone());
    let error = match reason {
        StateReason::Crashed | StateReason::Failed => Error::Crashed { vm, host },
        StateReason::Panicked => Error::Panicked { vm, host },
        StateReason::Destroyed => Error::ForcedOff { vm, host },
        StateReason::Shutdown => Error::ShutDown { vm, host },
        StateReason::Saved => Error::Saved { vm, host },
        _ => Error::Ended { vm, host },
    };
    let problem = Problem::from(error);
    let problem = match source.presence() {
        Presence::Absent => problem.with_fix("It was not persistent, so its definition is gone, too."),
        _ => problem,
    };
    let words = reported.err().map(|setback| Problem::from(Error::from(setback)));
    let problem = match words {
        Some(Problem { details: Some(details), .. }) => problem.with_details(details),
        Some(Problem { sentence, .. }) => problem.with_details(sentence),
        None => problem,
    };
    (Phase::Failed, Some(problem))
}

/// What is to be known of a VM that has moved and ended at its destination before it was seen to run there.
pub(super) fn there(migration: &Migration, destination: Look) -> Problem {
    let host = migration.destination.clone();
    Error::EndedThere { vm: migration.name_on(&host).to_owned(), host, reason: destination.answer.reason }.into()
}
