//! Settles a migration that needs attention, once its hosts answer and agree where the VM is; until then it keeps the advice up to date.

use std::time::Duration;

use model::{Code, HostName, Migration, MigrationFilter, Mode, Phase, Problem};
use store::StoreError;
use tokio::time::sleep;

use super::{
    advice::{self, Advice},
    journal::Journal,
    situation::{Answer, Doing, Seen, Situation},
    verdict::{ended_here, is_fresh},
};
use crate::{context::Context, hypervisor::StateReason};

/// How long hosts must say the same before that is told: they are not asked at the very same moment, and each may be in between.
const TOLD: Duration = Duration::from_secs(1);
/// How long before the doubt ends by it.
const SETTLED: Duration = Duration::from_secs(3);
/// How many later migrations of the VM are looked through.
const LATER: u32 = 100;

/// Looks once more where the VM is, and ends the doubt if that is clear.
pub(super) async fn settle(context: &Context, journal: &mut Journal) {
    if journal.record().phase != Phase::NeedsAttention || is_open(context, journal.record()) {
        return;
    }
    let situation = Situation::look(context, journal.record()).await;
    if !says_something_new(journal.record(), &situation) {
        return;
    }
    let is_clear = only_place(journal.record(), &situation).is_some();
    sleep(if is_clear { SETTLED } else { TOLD }).await;
    let again = Situation::look(context, journal.record()).await;
    if again == situation && !is_open(context, journal.record()) {
        conclude(context, journal, &situation).await;
    }
}

/// Whether the VM has a migration under way, so that it is in between.
fn is_open(context: &Context, record: &Migration) -> bool {
    context.inventory().open_migration(record.vm).is_some()
}

fn says_something_new(record: &Migration, situation: &Situation) -> bool {
    let Advice { problem, step } = advice::advise(record, situation);
    let is_told =
        record.problem.as_ref().is_some_and(|told| (&told.sentence, &told.fix) == (&problem.sentence, &problem.fix));
    only_place(record, situation).is_some() || !is_told || record.step != step
}

/// Writes down what is so now: the end, or what a person has to know.
pub(super) async fn conclude(context: &Context, journal: &mut Journal, situation: &Situation) {
    let record = journal.record();
    match only_place(record, situation) {
        Some(host) => {
            let Ok(later) = later(context, record).await else { return };
            let phase = match &later {
                // The VM has been moved on since.
                Some(later) => phase_of(record, &later.source),
                None if was_started_anew(record, host, situation) => Phase::MovedElsewhere,
                None => phase_of(record, host),
            };
            let text = text_of(record, host, situation);
            let problem = (phase == Phase::Failed).then(|| why(record));
            journal.settle(phase, problem, text).await;
        }
        None => {
            let Advice { problem, step } = advice::advise(record, situation);
            journal.attention(with_details(problem, record), step).await;
        }
    }
}

/// The one host that has the VM, if that is beyond doubt: both ends have answered, and no other host that has holds it in memory.
pub(super) fn only_place<'a>(record: &'a Migration, situation: &'a Situation) -> Option<&'a HostName> {
    let ends = [&record.source, &record.destination];
    if ends.iter().any(|host| *situation.at(host) == Answer::Silent) || !situation.doing(Doing::Moving).is_empty() {
        return None;
    }
    let have_all_answered = situation.is_complete();
    match (&situation.doing(Doing::Running)[..], &situation.doing(Doing::Paused)[..]) {
        ([(host, seen)], []) if !advice::is_half_of_post_copy(*seen) => Some(host),
        // A third host that does not answer may run it.
        ([], [(host, seen)]) if have_all_answered && is_paused_on_purpose(*seen) => Some(host),
        ([], []) => match situation.doing(Doing::Off)[..] {
            [(host, _)] if record.mode == Mode::Offline => Some(host),
            // It ended where it was.
            [(host, seen)] if *host == record.source && have_all_answered && seen.reason != StateReason::Migrated => {
                Some(host)
            }
            _ => None,
        },
        _ => None,
    }
}

fn is_paused_on_purpose(seen: Seen) -> bool {
    !advice::is_left_by_migration(seen) && !advice::is_half_of_post_copy(seen)
}

/// Whether the VM ended at the source, and somebody started the destination's definition.
fn was_started_anew(record: &Migration, host: &HostName, situation: &Situation) -> bool {
    let is_so = |host: &HostName, doing, reason: fn(StateReason) -> bool| matches!(situation.at(host), Answer::Copy(seen) if seen.doing == doing && reason(seen.reason));
    *host == record.destination
        && is_so(host, Doing::Running, is_fresh)
        && is_so(&record.source, Doing::Off, ended_here)
}

fn phase_of(record: &Migration, host: &HostName) -> Phase {
    if *host == record.destination {
        Phase::Succeeded
    } else if *host != record.source {
        Phase::MovedElsewhere
    } else if record.cancel_requested {
        Phase::Cancelled
    } else {
        Phase::Failed
    }
}

fn text_of(record: &Migration, host: &HostName, situation: &Situation) -> String {
    let vm = record.name_on(host);
    let does = match situation.at(host) {
        Answer::Copy(Seen { doing: Doing::Running, .. }) => "runs",
        Answer::Copy(Seen { doing: Doing::Paused, .. }) => "is paused",
        _ => "is off",
    };
    match situation.is_complete() {
        true => format!("All hosts have answered: {vm} {does} on {host}, and only there."),
        false => format!(
            "{} and {} have answered: {vm} {does} on {host}, and only there.",
            record.source, record.destination
        ),
    }
}

/// Why it failed is no longer known, but for what libvirt said then.
fn why(record: &Migration) -> Problem {
    let sentence = "The migration broke off, and it was not certain at once where the VM was.";
    with_details(Problem::new(Code::ReasonLost, sentence).with_fix("Try again."), record)
}

fn with_details(problem: Problem, record: &Migration) -> Problem {
    match record.problem.as_ref().and_then(|problem| problem.details.clone()) {
        Some(details) => problem.with_details(details),
        None => problem,
    }
}

/// The VM's next migration, which began where this one had left the VM.
async fn later(context: &Context, record: &Migration) -> Result<Option<Migration>, StoreError> {
    let of_vm = MigrationFilter { vm: Some(record.vm), ..MigrationFilter::newest(LATER) };
    let newest_first = context.store().migrations(&of_vm).await?;
    Ok(newest_first.into_iter().rev().find(|later| later.id > record.id && later.phase.has_ended()))
}
