//! Actions on a domain: starting, stopping, pausing, resuming it, and removing its definition.

use model::{VmAction, VmId};
use virt::{domain::Domain, sys};

use crate::{connection::Connection, error::LibvirtError};

/// The first libvirt that can keep the state of a TPM, as libvirt's number: 8.9.0.
const KEEPS_TPM: u32 = 8_009_000;

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

/// Removes the definition of a domain that is off. NVRAM and TPM state stay, as libvirt's own migrations leave them; the latter not with a
/// libvirt before 8.9, which refuses to be asked for it.
pub(crate) fn undefine(connection: &Connection, domain: &Domain) -> Result<(), LibvirtError> {
    Ok(domain.undefine_flags(undefine_flags(connection.lib_version()?))?)
}

fn undefine_flags(version: u32) -> sys::virDomainUndefineFlagsValues {
    let kept = sys::VIR_DOMAIN_UNDEFINE_KEEP_NVRAM | sys::VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
    if version >= KEEPS_TPM { kept | sys::VIR_DOMAIN_UNDEFINE_KEEP_TPM } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_tpm_is_kept_where_libvirt_can() {
        let is_kept = |version| undefine_flags(version) & sys::VIR_DOMAIN_UNDEFINE_KEEP_TPM != 0;
        assert!(is_kept(11_003_000) && is_kept(8_009_000));
        assert!(!is_kept(8_008_000), "it does not know the flag");
    }
}
