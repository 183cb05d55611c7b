//! Migrating: the engine's plan in libvirt's calls.

mod definitions;
mod request;
mod speed;
#[cfg(test)]
pub(crate) mod testing;
mod tpm;

use std::ffi::{CString, c_uint};

use engine::MigrationPlan;
use model::Mode;
use virt::{domain::Domain, sys};

use self::{definitions::Definitions, request::flags, speed::SpeedFacts};
use crate::{
    connection::{Connection, uri},
    error::LibvirtError,
    ffi::typed_params::TypedParams,
};

/// The first libvirt that can leave zeroes out of a copy, as libvirt's number: 10.9.0.
const DETECTS_ZEROES: u32 = 10_009_000;

/// Migrates away from the host of `source`. Blocks until the migration has ended.
///
/// With a connection to the destination, this process drives the migration (direct), and has to run until its end.
/// Without one, the source's daemon drives it over its own connection to the destination (peer-to-peer), and goes on if
/// this process dies.
pub(crate) fn migrate(
    source: &Connection,
    destination: Option<&Connection>,
    plan: &MigrationPlan,
) -> Result<(), LibvirtError> {
    begin_or_recover(source, destination, plan, 0)
}

/// Goes on with a migration by post-copy that broke off: the call that it was begun with, and one flag more.
pub(crate) fn recover(
    source: &Connection,
    destination: Option<&Connection>,
    plan: &MigrationPlan,
) -> Result<(), LibvirtError> {
    let plan = MigrationPlan { post_copy: true, ..plan.clone() };
    begin_or_recover(source, destination, &plan, sys::VIR_MIGRATE_POSTCOPY_RESUME)
}

fn begin_or_recover(
    source: &Connection,
    destination: Option<&Connection>,
    plan: &MigrationPlan,
    recovery: c_uint,
) -> Result<(), LibvirtError> {
    let domain = source.lookup_domain_by_uuid(plan.vm.0)?;
    let mut definitions = Definitions::rewritten(&domain, plan)?;
    if plan.mode == Mode::Live && all_have(DETECTS_ZEROES, source, destination)? {
        definitions.allow_holes(&plan.disks)?;
    }
    let speed = match plan.mode {
        Mode::Live => SpeedFacts::ask(source, destination, &domain)?,
        Mode::Offline => SpeedFacts::default(),
    };
    let params = request::params(plan, &definitions, speed)?;
    let keeps_tpm = plan.mode == Mode::Offline && plan.undefine_source && tpm::is_emulated(&domain)?;
    let plan = &MigrationPlan { undefine_source: plan.undefine_source && !keeps_tpm, ..plan.clone() };
    let moved = match destination {
        Some(destination) => direct(&domain, destination, &params, flags(plan) | recovery),
        None => peer_to_peer(&domain, plan, &params, flags(plan) | recovery),
    };
    if moved.is_err() {
        speed.restore_default(&domain);
    }
    moved?;
    if keeps_tpm { tpm::undefine(source, &domain) } else { Ok(()) }
}

/// Whether all daemons that get the parameters have this version of libvirt. In a peer-to-peer migration the source passes those on that
/// the destination has to know; in a direct one the destination gets them all, and refuses those that it does not know.
fn all_have(version: u32, source: &Connection, destination: Option<&Connection>) -> Result<bool, LibvirtError> {
    let has = |connection: &Connection| Ok::<_, LibvirtError>(connection.lib_version()? >= version);
    Ok(has(source)? && destination.map_or(Ok(true), has)?)
}

/// Direct: this process calls both daemons.
fn direct(domain: &Domain, destination: &Connection, params: &TypedParams, flags: c_uint) -> Result<(), LibvirtError> {
    let (list, len) = params.as_raw();
    // SAFETY: the domain is valid and the connection open; the list lives until the call is over, and has `len` parameters.
    let moved = unsafe { sys::virDomainMigrate3(domain.as_ptr(), destination.as_ptr(), list, len as c_uint, flags) };
    if moved.is_null() {
        return Err(LibvirtError::last());
    }
    // SAFETY: the domain at the destination is the caller's to free, and this is the only pointer to it.
    unsafe { sys::virDomainFree(moved) };
    Ok(())
}

/// Peer-to-peer: the source's daemon calls the destination's.
fn peer_to_peer(
    domain: &Domain,
    plan: &MigrationPlan,
    params: &TypedParams,
    flags: c_uint,
) -> Result<(), LibvirtError> {
    let destination = CString::new(uri::daemon(&plan.destination.peer_transport)).map_err(virt::error::Error::from)?;
    let (list, len) = params.as_raw();
    // SAFETY: the domain is valid; destination and list live until the call is over, and the list has `len` parameters.
    let result =
        unsafe { sys::virDomainMigrateToURI3(domain.as_ptr(), destination.as_ptr(), list, len as c_uint, flags) };
    if result < 0 { Err(LibvirtError::last()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use model::ControlFlow;

    use super::*;
    use crate::connection;

    /// The `test` driver can't migrate; its error names the call that it lacks.
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
