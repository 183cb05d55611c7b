//! The verdict: where the VM is after a migration, decided from what all hosts say and never from a return code alone.

use model::Mode;

use crate::hypervisor::{Presence, StateReason};

/// Where the VM is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Verdict {
    /// At the destination, and only there.
    Moved,
    /// At the source, and only there.
    Stayed,
    /// It has ended at the source, before anything could run at the destination: its QEMU died, or it was turned off.
    Ended,
    /// It has moved, and ended at the destination before it was seen to run there.
    EndedThere,
    /// Away from the source, but not because of this migration.
    MovedElsewhere,
    /// At the source, which has paused it and is to go on: it has never run at the destination.
    ToResume,
    /// At the destination; the source still has the copy that it paused, and is to drop it.
    ToDrop,
    /// At the source; the destination has a copy that this migration made and that has never run, and is to drop it.
    ToRemove,
    /// One host has it paused, and it may have run at another and ended there.
    LeftPaused,
    /// In two parts on two hosts, or one of them is gone: post-copy broke off.
    Halved,
    /// Not known yet: ask again.
    Undecided,
    /// On several.
    Both,
    /// On none.
    Neither,
}

/// What one of the two hosts says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Answer {
    pub(crate) presence: Presence,
    pub(crate) reason: StateReason,
}

/// What the hosts say that have no part in the migration: the worst of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Others {
    /// None of them has more than a definition.
    Without,
    /// One of them can't be asked.
    Silent,
    /// One of them sends or receives it.
    Moving,
    /// One of them has it.
    Have,
}

/// All that a verdict is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) mode: Mode,
    pub(crate) source: Answer,
    pub(crate) destination: Answer,
    pub(crate) others: Others,
    /// Whether libvirt said that all went well.
    pub(crate) succeeded: bool,
    /// Whether a definition at the source is no contradiction: it was to stay there, and libvirt said that all went well. Else the
    /// destination's may be one that it had before.
    pub(crate) kept: bool,
    /// Whether the destination had no copy before, so that the one that it has came by this migration.
    pub(crate) made: bool,
    /// Whether libvirt refused because the VM was not there to be moved, or was being moved already.
    pub(crate) refused: bool,
    /// Whether so little time has passed that the VM can't have been moved on from the destination.
    pub(crate) prompt: bool,
}

/// Judges what the hosts say (for live migrations compare libvirt's own recovery, `qemuProcessRecoverMigrationIn` and `…Out`).
pub(crate) fn verdict(evidence: &Evidence) -> Verdict {
    use Presence::{Half, Incoming, Outgoing, Sending, Unknown};
    let is_open = |answer: Answer| matches!(answer.presence, Unknown | Incoming | Sending | Outgoing);
    match evidence.mode {
        Mode::Offline => offline(evidence),
        Mode::Live if is_left_receiving(evidence) => Verdict::ToRemove,
        Mode::Live if is_open(evidence.source) || is_open(evidence.destination) => Verdict::Undecided,
        Mode::Live if evidence.others == Others::Moving => Verdict::Undecided,
        Mode::Live if [evidence.source, evidence.destination].iter().any(|answer| answer.presence == Half) => {
            Verdict::Halved
        }
        Mode::Live => live(evidence),
    }
}

/// The source has the VM and does not send it: nothing will ever tell the copy that this migration made to go on. libvirt removes it by
/// itself as soon as it notices, so this has to last.
fn is_left_receiving(Evidence { source, destination, others, made, .. }: &Evidence) -> bool {
    *made
        && *others < Others::Moving
        && source.presence == Presence::Active
        && source.reason != StateReason::PostCopy
        && destination.presence == Presence::Incoming
}

fn live(evidence: &Evidence) -> Verdict {
    use Presence::{Abandoned, Absent, Active, Inactive};
    let Evidence { source, destination, others, succeeded, made, refused, prompt, .. } = *evidence;
    // The destination's has arrived, and waits to be let go on. Where the reason is another, a resume was tried.
    let never_ran = destination.reason == StateReason::Migration && made;
    match (source.presence, destination.presence) {
        (Active, _) | (_, Active) if others == Others::Have => Verdict::Both,
        (Abandoned { .. }, _) | (_, Abandoned { .. }) if others == Others::Have => Verdict::LeftPaused,
        (Absent | Inactive, Absent | Inactive) if others == Others::Have => Verdict::MovedElsewhere,
        // The source has sent its last byte, and libvirt says so. The destination's reason may be from just before.
        (Absent | Inactive, Active) if destination.reason == StateReason::PostCopy && succeeded => Verdict::Moved,
        // A part of the memory may still be on its way: the reason becomes another once it has arrived.
        (Active, _) if source.reason == StateReason::PostCopy => Verdict::Undecided,
        (_, Active) if destination.reason == StateReason::PostCopy => Verdict::Undecided,
        (Active, Active) => Verdict::Both,
        // It did not arrive, but was started there: perhaps from disks of its own.
        (Abandoned { .. }, Active) if is_fresh(destination.reason) => Verdict::LeftPaused,
        (Abandoned { .. }, Active) => Verdict::ToDrop,
        // libvirt keeps the definition before it lets the VM run, so that one that ran there has left it behind. Of a VM that has
        // none to keep, or where there is one, it can't be told: the VM may have run there and ended, and what is on its disks is
        // newer.
        (Abandoned { persistent: true }, Absent) if others == Others::Without || prompt => Verdict::ToResume,
        (Abandoned { persistent: true }, Absent) => Verdict::Undecided,
        // Where the source could not let it go on, the destination holds its disks, and so may have run.
        (Abandoned { .. }, Abandoned { .. }) if never_ran && source.reason == StateReason::Migration => {
            Verdict::ToResume
        }
        (Abandoned { .. }, _) => Verdict::LeftPaused,
        (Active, Abandoned { .. }) if never_ran => Verdict::ToRemove,
        (Active, Abandoned { .. }) => Verdict::Both,
        (Active, _) => Verdict::Stayed,
        (_, Active) if refused => Verdict::MovedElsewhere,
        (Inactive, Active) if !succeeded && ended_here(source.reason) && is_fresh(destination.reason) => {
            Verdict::MovedElsewhere
        }
        (_, Active) => Verdict::Moved,
        (_, Abandoned { .. }) => Verdict::LeftPaused,
        // Of one without a definition only its host's last word remains.
        (Absent, Absent) if ended_here(source.reason) && others == Others::Without => Verdict::Ended,
        (Inactive, Absent) if ended_here(source.reason) => Verdict::Ended,
        // Its definition never left, and all hosts have said that they do not have it.
        (Inactive, Absent) if source.reason != StateReason::Migrated && others == Others::Without => Verdict::Ended,
        // Its source has let it go because it had arrived.
        (Absent | Inactive, Inactive)
            if succeeded
                && (source.presence == Absent || source.reason == StateReason::Migrated)
                && has_run(destination.reason)
                && (others == Others::Without || prompt) =>
        {
            Verdict::EndedThere
        }
        // What the destination had before, or what libvirt gave up before the VM could run.
        (Inactive, Inactive)
            if ended_here(source.reason)
                && matches!(destination.reason, StateReason::Migrated | StateReason::Failed) =>
        {
            Verdict::Ended
        }
        _ => Verdict::Neither,
    }
}

/// Whether a running copy is not the continuation of one elsewhere.
pub(super) fn is_fresh(reason: StateReason) -> bool {
    matches!(reason, StateReason::Booted | StateReason::Restored | StateReason::FromSnapshot)
}

/// Whether this is how a VM ends where it is. One that moved away leaves another reason behind, or none.
pub(super) fn ended_here(reason: StateReason) -> bool {
    matches!(
        reason,
        StateReason::Crashed
            | StateReason::Failed
            | StateReason::Destroyed
            | StateReason::Shutdown
            | StateReason::Saved
            | StateReason::Panicked
    )
}

/// Whether only a VM that has run ends so.
fn has_run(reason: StateReason) -> bool {
    ended_here(reason) && reason != StateReason::Failed
}

/// Offline there is nothing that runs: the definition is what moves. A VM that is started at once has moved, too.
fn offline(&Evidence { source, destination, others, kept, refused, .. }: &Evidence) -> Verdict {
    use Presence::{Abandoned, Absent, Active, Inactive};
    // A copy that another migration has left paused is one like any other.
    let [source, destination] = [source, destination].map(|answer| match answer.presence {
        Abandoned { .. } => Active,
        other => other,
    });
    let moved = if refused { Verdict::MovedElsewhere } else { Verdict::Moved };
    match (source, destination) {
        (Active, Active) => Verdict::Both,
        (Active, Absent | Inactive) => Verdict::Stayed,
        (Absent, Inactive | Active) => moved,
        (Inactive, Inactive | Active) if kept => Verdict::Moved,
        (Inactive, Inactive | Active) => Verdict::Both,
        (Inactive, Absent) => Verdict::Stayed,
        (Absent, Absent) => match others {
            Others::Have => Verdict::MovedElsewhere,
            Others::Moving => Verdict::Undecided,
            Others::Without | Others::Silent => Verdict::Neither,
        },
        _ => Verdict::Undecided,
    }
}

#[cfg(test)]
mod tests;
