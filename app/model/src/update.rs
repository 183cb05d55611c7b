//! What the stream at `/ws` carries, and what a page starts from.

use serde::{Deserialize, Serialize};

use crate::{Host, HostName, Migration, Problem, Vm, VmId};

/// Everything a page shows, as of one sequence number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The number of the last update in it.
    pub sequence: u64,
    /// All hosts, by name.
    pub hosts: Vec<Host>,
    /// All VMs, by name.
    pub vms: Vec<Vm>,
    /// Migrations that have not ended, and the latest that have; newest first.
    pub migrations: Vec<Migration>,
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

/// One change, numbered. Numbers grow by one and survive a restart of the console.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// Its number.
    pub sequence: u64,
    /// When it happened, in ms since 1970.
    pub at_ms: u64,
    /// What changed.
    pub change: Change,
}

/// What changed: always the whole new state of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Start again from here: the subscriber missed something.
    Snapshot(Snapshot),
    /// A host.
    Host(Host),
    /// This host is not registered any more.
    HostGone(HostName),
    /// A VM.
    Vm(Vm),
    /// No host has a copy of this VM any more.
    VmGone(VmId),
    /// A migration.
    Migration(Box<Migration>),
    /// The store can't be written, or (none) can be again.
    StoreOutage(Option<StoreOutage>),
}

/// The first message of a browser on the stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resume {
    /// The last update it has seen; none asks for a snapshot.
    pub since: Option<u64>,
}

/// A message of the server on the stream.
#[allow(clippy::large_enum_variant, reason = "a message is sent or read, and never kept; in WASM it is not large")]
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
