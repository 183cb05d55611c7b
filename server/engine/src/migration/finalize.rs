//! The end of a migration: what both hosts agree on is written down.

use model::{Code, HostName, Migration, Phase, Problem};

use super::{
    Reported, Setback, active::ActiveMigration, elsewhere, ended, leftovers, reconcile, reconcile::Found,
    verdict::Verdict,
};
use crate::{
    error::Error,
    storage::{self, StorageJournal as _},
};

/// Finds out where the VM is and ends the migration accordingly, whatever libvirt reported.
pub(super) async fn finalize(active: &mut ActiveMigration, reported: Reported) {
    if reported.is_ok() {
        active.switched();
    }
    active.journal().enter(Phase::Verifying).await;
    if matches!(reported, Err(Setback::NotBegun(_) | Setback::Failed(_))) {
        let context = active.shared_context();
        leftovers::see_whether_volumes_are_needed(&context, active.journal()).await;
    }
    let Found { verdict, elsewhere, looks: [source, _], silent } = reconcile::reconcile(active, &reported).await;
    match verdict {
        Verdict::Moved => {
            let figures = active.final_figures().await;
            reconcile::undefine_at_source(active).await;
            let context = active.shared_context();
            if reported.is_ok() {
                storage::prove_mirrored(&context, active).await;
            }
            storage::remove_source_disks(&context, active, reported.is_ok()).await;
            note_unregistered_destination(active).await;
            active.journal().end(Phase::Succeeded, None, figures).await;
        }
        Verdict::Stayed => {
            note_silent(active, &silent).await;
            let (phase, problem) = why_it_stayed(active.record(), reported);
            end_at_source(active, phase, problem).await;
        }
        Verdict::Ended => {
            let (phase, problem) = ended::end(active.record(), source, reported);
            end_at_source(active, phase, problem).await;
        }
        Verdict::MovedElsewhere => {
            let host = elsewhere.unwrap_or_else(|| active.record().destination.clone());
            let (phase, problem) = elsewhere::end(active.record(), &host);
            end_at_source(active, phase, problem).await;
        }
        contradiction => {
            let problem = attention(active.record(), contradiction, reported);
            let figures = active.last_figures();
            active.journal().end(Phase::NeedsAttention, Some(problem), figures).await;
        }
    }
}

/// Ends a migration that libvirt was not asked for: the VM is where it was, unless others have moved it.
pub(super) async fn not_begun(active: &mut ActiveMigration, why: Setback) {
    let moved_to = if elsewhere::may_be_why(&why) { elsewhere::moved_to(active).await } else { None };
    let (phase, problem) = match moved_to {
        Some(host) => elsewhere::end(active.record(), &host),
        None => why_it_stayed(active.record(), Err(why)),
    };
    end_at_source(active, phase, problem).await;
}

/// Ends a migration whose VM stayed: first removes what the migration made at the destination, if that is done at once.
async fn end_at_source(active: &mut ActiveMigration, phase: Phase, problem: Option<Problem>) {
    let context = active.shared_context();
    leftovers::clean_promptly(&context, active.journal()).await;
    let figures = active.last_figures();
    active.journal().end(phase, problem, figures).await;
}

/// Hosts that could not be asked whether they have the VM, too.
async fn note_silent(active: &mut ActiveMigration, hosts: &[HostName]) {
    if !hosts.is_empty() {
        let hosts: Vec<&str> = hosts.iter().map(HostName::as_str).collect();
        active.write(format!("Not asked, because they did not answer: {}.", hosts.join(", "))).await;
    }
}

/// A VM on a host that is not registered is seen only while a migration needs that host.
async fn note_unregistered_destination(active: &mut ActiveMigration) {
    let Migration { vm_name, destination, .. } = active.record();
    if active.context().inventory().is_temporary(destination) {
        let text = format!(
            "{destination} is not registered, so {vm_name} is not watched there. To see it, register the host."
        );
        active.write(text).await;
    }
}

fn why_it_stayed(migration: &Migration, reported: Reported) -> (Phase, Option<Problem>) {
    match reported {
        Err(setback) if migration.cancel_requested && (setback.is_cancelled() || setback.is_lost()) => {
            (Phase::Cancelled, None)
        }
        Err(setback) if setback.is_cancelled() => {
            let sentence = "The migration was aborted from outside this console.".to_owned();
            (Phase::Failed, Some(Problem { sentence, ..Error::from(setback).into() }))
        }
        Err(setback) => (Phase::Failed, Some(Error::from(setback).into())),
        Ok(()) => {
            let sentence = "libvirt reported success, but the VM is still on the source.";
            (Phase::Failed, Some(Problem::new(Code::Hypervisor, sentence).with_fix("Try again.")))
        }
    }
}

fn attention(migration: &Migration, verdict: Verdict, reported: Reported) -> Problem {
    let (vm, source, destination) = (&migration.vm_name, &migration.source, &migration.destination);
    let (sentence, fix) = match verdict {
        Verdict::Both => (
            format!("{source} and {destination} both have {vm}."),
            "Find out which copy is the right one and turn the other off, before disks are damaged.".to_owned(),
        ),
        Verdict::Neither if reported.is_ok() => (
            format!("libvirt says that {vm} has arrived, but {destination} does not have it, nor has {source}."),
            format!(
                "Was it shut down meanwhile? If not, look which machine {source} takes for {destination}, and do not start {vm} before \
                 you know: it may run there."
            ),
        ),
        Verdict::Neither => (
            format!("{vm} runs neither on {source} nor on {destination}."),
            format!("Was it shut down meanwhile? If not, start it on one of the two: {source}, if in doubt."),
        ),
        Verdict::LeftPaused => (
            format!("{source} has {vm} paused, and it may have run on {destination} and ended there or moved on."),
            format!(
                "If it has never run on {destination}, resume it on {source}. If it has, force it off on {source}."
            ),
        ),
        Verdict::ToResume => (
            format!("{source} has {vm} paused, and could not let it go on."),
            format!("Resume it on {source}: {destination} does not have it."),
        ),
        Verdict::ToDrop => (
            format!("{vm} runs on {destination}, and {source} could not turn off the copy that it has paused."),
            format!("Force it off on {source}, and nowhere else."),
        ),
        Verdict::ToRemove => (
            format!(
                "{vm} is on {source}, and {destination} could not remove the paused copy that the migration has left."
            ),
            format!("Force it off on {destination}, and nowhere else."),
        ),
        Verdict::Moved | Verdict::Stayed | Verdict::Ended | Verdict::MovedElsewhere | Verdict::Undecided => (
            format!("{source} and {destination} could not both say where {vm} runs."),
            "See that both hosts answer, then look at the VM before you do anything to it.".to_owned(),
        ),
    };
    let problem = Problem::new(Code::NeedsAttention, sentence).with_fix(fix);
    match reported.map_err(|setback| Problem::from(Error::from(setback))) {
        Err(Problem { details: Some(details), .. }) => problem.with_details(details),
        Err(Problem { sentence, .. }) => problem.with_details(sentence),
        Ok(()) => problem,
    }
}
