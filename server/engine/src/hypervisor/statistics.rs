//! The figures of a migration job.

/// A migration job's figures, as libvirt gives them (`qemuDomainMigrationJobDataToParams`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Time since the job began, in ms.
    pub elapsed_ms: u64,
    /// Memory and disks to move, in bytes.
    pub data_total: u64,
    /// Sent so far, in bytes.
    pub data_processed: u64,
    /// Left as of now, in bytes.
    pub data_remaining: u64,
    /// Memory to move, in bytes.
    pub memory_total: u64,
    /// Memory sent so far, pages sent twice counted twice, in bytes.
    pub memory_processed: u64,
    /// Memory left as of now, in bytes.
    pub memory_remaining: u64,
    /// Disk contents to copy, in bytes; 0 without a copy of storage.
    pub disk_total: u64,
    /// Disk contents copied, in bytes.
    pub disk_processed: u64,
    /// Disk contents left, in bytes.
    pub disk_remaining: u64,
    /// What the link carries, in bytes a second; 0 when not known yet.
    pub memory_bytes_s: u64,
    /// Pages the guest changes a second; 0 until the second pass.
    pub dirty_pages_s: u64,
    /// A page in bytes; 0 when not told.
    pub page_bytes: u64,
    /// Passes over the memory so far.
    pub memory_pass: u64,
    /// While running: the pause QEMU expects if it switched over now; when completed: the pause there was. In ms.
    pub downtime_ms: Option<u64>,
    /// The part of their time that the guest's CPUs lose because QEMU slows it, in percent.
    pub throttle_percent: u8,
}
