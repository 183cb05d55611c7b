//! Actions on a domain: starting, stopping, pausing, resuming it, and removing its definition.

use model::{VmAction, VmId};
use virt::{domain::Domain, sys};

use crate::{connection::Connection, error::LibvirtError};

/// Starts, stops, pauses, resumes or wakes up a domain.
pub(crate) fn act(domain: &Domain, action: VmAction) -> Result<(), LibvirtError> {
    match action {
        VmAction::Start => domain.create(),
        VmAction::ShutDown => domain.shutdown(),
        VmAction::ForceOff => domain.destroy(),
        VmAction::Pause => domain.suspend(),
        VmAction::Resume => domain.resume(),
        // QEMU is asked whatever libvirt takes the state for.
        VmAction::WakeUp => domain.pm_wakeup(0),
    }
    .map_err(LibvirtError::from)
}

/// Whether the host starts the domain when it boots.
pub(crate) fn autostart(connection: &Connection, vm: VmId) -> Result<bool, LibvirtError> {
    Ok(connection.lookup_domain_by_uuid(vm.0)?.autostart()?)
}

/// Lets the host start the domain when it boots, or not. libvirt refuses it for a domain that is not persistent.
pub(crate) fn set_autostart(connection: &Connection, vm: VmId, enabled: bool) -> Result<(), LibvirtError> {
    Ok(connection.lookup_domain_by_uuid(vm.0)?.set_autostart(enabled)?)
}

/// Removes the definition of a domain that is off. NVRAM and TPM state stay, as libvirt's own migrations leave them.
pub(crate) fn undefine(domain: &Domain) -> Result<(), LibvirtError> {
    let kept = sys::VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | sys::VIR_DOMAIN_UNDEFINE_KEEP_TPM;
    Ok(domain.undefine_flags(kept | sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA)?)
}
