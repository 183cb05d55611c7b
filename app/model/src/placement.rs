//! Rules for where VMs may be, which plans keep.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{HostName, VmId};

/// The rules, and the priorities. A plan breaks none that holds before it; one that is broken already is mended where that is possible, and not made worse.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlacementRules {
    /// The rules.
    pub rules: Vec<PlacementRule>,
    /// VMs that go before others (larger first) or after them; 0 for those that are not named. -100 to 100.
    pub priorities: BTreeMap<VmId, i8>,
}

/// A rule for a named set of VMs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlacementRule {
    /// Its name, for people.
    pub name: String,
    /// The VMs.
    pub vms: Vec<VmId>,
    /// What holds for them.
    pub kind: PlacementKind,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlacementKind {
    /// No two of them on one host.
    KeepApart,
    /// All of them on one host.
    KeepTogether,
    /// Each on one of these hosts.
    MayRunOn(Vec<HostName>),
}
