//! A host's free huge pages.

use engine::DomainFacts;

use crate::{connection::Connection, error::LibvirtError};

/// Free huge pages of the VM's size on all NUMA cells, in bytes; none if the VM uses none, or leaves their size to the host, which
/// libvirt does not report.
pub(super) fn huge_pages_free_bytes(connection: &Connection, vm: &DomainFacts) -> Result<Option<u64>, LibvirtError> {
    let Some(page_bytes) = vm.huge_page_bytes.filter(|bytes| *bytes > 0) else { return Ok(None) };
    let Ok(page_kib) = u32::try_from(page_bytes / 1024) else { return Ok(None) };
    let cells = connection.node_info()?.nodes;
    let free = connection.known(connection.free_pages(&[page_kib], 0, cells, 0).map_err(LibvirtError::from))?;
    Ok(free.map(|cells| cells.iter().sum::<u64>() * page_bytes))
}
