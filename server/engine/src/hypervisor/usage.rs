//! What a VM uses of its host, and what all use.

use model::VmId;

/// What a VM has used of its host since it started there; none where the host does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The VM.
    pub vm: VmId,
    /// CPU time of its QEMU, in ns.
    pub cpu_time_ns: Option<u64>,
    /// The memory that its QEMU has now, in bytes.
    pub memory_bytes: Option<u64>,
    /// Read from all disks and written to them, in bytes.
    pub disk_bytes: Option<u64>,
    /// Received and sent on all interfaces, in bytes.
    pub network_bytes: Option<u64>,
}

/// How long a host's CPUs were busy, all of them together, since it booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuTimes {
    /// Busy, in ns.
    pub busy_ns: u64,
    /// Busy or idle, in ns.
    pub all_ns: u64,
}
