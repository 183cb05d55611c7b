//! Statistics of domains by group: of one (`virDomainListGetStats`), and of all that run (`virConnectGetAllDomainStats`).

use std::ptr;

use uuid::Uuid;
use virt::{connect::Connect, domain::Domain, sys};

use super::typed_params::from_libvirt;
use crate::error::LibvirtError;

/// Gets these groups (bits of `virDomainStatsTypes`), and calls `read` with their parameters. libvirt leaves out a group that it
/// can't get, because the domain is off or busy.
pub(crate) fn stats<T>(
    domain: &Domain,
    groups: sys::virDomainStatsTypes,
    read: impl FnOnce(&[sys::virTypedParameter]) -> T,
) -> Result<T, LibvirtError> {
    let mut records = ptr::null_mut();
    // SAFETY: the domain is valid and the list of domains ends with NULL; `records` is a variable for the result.
    let count = unsafe {
        let mut domains = [domain.as_ptr(), ptr::null_mut()];
        sys::virDomainListGetStats(domains.as_mut_ptr(), groups, &mut records, 0)
    };
    if count < 0 {
        return Err(LibvirtError::last());
    }
    let records = Records(records);
    // SAFETY: libvirt returned a list of records that ends with NULL; a record's parameters live as long as the list.
    let figures = unsafe {
        match records.0.as_ref().and_then(|first| first.as_ref()) {
            Some(record) => from_libvirt(record.params, record.nparams),
            None => &[],
        }
    };
    Ok(read(figures))
}

/// Gets these groups of all domains that run, and calls `read` for each. libvirt does not wait for a domain that is busy: it leaves out
/// what it can't get at once.
pub(crate) fn of_active<T>(
    connect: &Connect,
    groups: sys::virDomainStatsTypes,
    read: impl Fn(Uuid, &[sys::virTypedParameter]) -> T,
) -> Result<Vec<T>, LibvirtError> {
    let mut records = ptr::null_mut();
    let flags = sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | sys::VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT;
    // SAFETY: the connection is valid; `records` is a variable for the result.
    let count = unsafe { sys::virConnectGetAllDomainStats(connect.as_ptr(), groups, &mut records, flags) };
    let count = usize::try_from(count).map_err(|_| LibvirtError::last())?;
    let records = Records(records);
    let mut found = Vec::new();
    for index in 0..count {
        // SAFETY: libvirt returned so many records, which live as long as the list.
        let record = unsafe { &**records.0.add(index) };
        let mut uuid = [0; 16];
        // SAFETY: the record's domain is valid; a UUID has 16 bytes (VIR_UUID_BUFLEN).
        if unsafe { sys::virDomainGetUUID(record.dom, uuid.as_mut_ptr()) } < 0 {
            return Err(LibvirtError::last());
        }
        // SAFETY: a record's parameters live as long as the list.
        let figures = unsafe { from_libvirt(record.params, record.nparams) };
        found.push(read(Uuid::from_bytes(uuid), figures));
    }
    Ok(found)
}

/// The records that libvirt allocated; freed even if reading panics.
struct Records(*mut sys::virDomainStatsRecordPtr);

impl Drop for Records {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: libvirt allocated the list, and this is the only pointer to it.
            unsafe { sys::virDomainStatsRecordListFree(self.0) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::testing, domain, ffi::typed_params::number};

    #[test]
    fn figures_are_read() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "with-figures");
        let domain = domain::find(&connection, vm).unwrap().unwrap();
        let state = stats(&domain, sys::VIR_DOMAIN_STATS_STATE, |figures| number(figures, c"state.state")).unwrap();
        assert_eq!(state, Some(u64::from(sys::VIR_DOMAIN_SHUTOFF)));
    }

    #[test]
    fn figures_of_all_that_run_are_read_with_one_call() {
        let connection = testing::connection();
        let (off, runs) = (testing::define(&connection, "all-off"), testing::define(&connection, "all-runs"));
        let domain = domain::find(&connection, runs).unwrap().unwrap();
        domain.create().unwrap();
        let read = |uuid, figures: &[sys::virTypedParameter]| (uuid, number(figures, c"state.state"));
        let found = of_active(&connection, sys::VIR_DOMAIN_STATS_STATE, read).unwrap();
        assert!(found.contains(&(runs.0, Some(u64::from(sys::VIR_DOMAIN_RUNNING)))));
        assert!(!found.iter().any(|(uuid, _)| *uuid == off.0));
        domain.destroy().unwrap();
    }
}
