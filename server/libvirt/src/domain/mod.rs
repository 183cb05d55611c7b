//! libvirt's domains: their state, actions on them, and their jobs.

pub(crate) mod actions;
pub(crate) mod activity;
pub(crate) mod copies;
pub(crate) mod guest;
pub(crate) mod jobs;
pub(crate) mod media;
pub(crate) mod reasons;
pub(crate) mod usage;

use model::VmId;
use virt::{domain::Domain, sys};

use crate::{connection::Connection, error::LibvirtError};

/// The domain of this VM on a host, if there is one.
pub(crate) fn find(connection: &Connection, vm: VmId) -> Result<Option<Domain>, LibvirtError> {
    if_there(connection.lookup_domain_by_uuid(vm.0).map_err(LibvirtError::from))
}

/// Turns the error "no such domain" into none.
pub(crate) fn if_there<T>(result: Result<T, LibvirtError>) -> Result<Option<T>, LibvirtError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.number == sys::VIR_ERR_NO_DOMAIN => Ok(None),
        Err(error) => Err(error),
    }
}
