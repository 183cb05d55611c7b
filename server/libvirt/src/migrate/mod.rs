//! Migrations: the engine's plan as libvirt's calls.

mod definitions;
mod request;
#[cfg(test)]
pub(crate) mod testing;

use std::ffi::{CString, c_uint};

use engine::MigrationPlan;
use model::Mode;
use virt::{domain::Domain, sys};

use self::{definitions::Definitions, request::flags};
use crate::{
    connection::{Connection, uri},
    error::LibvirtError,
    ffi::typed_params::TypedParams,
};

/// The first libvirt that can leave out of a copy what is zero, as the number it tells: 10.9.0.
const DETECTS_ZEROES: u32 = 10_009_000;

/// Migrates from the host of `source`. Blocks until it is over.
///
/// With a connection to the destination we drive the migration ourselves (direct): it needs us to the end. Without one the source's
/// daemon does, with a login of its own at the destination (peer-to-peer and tunnelled), and goes on even if we die.
pub(crate) fn migrate(
    source: &Connection,
    destination: Option<&Connection>,
    plan: &MigrationPlan,
) -> Result<(), LibvirtError> {
    let domain = source.lookup_domain_by_uuid(plan.vm.0)?;
    let mut definitions = Definitions::rewritten(&domain, plan)?;
    if plan.mode == Mode::Live && source.lib_version()? >= DETECTS_ZEROES {
        definitions.allow_holes(&plan.disks)?;
    }
    let params = request::params(plan, &definitions)?;
    match destination {
        Some(destination) => drive(&domain, destination, plan, &params),
        None => ask_source(&domain, plan, &params),
    }
}

/// Does what the source's daemon would do, from here.
fn drive(
    domain: &Domain,
    destination: &Connection,
    plan: &MigrationPlan,
    params: &TypedParams,
) -> Result<(), LibvirtError> {
    let (list, len) = params.as_raw();
    // SAFETY: the domain is valid and the connection open; the list lives until the call is over, and has `len` parameters.
    let moved =
        unsafe { sys::virDomainMigrate3(domain.as_ptr(), destination.as_ptr(), list, len as c_uint, flags(plan)) };
    if moved.is_null() {
        return Err(LibvirtError::last());
    }
    // SAFETY: the domain at the destination is ours to free, and nobody else has it. That this fails would change nothing.
    unsafe { sys::virDomainFree(moved) };
    Ok(())
}

/// Lets the source's daemon talk to the destination's.
fn ask_source(domain: &Domain, plan: &MigrationPlan, params: &TypedParams) -> Result<(), LibvirtError> {
    let destination = CString::new(uri::daemon(&plan.destination.peer_transport)).map_err(virt::error::Error::from)?;
    let (list, len) = params.as_raw();
    // SAFETY: the domain is valid; destination and list live until the call is over, and the list has `len` parameters.
    let result =
        unsafe { sys::virDomainMigrateToURI3(domain.as_ptr(), destination.as_ptr(), list, len as c_uint, flags(plan)) };
    if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use model::ControlFlow;

    use super::*;
    use crate::connection;

    /// The `test` driver can't migrate, and says which call it lacks.
    #[test]
    fn only_a_connection_to_the_destination_makes_it_direct() {
        let connection = connection::testing::connection();
        let vm = connection::testing::define(&connection, "direct");
        let refusal = |destination: Option<&Connection>, control_flow| {
            let plan = MigrationPlan { vm, control_flow, ..testing::plan(Mode::Live) };
            migrate(&connection, destination, &plan).unwrap_err().message
        };
        let direct = refusal(Some(&connection::testing::connection()), ControlFlow::Direct);
        assert!(direct.contains("virDomainMigrate3"), "{direct}");
        let peer_to_peer = refusal(None, ControlFlow::PeerToPeer);
        assert!(peer_to_peer.contains("p2p migration is not supported"), "{peer_to_peer}");
    }
}
