//! A plan: which VMs go where, in which order, and which stay, with the reasons. Made before anything begins.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{EvacuationId, Finding, FindingCode, HostName, Mode, PlanId, Policy, Prediction, Problem, VmId, text};

/// What is to be planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanRequest {
    /// Which VMs.
    pub subject: Subject,
    /// The host that all of them go to; none: wherever each fits best. Of VMs that come home it is the host they came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<HostName>,
    /// Why, in the words of who asks, e.g. `kernel update, ticket 4711`. At most [`PlanRequest::LONGEST_REASON`] characters.
    #[serde(default)]
    pub reason: String,
    /// The policy of all moves; none is each VM's own, or that of its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// What is done with VMs that can't move while they run. Nothing is done with those that are not named here: they stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub choices: BTreeMap<VmId, Choice>,
    /// Findings that put data at risk and are accepted for all moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<FindingCode>,
}

impl PlanRequest {
    /// The longest reason, in characters.
    pub const LONGEST_REASON: usize = 200;

    /// Everything of a subject, wherever it fits best, with nothing chosen.
    pub fn plain(subject: Subject) -> Self {
        Self {
            subject,
            destination: None,
            reason: String::new(),
            policy: None,
            choices: BTreeMap::new(),
            accept: Vec::new(),
        }
    }

    /// The hosts that are to be emptied.
    pub fn emptied(&self) -> &[HostName] {
        match &self.subject {
            Subject::Hosts(hosts) => hosts,
            Subject::Vms(_) | Subject::Home(_) => &[],
        }
    }
}

/// Which VMs a plan is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// All VMs that are active on these hosts, which are no destinations from then on.
    Hosts(Vec<HostName>),
    /// These.
    Vms(Vec<VmId>),
    /// Those that an evacuation has moved and that are still where it put them: they go home.
    Home(EvacuationId),
}

/// What may be done with a VM that can't move while it runs. Never chosen by the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// It stays, running or not.
    Leave,
    /// It is off, and its definition and disks move.
    MoveOffline,
    /// Its guest is asked to shut down, and it stays. When all come home it is started again.
    ShutDown,
}

/// Which VMs go where, in which order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// It is carried out by this id, for as long as the console keeps it: an hour.
    pub id: PlanId,
    /// What was asked for.
    pub request: PlanRequest,
    /// When it was made, in ms since 1970.
    pub made_at_ms: u64,
    /// The moves, in the order in which they begin.
    pub moves: Vec<PlannedMove>,
    /// The VMs that do not move.
    pub stays: Vec<PlannedStay>,
    /// What is missing for all to move, and what would help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortage: Option<Problem>,
    /// How long all of it takes, likely, in ms.
    pub likely_ms: u64,
    /// The shortest and the longest that it takes in four of five cases, in ms.
    pub between_ms: [u64; 2],
    /// What it takes at least: what has to be sent, over what the links carry, in ms.
    pub bound_ms: u64,
}

impl Plan {
    /// How much longer than the least possible it takes; 1 if nothing moves.
    pub fn ratio(&self) -> f64 {
        if self.bound_ms == 0 { 1.0 } else { self.likely_ms as f64 / self.bound_ms as f64 }
    }
}

/// A move of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedMove {
    /// The VM.
    pub vm: VmId,
    /// Its name.
    pub vm_name: String,
    /// Where it is.
    pub source: HostName,
    /// Where it goes.
    pub destination: HostName,
    /// The host that it waits on until there is room at its destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<HostName>,
    /// Whether it runs meanwhile.
    pub mode: Mode,
    /// The policy that it follows.
    pub policy: Policy,
    /// The memory that it takes at the destination, with what QEMU needs beside it, in bytes.
    pub memory_bytes: u64,
    /// What is likely sent, in bytes.
    pub bytes: u64,
    /// When it begins and ends, likely, in ms after the beginning of the whole.
    pub at_ms: [u64; 2],
    /// What is known of its time and its pause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// Why there.
    pub why: Why,
    /// What was found that is worth knowing: warnings, unknowns, and what needs consent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

/// Why a VM goes to a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It was asked for.
    Asked,
    /// It came from there.
    Home,
    /// No other host can take it.
    OnlyOne,
    /// All is over earliest with it there; so much memory stays free, in bytes.
    Soonest {
        /// The memory that stays free there once all have moved, in bytes.
        free_bytes: u64,
    },
    /// It belongs together with others that are or go there: the rule's name.
    Together(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("asked for"),
            Self::Home => f.write_str("its home"),
            Self::OnlyOne => f.write_str("the only host that can take it"),
            Self::Soonest { free_bytes } => {
                write!(f, "all is over earliest this way; {} stay free", text::bytes(*free_bytes))
            }
            Self::Together(rule) => write!(f, "kept together ({rule})"),
        }
    }
}

/// A VM that does not move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStay {
    /// The VM.
    pub vm: VmId,
    /// Its name.
    pub vm_name: String,
    /// Where it is.
    pub host: HostName,
    /// Whether it has a process, so that its host is not empty while it stays.
    pub is_active: bool,
    /// Why it can't move, and what would help; none if it was chosen so, or need not move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// What was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// What can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
}
