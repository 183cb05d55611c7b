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
    let result =
        unsafe { sys::virDomainMigrateToURI3(domain.as_ptr(), destination.as_ptr(), list, len as c_uint, flags(plan)) };
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

#[cfg(test)]
mod tests {
    use engine::{Daemon, HostConfig, Transport};
    use model::VmId;

    use super::*;
    use crate::typed_params::number;

    fn plan(mode: Mode) -> MigrationPlan {
        let address: engine::Address = "127.0.0.3".parse().unwrap();
        let transport = Transport::Tcp { address: address.clone(), port: 16509, daemon: Daemon::Session };
        let destination = HostConfig {
            name: "beta".parse().unwrap(),
            transport: transport.clone(),
            peer_address: address,
            peer_transport: transport,
            bandwidth_mib_s: None,
            shared_directories: Vec::new(),
        };
        MigrationPlan {
            vm: VmId(uuid::Uuid::nil()),
            destination,
            mode,
            undefine_source: true,
            persist_destination: true,
            bandwidth_mib_s: Some(32),
            new_name: None,
            disks: Vec::new(),
            synchronous_writes: false,
            trust_shared_directories: false,
        }
    }

    #[test]
    fn the_source_is_undefined_and_the_destination_persisted_only_if_asked() {
        let wanted = plan(Mode::Live);
        let base = sys::VIR_MIGRATE_LIVE | sys::VIR_MIGRATE_PEER2PEER;
        assert_eq!(flags(&wanted), base | sys::VIR_MIGRATE_PERSIST_DEST | sys::VIR_MIGRATE_UNDEFINE_SOURCE);
        let neither = MigrationPlan { undefine_source: false, persist_destination: false, ..wanted };
        assert_eq!(flags(&neither), base);
    }

    #[test]
    fn a_definition_that_moves_is_kept() {
        let plan = MigrationPlan { undefine_source: false, persist_destination: false, ..plan(Mode::Offline) };
        let expected = sys::VIR_MIGRATE_OFFLINE | sys::VIR_MIGRATE_PEER2PEER | sys::VIR_MIGRATE_PERSIST_DEST;
        assert_eq!(flags(&plan), expected);
        assert!(params(&plan).unwrap().as_slice().is_empty());
    }

    #[test]
    fn the_bandwidth_is_passed_on() {
        let bandwidth =
            |plan: &MigrationPlan| number(params(plan).unwrap().as_slice(), sys::VIR_MIGRATE_PARAM_BANDWIDTH);
        assert_eq!(bandwidth(&plan(Mode::Live)), Some(32));
        assert_eq!(bandwidth(&MigrationPlan { bandwidth_mib_s: None, ..plan(Mode::Live) }), None);
    }
}
