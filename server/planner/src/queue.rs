//! A plan as it is carried out: what [`next()`](crate::next()) and [`raise()`](crate::raise()) look at, and what they say.

use std::collections::{BTreeMap, BTreeSet};

use model::{HostName, PlacementRules, VmId};

use crate::{HostRoom, VmToMove};

/// A plan as it is carried out, for [`next()`](crate::next()).
#[derive(Clone, Debug, Default)]
pub struct Queue<'a> {
    /// All moves that have not begun, in the order of the plan: that of a VM that is still on its way to a third host is there, too, so
    /// that the room that it needs later is not given to others.
    pub waiting: Vec<Waiting<'a>>,
    /// What is under way.
    pub running: Vec<Running<'a>>,
    /// What the hosts have now: of memory and pools what is free beside all that is promised to those that run.
    pub hosts: BTreeMap<HostName, HostRoom>,
    /// Where VMs with a process are, for the rules; one that runs through [`Self::running`] counts on both of its hosts whatever is said here.
    pub places: BTreeMap<VmId, HostName>,
    /// The rules.
    pub rules: PlacementRules,
    /// VMs that nothing may begin with now, whatever the reason. What they need is kept for them.
    pub held: BTreeSet<VmId>,
    /// VMs under way that can be told to use more of the links, for [`raise()`](crate::raise()).
    pub raisable: BTreeSet<VmId>,
}

/// A move that has not begun.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// The VM.
    pub vm: &'a VmToMove,
    /// Where it leaves from: its source, or the third host that it waits on. It begins only while [`Queue::places`] does not say that the
    /// VM is elsewhere.
    pub source: &'a HostName,
    /// Where it goes now.
    pub destination: &'a HostName,
}

/// A move under way.
#[derive(Clone, Copy, Debug)]
pub struct Running<'a> {
    /// The VM.
    pub vm: VmId,
    /// From there.
    pub source: &'a HostName,
    /// To there.
    pub destination: &'a HostName,
    /// What it may use of the links, in bytes a second; none is whatever they carry.
    pub bytes_s: Option<u64>,
    /// How far it is.
    pub stage: Stage,
    /// How much longer it likely uses the links, or will use them, in ms from now; none is unknown. Others begin that much early.
    pub left_ms: Option<u64>,
}

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is made ready, and does not send yet.
    Preparing,
    /// It uses the links.
    Sending,
    /// It has sent everything; hosts are asked how it ended.
    Ending,
}

/// What begins now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Which of those that wait, by its place in [`Queue::waiting`].
    pub index: usize,
    /// What it may use of the links, in bytes a second; none is whatever they carry.
    pub bytes_s: Option<u64>,
}

/// A move under way that may use more of the links from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raise {
    /// The VM.
    pub vm: VmId,
    /// What it may use, in bytes a second.
    pub bytes_s: u64,
}
