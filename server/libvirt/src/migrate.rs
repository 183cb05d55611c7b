//! Migrations: the engine's plan in libvirt's flags and parameters.

use std::ffi::{CString, c_uint};

use engine::MigrationPlan;
use model::Mode;
use virt::{domain::Domain, sys};

use crate::{error::LibvirtError, typed_params::TypedParams, uri};

/// Migrates peer-to-peer: the source's daemon talks to the destination's, and goes on even if we die. Blocks until it is over.
pub(crate) fn migrate(domain: &Domain, plan: &MigrationPlan) -> Result<(), LibvirtError> {
    let destination = CString::new(uri::daemon(&plan.destination.peer_transport)).map_err(virt::error::Error::from)?;
    let params = params(plan)?;
    let (list, len) = params.as_raw();
    // SAFETY: the domain is valid; destination and list live until the call is over, and the list has `len` parameters.
    let result = unsafe {
        sys::virDomainMigrateToURI3(domain.as_ptr(), destination.as_ptr(), list, len as c_uint, flags(plan))
    };
    if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
}

fn flags(plan: &MigrationPlan) -> c_uint {
    let when = |condition, flag| if condition { flag } else { 0 };
    let mode = match plan.mode {
        Mode::Live => sys::VIR_MIGRATE_LIVE | when(plan.persist_destination, sys::VIR_MIGRATE_PERSIST_DEST),
        // A definition that is not kept would be nothing: libvirt insists on the flag.
        Mode::Offline => sys::VIR_MIGRATE_OFFLINE | sys::VIR_MIGRATE_PERSIST_DEST,
    };
    mode | sys::VIR_MIGRATE_PEER2PEER | when(plan.undefine_source, sys::VIR_MIGRATE_UNDEFINE_SOURCE)
}

fn params(plan: &MigrationPlan) -> Result<TypedParams, LibvirtError> {
    let mut params = TypedParams::new();
    if plan.mode == Mode::Live {
        // Without it libvirt uses what the destination believes its own name is, which often no other host can resolve.
        let data = uri::migration_data(&plan.destination.peer_address);
        params.add_string(sys::VIR_MIGRATE_PARAM_URI, &data)?;
        if let Some(bandwidth) = plan.bandwidth_mib_s {
            params.add_u64(sys::VIR_MIGRATE_PARAM_BANDWIDTH, bandwidth.into())?;
        }
    }
    Ok(params)
}
