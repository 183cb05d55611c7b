//! Ejecting media from CD-ROM and floppy drives.

use model::VmId;
use virt::{domain::Domain, sys};

use crate::{connection::Connection, error::LibvirtError, xml::rewrite};

/// Ejects the medium of a drive, now and in the persistent definition. If the guest has locked the drive, libvirt refuses.
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

/// Empties the drive in the live or in the persistent definition. Each has its own element, which may differ.
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
