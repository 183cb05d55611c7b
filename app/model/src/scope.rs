//! What a page shows: the console sends that, and nothing else.

use serde::{Deserialize, Serialize};

use crate::{HostName, MigrationId, Phase, Problem, Step, Vm, VmId, VmQuery};

/// What a page shows besides the [`Summary`], which every page gets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// A part of the list of VMs, with the migrations of those that move.
    pub list: Option<Window>,
    /// A VM, with its host, its migration, and the one that needs attention.
    pub vm: Option<VmId>,
    /// A host.
    pub host: Option<HostName>,
    /// All hosts.
    pub hosts: bool,
    /// A migration, with its VM and both hosts.
    pub migration: Option<MigrationId>,
    /// Migrations of a list.
    pub migrations: Vec<MigrationId>,
}

/// A part of the list of VMs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Which VMs, and in which order.
    pub query: VmQuery,
    /// The place of its first row in the whole list, from 0 on.
    pub from: u32,
    /// How many rows, at most [`Window::LARGEST`].
    pub count: u32,
}

impl Window {
    /// The most rows of a window.
    pub const LARGEST: u32 = 200;
}

/// What is listed in a [`Window`]. The VMs themselves are told apart from it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VmList {
    /// The place of the first row in the whole list.
    pub from: u32,
    /// How many rows the whole list has.
    pub matching: u32,
    /// How many rows it would have with each of [`crate::StateFilter::ALL`].
    pub by_state: Vec<u32>,
    /// Where in the whole list the names begin with another letter; none if it is not in the order of names.
    pub letters: Vec<Letter>,
    /// The rows of the window.
    pub rows: Vec<VmRow>,
}

/// Where in a list the names begin with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The letter, as a capital; `#` for all that is no letter of ASCII.
    pub letter: char,
    /// The place of the first row.
    pub from: u32,
}

/// A row. Several VMs may have one UUID: the host tells those from each other that the UUID does not stand for. A VM that it does stand
/// for keeps its row wherever it moves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VmRow {
    /// The UUID.
    pub vm: VmId,
    /// The host of a twin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin_on: Option<HostName>,
}

/// What every page says of the whole fleet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many VMs there are.
    pub vms: u32,
    /// How many hosts there are.
    pub hosts: u32,
    /// How many migrations have not ended.
    pub running: u32,
    /// How many of them will not end by themselves.
    pub not_converging: u32,
    /// VMs whose latest migration needs attention, the latest first.
    pub attention: Vec<Attention>,
    /// VMs that run on several hosts, or share their UUID; at most [`Summary::SHOWN`].
    pub alarms: Vec<Vm>,
    /// Hosts that do not answer, by reason.
    pub unreachable: Vec<Unreachable>,
    /// The latest migrations that did not succeed, nor were cancelled, the latest first.
    pub ended_badly: Vec<EndedBadly>,
    /// The migration that began last.
    pub newest: Option<MigrationId>,
    /// Another number whenever anything of an evacuation has changed.
    #[serde(default)]
    pub evacuations: u64,
}

impl Summary {
    /// How many things of a kind are told in full.
    pub const SHOWN: usize = 5;

    /// How many hosts do not answer.
    pub fn unreachable_hosts(&self) -> usize {
        self.unreachable.iter().map(|reason| reason.hosts.len()).sum()
    }
}

/// A VM whose latest migration needs attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// The VM.
    pub vm: VmId,
    /// Its name.
    pub vm_name: String,
    /// The migration.
    pub migration: MigrationId,
    /// What is to be known; of the first [`Summary::SHOWN`].
    pub problem: Option<Problem>,
    /// The step that is safe next.
    pub step: Option<Step>,
}

/// Hosts that do not answer for the same reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unreachable {
    /// The reason, in the words of the first of them.
    pub problem: Problem,
    /// Since when the first of them has not answered, in ms since 1970.
    pub since_ms: u64,
    /// The hosts, by name.
    pub hosts: Vec<HostName>,
}

/// A migration that failed, or needs attention.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndedBadly {
    /// The migration.
    pub id: MigrationId,
    /// How it ended.
    pub phase: Phase,
    /// When, in ms since 1970.
    pub at_ms: u64,
}
