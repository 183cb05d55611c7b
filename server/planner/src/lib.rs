//! Which VM goes where, and when. Pure: the same input gives the same plan, and nothing is asked.
//!
//! [`place()`] makes a plan; [`next()`] says, of a plan that is carried out, what begins now. A plan's times come from going through it with
//! [`next()`], so that what is foretold and what is done follow the same rules.

mod bound;
mod course;
mod desk;
mod exhaustive;
mod flows;
mod hosts;
mod line;
mod links;
mod names;
mod next;
mod pack;
mod place;
mod queue;
mod raise;
mod reasons;
mod rules;
mod schedule;
mod sequence;
mod units;
mod world;
mod worth;

use std::collections::BTreeMap;

use model::{HostName, Mode, PlacementRules, VmId, Why};

pub use links::{AT_ONCE, END_MS, LINK_BYTES_S, READY_MS};
pub use next::next;
pub use place::place;
pub use queue::{Begin, Queue, Raise, Running, Stage, Waiting};
pub use raise::raise;

/// What a plan is made of.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The hosts, those that are emptied included.
    pub hosts: BTreeMap<HostName, HostRoom>,
    /// The VMs that are to move.
    pub vms: Vec<VmToMove>,
    /// Where all other VMs with a process are, for the rules.
    pub others: BTreeMap<VmId, HostName>,
    /// The rules and priorities.
    pub rules: PlacementRules,
}

/// What a host has for VMs that come, and what its links carry.
#[derive(Clone, Debug, Default)]
pub struct HostRoom {
    /// Whether VMs may come: it answers, is not emptied, not in maintenance.
    pub takes: bool,
    /// Memory that VMs which come may take, in bytes: without the reserve, and without what is promised to VMs under way. What leaves by
    /// this plan is added once it has left.
    pub memory_bytes: u64,
    /// Its CPUs; 0 is unknown.
    pub cpus: u32,
    /// Virtual CPUs of the VMs that are active on it.
    pub vcpus: u32,
    /// Space for copied disks, by pool, in bytes. Of a pool that is not named it is not known, and not checked.
    pub pools: BTreeMap<String, u64>,
    /// What all that leaves may use together, in bytes a second; none is not limited.
    pub outgoing_bytes_s: Option<u64>,
    /// What all that comes may use together, in bytes a second; none is not limited.
    pub incoming_bytes_s: Option<u64>,
    /// What one migration from there has, in bytes a second; none is whatever the links leave it.
    pub each_bytes_s: Option<u64>,
}

/// A VM that is to move.
#[derive(Clone, Debug)]
pub struct VmToMove {
    /// The VM.
    pub vm: VmId,
    /// Where it is.
    pub source: HostName,
    /// The only host that it may go to, if one was asked for.
    pub destination: Option<HostName>,
    /// Whether it runs meanwhile.
    pub mode: Mode,
    /// The memory that it takes where it goes, with what QEMU needs beside it, in bytes; 0 of one that is off.
    pub memory_bytes: u64,
    /// Its virtual CPUs; 0 of one that is off.
    pub vcpus: u32,
    /// What a pass over its memory sends, in bytes.
    pub sends_bytes: u64,
    /// What its guest changes, in bytes a second, as long as less than all is changed.
    pub dirty_bytes_s: u64,
    /// The longest pause that its policy allows, in ms.
    pub longest_pause_ms: u64,
    /// What is known of its way to a host. Without an entry nothing speaks against it, and no disk is copied.
    pub pairs: BTreeMap<HostName, Pair>,
}

/// What is known of a VM's way to a host.
#[derive(Clone, Debug, Default)]
pub struct Pair {
    /// Whether it can't go there.
    pub refused: bool,
    /// What speaks against the host, so that others are better: warnings, things unknown. 0 is nothing.
    pub against: u32,
    /// What of its disks is copied, in bytes, by the pool that it is copied to.
    pub disks: BTreeMap<String, u64>,
}

/// What comes of planning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Placement {
    /// The moves, in the order that is wished for: that in which they begin, as far as links let them. A VM that waits on a third host
    /// meanwhile has two.
    pub moves: Vec<Move>,
    /// The VMs for which no host was found, and why.
    pub without: BTreeMap<VmId, NoPlace>,
    /// How long all of it takes, in ms.
    pub total_ms: u64,
    /// What it takes at least, in ms: what has to be sent, over what the links carry.
    pub bound_ms: u64,
}

/// A move.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The VM.
    pub vm: VmId,
    /// From there.
    pub source: HostName,
    /// To there.
    pub destination: HostName,
    /// Whether it only waits there until there is room where it goes.
    pub is_halt: bool,
    /// When it begins and ends, in ms after the beginning of the whole.
    pub at_ms: [u64; 2],
    /// What is sent, in bytes.
    pub bytes: u64,
    /// What it may use of the links, in bytes a second; none is whatever they carry.
    pub bytes_s: Option<u64>,
    /// Why there.
    pub why: Why,
}

/// Why no host was found for a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// Each host is refused by itself: it can't take this VM, whatever else moves.
    Refused,
    /// Hosts that could take it have no memory left: so many bytes are missing on the one that lacks least.
    Memory {
        /// That host.
        host: HostName,
        /// What is missing there, in bytes.
        missing_bytes: u64,
    },
    /// The only hosts with memory for it have no space for its disks.
    Space {
        /// The pool that lacks least.
        pool: String,
        /// Its host.
        host: HostName,
        /// What is missing there, in bytes.
        missing_bytes: u64,
    },
    /// A rule forbids every host that has room: its name.
    Rule(String),
}
