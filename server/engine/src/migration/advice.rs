//! What a person has to know of a migration that needs attention, and the one safe next step.
//!
//! Words are made of what the hosts say and of the step, never beside them: a text names no act but the step's. A robot in the tests
//! follows every step in every situation, and after none of them more than one copy runs. What can't be proven is said, and left alone.

mod halves;
mod sentences;
#[cfg(test)]
mod tests;

use model::{Code, HostName, Leftover, LeftoverKind, Migration, Mode, Problem, Step};

use super::{
    situation::{Answer, Doing, Seen, Situation},
    verdict::is_fresh,
};
use crate::hypervisor::StateReason as Reason;
use halves::broken_post_copy;
use sentences::Sentences;

/// What is told, and what can be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Advice {
    pub(super) problem: Problem,
    pub(super) step: Option<Step>,
}

/// A copy and its host.
type Placed<'a> = (&'a HostName, Seen);

/// Judges a situation in which it is not certain that exactly one copy runs.
pub(super) fn advise(record: &Migration, situation: &Situation) -> Advice {
    let Found { step, sentence, fix } = found(record, situation);
    Advice { problem: Problem::new(Code::NeedsAttention, sentence).with_fix(fix), step }
}

/// What was found, in words, and the step.
struct Found {
    step: Option<Step>,
    sentence: String,
    fix: String,
}

fn found(record: &Migration, situation: &Situation) -> Found {
    let (strangers, silent) = situation.silent().into_iter().partition(|host| situation.is_stranger(host));
    let say = Sentences { record, silent, strangers, twins: situation.twins() };
    let running = situation.doing(Doing::Running);
    let paused = situation.doing(Doing::Paused);
    let moving = situation.doing(Doing::Moving);
    if let Some((host, _)) = running.iter().chain(&paused).find(|(_, seen)| seen.reason == Reason::PostCopyFailed) {
        return broken_post_copy(&say, record, situation, host);
    }
    match running[..] {
        [one, other] => {
            let host = one_of_two(record, one, other).clone();
            say.runs_twice([one, other], Step::Pause { host })
        }
        [first, .., _] if running.len() > 2 => say.runs_often(&running, Step::Pause { host: first.0.clone() }),
        _ if !moving.is_empty() => say.moves(&moving),
        [runs] => match paused.iter().find(|(_, seen)| !is_half_of_post_copy(*seen)) {
            _ if is_half_of_post_copy(runs.1) || paused.iter().any(|(_, seen)| is_half_of_post_copy(*seen)) => {
                say.post_copy(runs.0)
            }
            Some((host, _)) => say.also_paused(runs.0, host, Step::TurnOff { host: (*host).clone() }),
            None => say.runs(runs.0),
        },
        _ if !situation.is_complete() => say.unknown(),
        _ if !paused.is_empty() => left_paused(&say, record, situation, &paused),
        _ => runs_nowhere(&say, record, situation),
    }
}

/// Which of two running copies is most likely not the VM any more. It is only paused, which can be undone: how long each has run, and
/// which of them its users reached meanwhile, is not known here.
fn one_of_two<'a>(record: &Migration, one: Placed<'a>, other: Placed<'a>) -> &'a HostName {
    // The one that the migration knows longest first: its source's, else its destination's.
    let is_later = |host: &HostName| (*host != record.source, *host != record.destination);
    let (known, other) = if is_later(other.0) < is_later(one.0) { (other, one) } else { (one, other) };
    let are_its_own = (known.0, other.0) == (&record.source, &record.destination);
    match (known.1.reason, other.1.reason) {
        // Both began with the same memory, the destination's first: libvirt lets the source go on only when it has lost the
        // destination's word. Where both write to the same disks, these are what the destination's memory knows of them.
        (Reason::MigrationCanceled | Reason::Unpaused, Reason::Migrated) if are_its_own && record.disks.is_empty() => {
            known.0
        }
        // Each has disks of its own. libvirt decided that the move had failed; what the move made is not needed.
        (Reason::MigrationCanceled, Reason::Migrated | Reason::Unpaused | Reason::PostCopy)
        | (Reason::Unpaused, Reason::Migrated)
            if are_its_own =>
        {
            other.0
        }
        // A guest that arrived was running before; one that booted began anew while it did.
        (_, Reason::Migrated) if are_its_own && is_fresh(known.1.reason) => known.0,
        _ if is_fresh(known.1.reason) && !is_fresh(other.1.reason) => known.0,
        _ => other.0,
    }
}

/// Whether a part of its memory is on another host: neither copy is any good without the other.
pub(super) fn is_half_of_post_copy(seen: Seen) -> bool {
    matches!(seen.reason, Reason::PostCopy | Reason::PostCopyFailed) && seen.doing != Doing::Off
}

/// Whether it is paused because of a migration, and not by a user or a program that may let it go on.
pub(super) fn is_left_by_migration(seen: Seen) -> bool {
    matches!(seen.reason, Reason::Migration | Reason::ApiError)
}

/// Nothing runs, and all hosts have said so.
fn left_paused(say: &Sentences<'_>, record: &Migration, situation: &Situation, paused: &[Placed<'_>]) -> Found {
    let (source, destination) = (&record.source, &record.destination);
    match paused {
        _ if paused.iter().any(|(_, seen)| is_half_of_post_copy(*seen)) => say.post_copy(paused[0].0),
        [(host, seen)] if *host == source && is_left_by_migration(*seen) => {
            match ran_at_destination(situation, record, *seen) {
                Some(false) => say.never_ran_there(Step::Resume { host: source.clone() }),
                Some(true) => say.ran_there_and_ended(Step::TurnOff { host: source.clone() }),
                None => say.may_have_run_there(),
            }
        }
        // The source is gone in the middle of it. What was copied of disks may not be all.
        [(host, seen)] if *host == destination && seen.reason == Reason::Migration => match record.disks.is_empty() {
            // Else the source may have gone on, and what the destination has in memory is older than the disks.
            true if has_left(situation.at(source)) => say.arrived_paused(Step::Resume { host: destination.clone() }),
            true => say.may_have_gone_on(),
            false => say.arrived_in_part(),
        },
        [(host, _)] => say.is_paused(host),
        [one, other] => match (on(source, one, other), on(destination, one, other)) {
            // The destination's has never run. Where the source's could not go on, the destination holds its disks, and so may have run.
            (Some(Seen { reason: Reason::Migration, .. }), Some(Seen { reason: Reason::Migration, .. })) => {
                say.both_paused(Step::Resume { host: source.clone() })
            }
            _ => say.all_paused(paused),
        },
        _ => say.all_paused(paused),
    }
}

fn on(host: &HostName, one: &Placed<'_>, other: &Placed<'_>) -> Option<Seen> {
    [one, other].into_iter().find(|(at, _)| *at == host).map(|(_, seen)| *seen)
}

/// Whether the VM ran at the destination after the source had paused it; none if that can't be told.
fn ran_at_destination(situation: &Situation, record: &Migration, source: Seen) -> Option<bool> {
    match situation.at(&record.destination) {
        // It may have moved on, and ended there.
        _ if is_defined_elsewhere(situation, record) => None,
        // libvirt keeps the definition before it lets the VM run, so that one that ran there has left it behind.
        Answer::Absent => source.persistent.then_some(false),
        // A definition that was there before may have ended before, too.
        Answer::Copy(Seen { reason: Reason::Shutdown | Reason::Crashed, .. }) if made_definition(record) => Some(true),
        // A daemon that is started again ends what it can't go on with (`VIR_DOMAIN_SHUTOFF_DAEMON`): an incoming copy that was perhaps
        // let go on, or a VM that has run for hours.
        Answer::Copy(_) | Answer::Silent | Answer::Twin => None,
    }
}

/// Whether the VM has left the source, according to that.
fn has_left(source: &Answer) -> bool {
    matches!(source, Answer::Absent | Answer::Copy(Seen { doing: Doing::Off, reason: Reason::Migrated, .. }))
}

/// Whether a host that has no part in the migration has a definition of the VM.
fn is_defined_elsewhere(situation: &Situation, record: &Migration) -> bool {
    let off = situation.doing(Doing::Off);
    off.iter().any(|(host, _)| **host != record.source && **host != record.destination)
}

/// All hosts have said that they neither run it nor have it paused.
fn runs_nowhere(say: &Sentences<'_>, record: &Migration, situation: &Situation) -> Found {
    let off = situation.doing(Doing::Off);
    let [source, destination] = [&record.source, &record.destination].map(|host| match situation.at(host) {
        Answer::Copy(seen) => Some(*seen),
        Answer::Absent | Answer::Silent | Answer::Twin => None,
    });
    if off.is_empty() {
        return say.is_gone();
    }
    if record.mode == Mode::Offline {
        return match (source, destination) {
            (Some(_), Some(_)) if off.len() == 2 => {
                say.defined_twice(made_definition(record).then(|| Step::Undefine { host: record.destination.clone() }))
            }
            _ => say.is_off(&off),
        };
    }
    let start = |host: &HostName| Step::Start { host: host.clone() };
    let step = match (source, destination) {
        _ if is_defined_elsewhere(situation, record) => None,
        // It has left the source: what is there is older.
        (Some(Seen { reason: Reason::Migrated, .. }), Some(_)) => Some(start(&record.destination)),
        (Some(Seen { reason: Reason::Migrated, .. }) | None, None) => None,
        (Some(_), None) => Some(start(&record.source)),
        // The destination may have had that definition all along, with disks of its own.
        (_, Some(_)) if !made_definition(record) => None,
        (None, Some(_)) => Some(start(&record.destination)),
        (Some(_), Some(there)) => {
            matches!(there.reason, Reason::Shutdown | Reason::Crashed).then(|| start(&record.destination))
        }
    };
    say.runs_nowhere(&off, step)
}

/// Whether the definition at the destination is there because of the migration.
pub(super) fn made_definition(record: &Migration) -> bool {
    let is_it = |left: &Leftover| left.host == record.destination && left.what == LeftoverKind::Definition;
    record.leftovers.iter().any(is_it)
}
