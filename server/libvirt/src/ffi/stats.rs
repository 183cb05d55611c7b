//! Statistics of one domain by group (`virDomainListGetStats`).

use std::ptr;

use virt::{domain::Domain, sys};

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
}
