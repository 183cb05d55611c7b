//! What evacuations are refused for, and what their VMs wait for, in sentences.

use model::{Code, Evacuation, EvacuationId, HostName, PlanId, Problem, text};
use planner::NoPlace;

use crate::error::Error;

pub(super) fn known(problem: Problem) -> Error {
    Error::Known(Box::new(problem))
}

pub(super) fn invalid(sentence: impl Into<String>) -> Error {
    known(Problem::new(Code::InvalidInput, sentence))
}

/// The same about a field of the request, or of a rule.
pub(super) fn invalid_field(field: &'static str, sentence: impl Into<String>) -> Error {
    known(Problem::new(Code::InvalidInput, sentence).with_field(field))
}

pub(super) fn unknown_plan(id: PlanId) -> Error {
    let problem = Problem::new(Code::UnknownPlan, format!("There is no plan {id} any more."));
    known(problem.with_fix("Make a new one: plans are kept for an hour, and until vmferry stops."))
}

pub(super) fn unknown(id: EvacuationId) -> Error {
    known(Problem::new(Code::UnknownEvacuation, format!("There is no evacuation {id}.")))
}

pub(super) fn already_ended(ended: &Evacuation) -> Error {
    let state = ended.state.label().to_lowercase();
    known(Problem::new(Code::AlreadyEnded, format!("This evacuation has ended already: {state}.")))
}

pub(super) fn outdated(difference: &[String]) -> Error {
    let sentence = match difference {
        [only] => format!("This plan does not hold any more: {only}"),
        [first, others @ ..] => {
            format!("This plan does not hold any more: {first} {} more differ.", others.len())
        }
        [] => "This plan does not hold any more.".to_owned(),
    };
    let problem = Problem::new(Code::PlanOutdated, sentence).with_fix("Make a new plan.");
    known(problem.with_details(difference.join("\n")))
}

pub(super) fn emptied_already(host: &HostName, other: &Evacuation) -> Error {
    let problem = Problem::new(Code::InMaintenance, format!("{host} is being emptied already."));
    known(problem.with_fix("Look at that evacuation, or stop it first.").with_details(other.id.to_string()))
}

pub(super) fn moved_already(vm: &str, other: &Evacuation) -> Error {
    let problem = Problem::new(Code::AlreadyMigrating, format!("{vm} is a part of another evacuation."));
    known(problem.with_fix("Skip it there, or wait until it has moved.").with_details(other.id.to_string()))
}

/// Why no host was found for a VM.
pub(super) fn no_place(vm: &str, why: &NoPlace) -> Problem {
    match why {
        NoPlace::Refused => Problem::new(Code::Blocked, format!("No other host can take {vm}."))
            .with_fix("The findings say why, host by host: see its page, Migrate. Or leave it, move it while it is off, or shut it down."),
        NoPlace::Memory { host, missing_bytes } => Problem::new(
            Code::NoRoom,
            format!("No host has the memory for {vm}: {host} lacks {}.", text::bytes(*missing_bytes)),
        )
        .with_fix("Free memory there, add a host, or shut something down."),
        NoPlace::Space { pool, host, missing_bytes } => Problem::new(
            Code::NoRoom,
            format!(
                "No host with the memory for {vm} has the space for its disks: pool {pool} of {host} lacks {}.",
                text::bytes(*missing_bytes)
            ),
        )
        .with_fix("Free space there, or put its disks on shared storage."),
        NoPlace::Rule(rule) => Problem::new(Code::Rule, format!("The rule {rule} forbids every host with room for {vm}."))
            .with_fix("Change the rule, make room on another host, or leave the VM."),
    }
}
