//! An evacuation: a plan that is carried out. Of hosts that are emptied, of VMs that move together, of VMs that come home.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{Choice, EvacuationId, HostName, MigrationId, Mode, PlanRequest, Policy, Problem, VmId};

/// A plan that is carried out, kept for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evacuation {
    /// Its id; grows with time.
    pub id: EvacuationId,
    /// What was asked for.
    pub request: PlanRequest,
    /// Who asked.
    pub requested_by: String,
    /// When it began, in ms since 1970.
    pub created_at_ms: u64,
    /// When it ended, in ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at_ms: Option<u64>,
    /// What it does.
    pub state: EvacuationState,
    /// How long the plan took it to last, in ms.
    pub planned_ms: u64,
    /// What it takes at least: what has to be sent, over what the links carry, in ms.
    pub bound_ms: u64,
    /// How far it is, 0 to 1; never falls.
    pub fraction: f64,
    /// How much longer it takes, likely, in ms; none while that can't be known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_ms: Option<u64>,
    /// The VMs, in the order in which they go. Not kept with the record, but each by itself.
    #[serde(default)]
    pub items: Vec<EvacuationItem>,
}

impl Evacuation {
    /// The item of a VM.
    pub fn item(&self, vm: VmId) -> Option<&EvacuationItem> {
        self.items.iter().find(|item| item.vm == vm)
    }

    /// How many items are in a state like that.
    pub fn count(&self, like: impl Fn(&ItemState) -> bool) -> usize {
        self.items.iter().filter(|item| like(&item.state)).count()
    }

    /// How many VMs have still to move: they wait, or are under way.
    pub fn left(&self) -> usize {
        self.count(|state| matches!(state, ItemState::Waiting | ItemState::Moving { .. }))
    }

    /// How many wait for a person.
    pub fn stuck(&self) -> usize {
        self.count(|state| matches!(state, ItemState::WaitsForPerson { .. }))
    }
}

/// What an evacuation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum EvacuationState {
    /// It moves VMs, or waits for a person.
    Running,
    /// What is under way goes on; nothing begins.
    Paused,
    /// It was stopped; what is under way ends.
    Stopping,
    /// It was stopped, and all is over.
    Stopped,
    /// Nothing is left to do.
    Done,
}

impl EvacuationState {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Whether it is over.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Stopped | Self::Done)
    }

    /// The state in a word or two.
    pub fn label(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Paused => "Paused",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Done => "Done",
        }
    }
}

/// A VM of an evacuation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvacuationItem {
    /// The VM.
    pub vm: VmId,
    /// Its name.
    pub vm_name: String,
    /// Where it was when the evacuation began, or appeared.
    pub source: HostName,
    /// Where it is to go; none if no host was found yet.
    pub destination: Option<HostName>,
    /// The host that it waits on until there is room at its destination; none once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<HostName>,
    /// The host that it waits on now, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halted_on: Option<HostName>,
    /// Whether it runs meanwhile.
    pub mode: Mode,
    /// The policy that it follows.
    pub policy: Policy,
    /// The memory that it takes at the destination, with what QEMU needs beside it, in bytes: reserved there until it has moved.
    pub memory_bytes: u64,
    /// What is likely sent, in bytes.
    pub bytes: u64,
    /// How long it likely takes, in ms.
    pub expected_ms: u64,
    /// What became of it.
    pub state: ItemState,
    /// What it waits for, in words; none if it does not wait, or only for its turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// What was tried and failed, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Tried>,
    /// It is not tried again before this, in ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before_ms: Option<u64>,
    /// Whether it came to the host after the evacuation had begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub appeared: bool,
}

/// What became of a VM of an evacuation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemState {
    /// It waits for its turn.
    Waiting,
    /// It moves.
    Moving {
        /// The migration. It is named here before it begins: one that no record has was never begun.
        migration: MigrationId,
    },
    /// It is where it should be: both hosts have said so.
    Moved {
        /// The migration; none if it was there by itself.
        migration: Option<MigrationId>,
    },
    /// It stays, as the plan has said.
    Stays {
        /// Why; none if it was chosen.
        problem: Option<Problem>,
        /// What was chosen.
        choice: Option<Choice>,
    },
    /// It was given up, and waits for a person; the others go on.
    WaitsForPerson {
        /// Why.
        problem: Problem,
    },
    /// A person has taken it out.
    Skipped {
        /// Who.
        by: String,
    },
    /// It is no longer there to be moved: it was shut down, removed, or moved by others.
    Gone {
        /// What became of it, in a sentence.
        sentence: String,
    },
}

/// An attempt to move a VM that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Where it was to go.
    pub destination: HostName,
    /// The migration; none if it was refused before there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<MigrationId>,
    /// Why it failed.
    pub problem: Problem,
}

/// How often a VM is tried before it waits for a person.
pub const MOST_TRIES: usize = 3;

/// What a person tells an evacuation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvacuationCommand {
    /// Nothing begins from now on.
    Pause,
    /// It goes on.
    Continue,
    /// It ends.
    Stop {
        /// Whether migrations under way are cancelled, too.
        cancel: bool,
    },
    /// A VM is left out; its migration, if it has one, goes on.
    Skip(VmId),
    /// A VM that waits for a person, or was left out, is tried again.
    Retry(VmId),
    /// A VM goes before all others that wait.
    First(VmId),
}

/// What happened in an evacuation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvacuationEvent {
    /// When, in ms since 1970.
    pub at_ms: u64,
    /// What, in a sentence.
    pub text: String,
}
