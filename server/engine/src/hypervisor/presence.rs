//! What one host says of a VM, as far as the question "where does it run?" goes.

use model::VmState;

use super::CopyFacts;

/// What one host says of its copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Presence {
    /// The host can't be asked.
    Unknown,
    /// It has no copy.
    Absent,
    /// It has a definition; nothing executes.
    Inactive,
    /// It is receiving the VM.
    Incoming,
    /// The VM runs there, and is being sent elsewhere.
    Sending,
    /// It has handed the VM over and waits for the other side's word.
    Outgoing,
    /// It has handed the VM over, and waits for no answer any more: the process that drove the migration is gone.
    Abandoned {
        /// Whether its definition outlives a power-off, and so the destination's does.
        persistent: bool,
    },
    /// It holds the VM: running, or paused by a user or a program.
    Active,
}

impl Presence {
    pub(crate) fn of(copy: Option<&CopyFacts>) -> Self {
        match copy {
            None => Self::Absent,
            Some(copy) if copy.incoming => Self::Incoming,
            Some(copy) if copy.outgoing => Self::Outgoing,
            Some(copy) if copy.abandoned => Self::Abandoned { persistent: copy.persistent },
            Some(copy) if copy.state.is_active() => Self::Active,
            // A host that does not know the state of its own copy has not answered the question.
            Some(copy) if copy.state == VmState::Unknown => Self::Unknown,
            Some(_) => Self::Inactive,
        }
    }
}
