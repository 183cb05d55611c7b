//! How fast a guest writes to its memory, and how much it has written to its disks.

use std::{
    ffi::{CString, c_int},
    mem::size_of,
};

use model::VmId;
use virt::{domain::Domain, sys};

use super::jobs;
use crate::{
    connection::Connection,
    error::LibvirtError,
    ffi::{stats, typed_params::number},
};

/// How long memory is sampled, in seconds: the least that libvirt accepts.
const SAMPLED_S: c_int = 1;

/// QEMU's error, never translated, if it is measuring already.
const MEASURING: &str = "the dirty rate is already being measured";

/// Starts a measurement of what the guest writes to its memory. If another program has started one, its result is used.
///
/// # Errors
/// libvirt's error if the VM does not run or has a job, or if QEMU or libvirt (before 7.2) can't measure.
pub(crate) fn measure_dirty_rate(connection: &Connection, vm: VmId) -> Result<(), LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    if jobs::is_under_way(&domain)? {
        // libvirt would report this itself, but only after 30 s.
        return Err(LibvirtError {
            number: sys::VIR_ERR_OPERATION_TIMEOUT,
            ..LibvirtError::unusable("the VM has a job")
        });
    }
    // Of QEMU's three modes, the one that also works under emulation and does not slow the guest down.
    let mode = sys::VIR_DOMAIN_DIRTYRATE_MODE_PAGE_SAMPLING;
    // SAFETY: the domain is valid.
    if unsafe { sys::virDomainStartDirtyRateCalc(domain.as_ptr(), SAMPLED_S, mode) } < 0 {
        return unless_measuring(LibvirtError::last());
    }
    Ok(())
}

/// Takes the error that QEMU is measuring already for a success.
fn unless_measuring(error: LibvirtError) -> Result<(), LibvirtError> {
    if error.message.contains(MEASURING) { Ok(()) } else { Err(error) }
}

/// The measured rate, in bytes per second; none until the measurement has ended.
pub(crate) fn dirty_rate(connection: &Connection, vm: VmId) -> Result<Option<u64>, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    stats::stats(&domain, sys::VIR_DOMAIN_STATS_DIRTYRATE, measured)
}

fn measured(figures: &[sys::virTypedParameter]) -> Option<u64> {
    let status = number(figures, sys::VIR_DOMAIN_STATS_DIRTYRATE_CALC_STATUS)?;
    // In MiB/s, despite its name.
    let rate = number(figures, sys::VIR_DOMAIN_STATS_DIRTYRATE_MEGABYTES_PER_SECOND)?;
    (status == u64::from(sys::VIR_DOMAIN_DIRTYRATE_MEASURED)).then_some(rate << 20)
}

/// What the guest has written to these disks since it started, in bytes.
pub(crate) fn disk_writes(connection: &Connection, vm: VmId, targets: &[String]) -> Result<u64, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    let mut written = 0;
    for target in targets {
        written += written_to(&domain, target)?;
    }
    Ok(written)
}

fn written_to(domain: &Domain, target: &str) -> Result<u64, LibvirtError> {
    let target = CString::new(target).map_err(virt::error::Error::from)?;
    let mut stats = sys::virDomainBlockStatsStruct { rd_req: 0, rd_bytes: 0, wr_req: 0, wr_bytes: 0, errs: 0 };
    // SAFETY: the domain is valid, and `stats` has the size that is passed.
    let result = unsafe {
        sys::virDomainBlockStats(
            domain.as_ptr(),
            target.as_ptr(),
            &mut stats,
            size_of::<sys::virDomainBlockStatsStruct>(),
        )
    };
    if result < 0 {
        return Err(LibvirtError::last());
    }
    // -1 means "not known".
    Ok(stats.wr_bytes.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::testing, ffi::typed_params::TypedParams};

    #[test]
    fn a_rate_counts_once_it_is_measured() {
        let rate = |status: sys::virDomainDirtyRateStatus| {
            let mut list = TypedParams::new();
            list.add_u64(sys::VIR_DOMAIN_STATS_DIRTYRATE_CALC_STATUS, status.into()).unwrap();
            list.add_u64(sys::VIR_DOMAIN_STATS_DIRTYRATE_MEGABYTES_PER_SECOND, 39).unwrap();
            measured(list.as_slice())
        };
        assert_eq!(rate(sys::VIR_DOMAIN_DIRTYRATE_MEASURED), Some(39 << 20));
        assert_eq!(rate(sys::VIR_DOMAIN_DIRTYRATE_MEASURING), None);
        assert_eq!(measured(&[]), None);
    }

    #[test]
    fn a_measurement_of_another_program_is_used() {
        let says =
            |words: &str| LibvirtError::unusable(format!("unable to execute QEMU command 'calc-dirty-rate': {words}"));
        assert!(unless_measuring(says("the dirty rate is already being measured.")).is_ok());
        assert!(unless_measuring(says("calc-time is out of range[1, 60].")).is_err());
    }

    #[test]
    fn a_driver_that_can_not_measure_is_an_error() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "not-measured");
        assert!(measure_dirty_rate(&connection, vm).is_err());
        assert!(disk_writes(&connection, vm, &["vda".to_owned()]).is_err());
        assert_eq!(disk_writes(&connection, vm, &[]).unwrap(), 0);
    }
}
