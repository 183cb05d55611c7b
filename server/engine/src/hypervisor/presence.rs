//! What one host says of a VM, as far as the question "where does it run?" goes.

use model::VmState;

use super::{CopyFacts, StateReason};

/// What one host says of its copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Presence {
    /// The host can't be asked.
    Unknown,
    /// It has no copy.
    Absent,
    /// It has a definition; nothing executes.
    Inactive,
    /// It is receiving the VM, or starting it: what comes of that is not known yet.
    Incoming,
    /// The VM runs there, and is being sent elsewhere.
    Sending,
    /// It has handed the VM over and waits for the other side's word.
    Outgoing,
    /// It has it paused for a migration that nothing drives any more. At the source: it has handed the VM over and waits for no answer, or
    /// could not let it go on. At the destination: the VM has arrived, and was never let go on.
    Abandoned {
        /// Whether its definition outlives a power-off, and so the destination's does.
        persistent: bool,
    },
    /// It has a part of the VM's memory, and another host the rest: post-copy broke off. Neither copy is any good without the other.
    Half,
    /// It holds the VM: running, or paused by a user or a program.
    Active,
}

impl Presence {
    pub(crate) fn of(copy: Option<&CopyFacts>) -> Self {
        match copy {
            None => Self::Absent,
            Some(copy) if is_half(copy) => Self::Half,
            Some(copy) if copy.incoming || copy.reason == StateReason::StartingUp => Self::Incoming,
            Some(copy) if copy.outgoing => Self::Outgoing,
            Some(copy) if copy.abandoned || was_not_resumed(copy) => Self::Abandoned { persistent: copy.persistent },
            Some(copy) if copy.state.is_active() => Self::Active,
            // A host that does not know the state of its own copy has not answered the question.
            Some(copy) if copy.state == VmState::Unknown => Self::Unknown,
            Some(_) => Self::Inactive,
        }
    }
}

/// Whether it is one of the two parts of a VM whose post-copy broke off: paused at the source, running at the destination.
fn is_half(copy: &CopyFacts) -> bool {
    copy.state.is_active() && copy.reason == StateReason::PostCopyFailed
}

/// Whether libvirt has tried to let it go on, and could not.
fn was_not_resumed(copy: &CopyFacts) -> bool {
    copy.state == VmState::Paused && copy.reason == StateReason::ApiError
}
