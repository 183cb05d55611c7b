//! What the stream at `/ws` carries, and what a page starts from.

use serde::{Deserialize, Serialize};

use crate::{Host, HostName, Migration, MigrationId, Problem, Progress, Scope, Summary, Vm, VmId, VmList};

/// Everything that a page shows, as of one sequence number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Its scope; none is everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The number of the last change in it.
    pub sequence: u64,
    /// The fleet at a glance.
    #[serde(default)]
    pub summary: Summary,
    /// The hosts of the scope, by name.
    pub hosts: Vec<Host>,
    /// The VMs of the scope, by name.
    pub vms: Vec<Vm>,
    /// The migrations of the scope, newest first. Without a scope: those that have not ended, and the latest that have.
    pub migrations: Vec<Migration>,
    /// What is listed in the window, if the scope has one.
    #[serde(default)]
    pub list: Option<VmList>,
    /// That the store can't be written, if that is so.
    #[serde(default)]
    pub store_outage: Option<StoreOutage>,
}

/// The store can't be written: migrations under way go on, nothing new is begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreOutage {
    /// Since when, in ms since 1970.
    pub since_ms: u64,
    /// Why, and what to do about it.
    pub problem: Problem,
}

/// All that has changed of a scope since the update before. Numbers grow and survive a restart of the console; one is left out where
/// nothing of the scope changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// The number of the last change in it.
    pub sequence: u64,
    /// When it was made, in ms since 1970.
    pub at_ms: u64,
    /// What changed.
    pub changes: Vec<Change>,
}

/// What changed: always the whole new state of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Start again from here.
    Snapshot(Box<Snapshot>),
    /// The fleet at a glance.
    Summary(Box<Summary>),
    /// A host.
    Host(Box<Host>),
    /// This host is not registered any more.
    HostGone(HostName),
    /// A VM.
    Vm(Vm),
    /// No host has a copy of this VM any more.
    VmGone(VmId),
    /// A migration.
    Migration(Box<Migration>),
    /// Only this has changed of a migration.
    Progress(MigrationId, Box<Progress>),
    /// What is listed in the window.
    List(VmList),
    /// The store can't be written, or (none) can be again.
    StoreOutage(Option<StoreOutage>),
}

/// A message of a browser on the stream: the first one, and one each time that its page shows something else.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// The last update that it has seen of this scope; none asks for a snapshot.
    pub since: Option<u64>,
    /// What it shows; none is everything, for programs.
    #[serde(default)]
    pub scope: Option<Scope>,
}

/// A message of the server on the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamMessage {
    /// Something changed.
    Update(Update),
    /// Nothing changed; the connection lives. Sent when nothing else was for a while.
    Alive,
    /// The stream ends, and a reconnect will not help: the session is over, say.
    Ended(Problem),
}
