//! What hosts say of themselves, and of their copies of VMs.

use model::{VmId, VmState};
use uuid::Uuid;

use super::{DiskSource, StateReason};

/// What a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// libvirt's UUID of the host; two hosts of the same UUID are one.
    pub uuid: Uuid,
    /// Logical CPUs.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Memory that is free or can be freed at once (buffers, cache), in bytes.
    pub memory_free_bytes: u64,
    /// The daemon's version, e.g. `11.3.0`.
    pub libvirt_version: String,
    /// QEMU's version, e.g. `10.0.2`.
    pub hypervisor_version: String,
    /// The CPU's model as libvirt names it; none if it does not.
    pub cpu_model: Option<String>,
    /// How long a small question took to be answered, in ms.
    pub latency_ms: u32,
}

/// What is known of one copy of a VM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyFacts {
    /// The UUID.
    pub vm: VmId,
    /// The name there.
    pub name: String,
    /// Its title for people; none of an incoming copy.
    pub title: Option<String>,
    /// Words that people have given it; none of an incoming copy.
    pub tags: Vec<String>,
    /// What it does.
    pub state: VmState,
    /// Why.
    pub reason: StateReason,
    /// Whether it is being received: the destination's half of a migration under way. Not a VM of its own.
    pub incoming: bool,
    /// Whether it is paused because a migration from here switched over, and waits for the verdict.
    pub outgoing: bool,
    /// Whether it is paused because a migration from here switched over, and nothing waits for the verdict any more: the console
    /// that drove it is gone, and this host does not know whether the VM goes on elsewhere.
    pub abandoned: bool,
    /// Whether its definition outlives a power-off; unknown (false) of an incoming copy.
    pub persistent: bool,
    /// Virtual CPUs that it has now; 0 of an incoming copy.
    pub vcpus: u32,
    /// The most virtual CPUs that it can have; 0 of an incoming copy.
    pub vcpus_max: u32,
    /// The most memory that it can have, in bytes; 0 of an incoming copy.
    pub memory_bytes: u64,
    /// The memory that its balloon leaves it now, in bytes; 0 of an incoming copy.
    pub memory_now_bytes: u64,
    /// Where the contents of its disks are, as its definition says; none if that is not known, as of an incoming copy.
    pub disks: Option<Vec<DiskSource>>,
    /// The MAC addresses of its interfaces, in lower case; empty if they are not known, as of an incoming copy.
    pub macs: Vec<String>,
    /// What its QEMU has used of the host's CPUs so far, in ns: while it stands, nothing executes. None if that is not known, or never
    /// asked, as of an incoming copy.
    pub cpu_time_ns: Option<u64>,
}
