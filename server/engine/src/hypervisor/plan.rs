//! One migration as it is handed to the hypervisor.

use model::{ControlFlow, VmId};

use super::{HostConfig, Throttle};

/// One migration, ready to be handed to the hypervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationPlan {
    /// The VM.
    pub vm: VmId,
    /// The host it goes to, with the login to be used for a direct migration.
    pub destination: HostConfig,
    /// Who drives it.
    pub control_flow: ControlFlow,
    /// Whether memory and disks are encrypted in transit (TLS).
    pub encrypted: bool,
    /// Whether the memory goes by RDMA.
    pub rdma: bool,
    /// Memory, or the definition only.
    pub mode: model::Mode,
    /// Whether the source forgets the VM afterwards.
    pub undefine_source: bool,
    /// Whether the destination keeps the VM beyond a power-off: what it was at the source.
    pub persist_destination: bool,
    /// At most this much of the network, in MiB/s; none is unlimited.
    pub bandwidth_mib_s: Option<u32>,
    /// What the link carries where no limit holds, in MiB/s; none where that is not known. QEMU sends what is left at the switch-over
    /// without the limit, and begins it as soon as that fits into the pause. Means something only beside a limit.
    pub switchover_mib_s: Option<u32>,
    /// How QEMU slows the guest where it writes too fast; none does not slow it.
    pub throttle: Option<Throttle>,
    /// Prepare for a switch to post-copy.
    pub post_copy: bool,
    /// Send the memory over so many connections at once; none is one connection. Never together with a bandwidth limit, which QEMU
    /// does not observe then.
    pub connections: Option<u8>,
    /// Compress the memory on its way (zstd): means something only with `connections`.
    pub compress: bool,
    /// What the VM shall be called there; none keeps its name.
    pub new_name: Option<String>,
    /// The disks to copy (live), or whose place in the definition changes (offline). All others stay as they are.
    pub disks: Vec<DiskCopy>,
    /// Let the guest wait for every write to both disks: slower for it, but the copy catches up for certain.
    pub synchronous_writes: bool,
    /// libvirt can't see that a disk is shared, but the hosts' settings say so.
    pub trust_shared_directories: bool,
}

/// Whether libvirt and the source's QEMU can be told [`MigrationPlan::switchover_mib_s`]. Versions as libvirt writes them in a number
/// (`VIR_MIGRATE_PARAM_BANDWIDTH_AVAIL_SWITCHOVER` is of 11.1.0, QEMU's `avail-switchover-bandwidth` of 8.2.0); of a direct migration both
/// hosts' libvirt has to know it.
pub fn knows_switchover(libvirt: u64, qemu: u64) -> bool {
    libvirt >= 11_001_000 && qemu >= 8_002_000
}

/// A disk that libvirt copies along with a migration, to a volume that is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskCopy {
    /// Its name in the guest, e.g. `vda`.
    pub target: String,
    /// The new volume's path.
    pub path: String,
    /// Whether the new volume is a block device rather than a file.
    pub is_block: bool,
}
