//! Hosts that are emptied, worked on, and filled again.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::EvacuationId;

/// That a host is not in ordinary use, from the first click on *Empty this host* until it is. No VM is moved to it unless that is asked
/// for, with consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// How far it is.
    pub stage: MaintenanceStage,
    /// Since when, in ms since 1970.
    pub since_ms: u64,
    /// Why, in the words of who asked.
    pub reason: String,
    /// Who asked.
    pub by: String,
    /// The evacuation that has emptied it, or empties it.
    pub evacuation: EvacuationId,
    /// The evacuation that brings its VMs home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<EvacuationId>,
    /// What came of the commands and addresses that were to be told, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
}

/// How far a host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum MaintenanceStage {
    /// Its VMs leave.
    Draining,
    /// No VM is active on it, nor arrives; of each VM that was there the other host has said that it has it.
    Empty,
    /// A person works on it.
    InMaintenance,
    /// Its VMs come home.
    ComingBack,
}

impl MaintenanceStage {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The stage in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Draining => "Draining",
            Self::Empty => "Empty",
            Self::InMaintenance => "In maintenance",
            Self::ComingBack => "Coming back",
        }
    }
}

/// What a person says of a host that is emptied or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaintenanceCommand {
    /// The work begins: only on a host that is empty.
    Begin,
    /// The host is in use again; VMs that are elsewhere stay there.
    End,
}
