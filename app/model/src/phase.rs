//! Where a migration is.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// Where a migration is. Phases are ordered as a migration goes through them; it may skip some.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case", try_from = "String")]
#[strum(serialize_all = "kebab-case")]
pub enum Phase {
    /// Written down, not begun.
    Queued,
    /// Looking whether it can work.
    Checking,
    /// The destination is prepared.
    Preparing,
    /// Disks that are not shared are copied.
    CopyingDisks,
    /// The first pass over the memory.
    CopyingMemory,
    /// Further passes over what the guest changed meanwhile.
    Converging,
    /// The VM pauses here and goes on there.
    SwitchingOver,
    /// The VM runs there already; the rest of its memory follows.
    PostCopy,
    /// Both hosts are asked where the VM runs.
    Verifying,
    /// The VM runs at the destination, and only there.
    Succeeded,
    /// The VM stayed at the source.
    Failed,
    /// Stopped on request; the VM stayed at the source.
    Cancelled,
    /// The VM runs somewhere, but not because of this migration: another console or program moved it.
    MovedElsewhere,
    /// It can't be told that exactly one copy runs. Nothing was touched; a person has to look. Settled later, if the hosts agree.
    NeedsAttention,
}

impl Phase {
    /// All phases, in the order a migration goes through them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Whether it is over: the VM is free for another migration. Of [`Self::NeedsAttention`] the result may become known later.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::MovedElsewhere | Self::NeedsAttention)
    }

    /// The phase as stored and as in JSON, e.g. `copying-memory`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The phase in words for a person.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Checking => "Checking",
            Self::Preparing => "Preparing the destination",
            Self::CopyingDisks => "Copying disks",
            Self::CopyingMemory => "Copying memory",
            Self::Converging => "Copying what changed meanwhile",
            Self::SwitchingOver => "Switching over",
            Self::PostCopy => "Runs there, fetching the rest",
            Self::Verifying => "Verifying",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::MovedElsewhere => "Moved by another console or program",
            Self::NeedsAttention => "Needs attention",
        }
    }
}
