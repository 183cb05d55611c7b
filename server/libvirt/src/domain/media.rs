//! CD-ROM and floppy drives.

use model::VmId;
use virt::{domain::Domain, sys};

use crate::{connection::Connection, error::LibvirtError, xml::rewrite};

/// Takes the medium out of a drive, now and for later starts. A guest that has locked its drive is not overridden.
pub(crate) fn eject(connection: &Connection, vm: VmId, target: &str) -> Result<(), LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    if domain.is_active()? {
        empty(&domain, target, 0, sys::VIR_DOMAIN_AFFECT_LIVE)?;
    }
    if domain.is_persistent()? {
        empty(&domain, target, sys::VIR_DOMAIN_XML_INACTIVE, sys::VIR_DOMAIN_AFFECT_CONFIG)?;
    }
    Ok(())
}

/// Empties the drive in one of the two definitions. Each is asked for its own element: they may differ.
fn empty(
    domain: &Domain,
    target: &str,
    definition: sys::virDomainXMLFlags,
    affected: sys::virDomainModificationImpact,
) -> Result<(), LibvirtError> {
    match rewrite::emptied_drive(&domain.xml_desc(definition)?, target)? {
        Some(drive) => Ok(domain.update_device_flags(&drive, affected)?),
        None => Ok(()),
    }
}
