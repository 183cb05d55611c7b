//! The end of a migration: what both hosts agree on is written down.

use model::{Code, HostName, Migration, Phase, Problem};

use super::{
    Reported, Setback,
    active::ActiveMigration,
    advice::{Advice, advise},
    autostart, elsewhere, ended, leftovers, reconcile,
    reconcile::Found,
    situation::Situation,
    stall,
    verdict::Verdict,
};
use crate::{
    error::Error,
    storage::{self, CopiedImage, StorageJournal as _},
};

/// Finds out where the VM is and ends the migration accordingly, whatever libvirt reported. `images` are those that the console has
/// copied itself, if it has not been restarted since.
pub(super) async fn finalize(active: &mut ActiveMigration, reported: Reported, images: &[CopiedImage]) {
    if reported.is_ok() {
        active.switched();
    }
    active.journal().enter(Phase::Verifying).await;
    if matches!(reported, Err(Setback::NotBegun(_) | Setback::Failed(_))) {
        let context = active.shared_context();
        leftovers::see_whether_volumes_are_needed(&context, active.journal()).await;
    }
    let Found { verdict, elsewhere, looks: [source, there], silent } = reconcile::reconcile(active, &reported).await;
    match verdict {
        Verdict::Moved | Verdict::EndedThere => {
            let figures = active.final_figures().await;
            reconcile::undefine_at_source(active, &reported, there).await;
            let context = active.shared_context();
            autostart::carry(&context, active.journal()).await;
            if reported.is_ok() {
                storage::prove_mirrored(&context, active).await;
            }
            storage::remove_source_disks(&context, active, reported.is_ok(), images).await;
            note_unregistered_destination(active).await;
            let problem = (verdict == Verdict::EndedThere).then(|| ended::there(active.record(), there));
            active.journal().end(Phase::Succeeded, problem, figures).await;
        }
        Verdict::Stayed => {
            note_silent(active, &silent).await;
            let reported = stall::explained(active, reported);
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
        _ => {
            let problem = attention(active, reported).await;
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
    let Migration { destination, .. } = active.record();
    if active.context().inventory().is_temporary(destination) {
        let name = active.record().name_on(destination);
        let text =
            format!("{destination} is not registered, so {name} is not watched there. To see it, register the host.");
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

/// What the hosts say now, the safe step, and in the details what libvirt said.
async fn attention(active: &mut ActiveMigration, reported: Reported) -> Problem {
    let context = active.shared_context();
    let situation = Situation::look(&context, active.record()).await;
    let Advice { problem, step } = advise(active.record(), &situation);
    active.journal().offer(step);
    match reported.map_err(|setback| Problem::from(Error::from(setback))) {
        Err(Problem { details: Some(details), .. }) => problem.with_details(details),
        Err(Problem { sentence, .. }) => problem.with_details(sentence),
        Ok(()) => problem,
    }
}
