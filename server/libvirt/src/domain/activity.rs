//! How fast a guest writes to its memory, and how much it has written to its disks.

use std::{
    ffi::{CString, c_int},
    mem::size_of,
    time::Duration,
};

use engine::DirtyPoint;
use model::VmId;
use virt::{domain::Domain, sys};

use super::jobs;
use crate::{
    connection::Connection,
    error::LibvirtError,
    ffi::{stats, typed_params::number},
};

/// The periods for which memory is sampled one after the other, in seconds. The first is the least that libvirt accepts.
pub(crate) const PERIODS_S: [u8; 3] = [1, 2, 4];

/// What a guest changes within the first period, in bytes, that needs no other one.
pub(crate) const IDLE: u64 = 1 << 20;

/// QEMU's error, never translated, if it is measuring already.
const MEASURING: &str = "the dirty rate is already being measured";

/// Starts a measurement of what the guest changes of its memory within a period, in seconds. If another program has started one, its result
/// is used.
///
/// # Errors
/// libvirt's error if the VM does not run or has a job, or if QEMU or libvirt (before 7.2) can't measure.
pub(crate) fn measure_dirty_rate(connection: &Connection, vm: VmId, period_s: u8) -> Result<(), LibvirtError> {
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
    if unsafe { sys::virDomainStartDirtyRateCalc(domain.as_ptr(), c_int::from(period_s), mode) } < 0 {
        return unless_measuring(LibvirtError::last());
    }
    Ok(())
}

/// Takes the error that QEMU is measuring already for a success.
fn unless_measuring(error: LibvirtError) -> Result<(), LibvirtError> {
    if error.message.contains(MEASURING) { Ok(()) } else { Err(error) }
}

/// What was measured; none until the measurement has ended.
pub(crate) fn dirtied(connection: &Connection, vm: VmId) -> Result<Option<DirtyPoint>, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    stats::stats(&domain, sys::VIR_DOMAIN_STATS_DIRTYRATE, measured)
}

/// QEMU compares sampled pages with what they were a period before, so that a page that was changed twice counts once: its rate by the
/// period is what was changed.
fn measured(figures: &[sys::virTypedParameter]) -> Option<DirtyPoint> {
    let status = number(figures, sys::VIR_DOMAIN_STATS_DIRTYRATE_CALC_STATUS)?;
    let period_s = number(figures, sys::VIR_DOMAIN_STATS_DIRTYRATE_CALC_PERIOD)?;
    // In MiB/s, despite its name.
    let rate = number(figures, sys::VIR_DOMAIN_STATS_DIRTYRATE_MEGABYTES_PER_SECOND)?;
    // QEMU rounds down.
    let bytes_s = if rate == 0 { 0 } else { (rate << 20) + (1 << 19) };
    let point = DirtyPoint { period_ms: period_s * 1000, bytes: bytes_s * period_s };
    (status == u64::from(sys::VIR_DOMAIN_DIRTYRATE_MEASURED)).then_some(point)
}

/// How long each virtual CPU has executed so far.
pub(crate) fn vcpu_times(connection: &Connection, vm: VmId) -> Result<Vec<Duration>, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    stats::stats(&domain, sys::VIR_DOMAIN_STATS_VCPU, executed)
}

fn executed(figures: &[sys::virTypedParameter]) -> Vec<Duration> {
    let most = number(figures, c"vcpu.maximum").unwrap_or_default();
    let time = |vcpu| CString::new(format!("vcpu.{vcpu}.time")).ok().and_then(|name| number(figures, &name));
    (0..most).map(|vcpu| Duration::from_nanos(time(vcpu).unwrap_or_default())).collect()
}

/// What QEMU has of the host's memory now, in bytes; none of a VM that is off.
pub(crate) fn resident_bytes(domain: &Domain) -> Result<Option<u64>, LibvirtError> {
    stats::stats(domain, sys::VIR_DOMAIN_STATS_BALLOON, |figures| number(figures, c"balloon.rss").map(|kib| kib * 1024))
}

/// The part of the time that the busiest of them executed; none if that is not known.
pub(crate) fn busiest(before: &[Duration], after: &[Duration], elapsed: Duration) -> Option<f64> {
    let executed = before.iter().zip(after).map(|(before, after)| after.saturating_sub(*before)).max()?;
    // Of an emulator that runs all of them in one thread no time is told.
    (!executed.is_zero() && !elapsed.is_zero()).then(|| executed.as_secs_f64() / elapsed.as_secs_f64())
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
        let point = |status: sys::virDomainDirtyRateStatus, rate| {
            let mut list = TypedParams::new();
            list.add_u64(sys::VIR_DOMAIN_STATS_DIRTYRATE_CALC_STATUS, status.into()).unwrap();
            list.add_u64(sys::VIR_DOMAIN_STATS_DIRTYRATE_CALC_PERIOD, 4).unwrap();
            list.add_u64(sys::VIR_DOMAIN_STATS_DIRTYRATE_MEGABYTES_PER_SECOND, rate).unwrap();
            measured(list.as_slice())
        };
        let written = |bytes| Some(DirtyPoint { period_ms: 4000, bytes });
        assert_eq!(point(sys::VIR_DOMAIN_DIRTYRATE_MEASURED, 49), written(198 << 20), "QEMU rounds 49.5 down");
        assert_eq!(point(sys::VIR_DOMAIN_DIRTYRATE_MEASURED, 0), written(0));
        assert_eq!(point(sys::VIR_DOMAIN_DIRTYRATE_MEASURING, 49), None);
        assert_eq!(measured(&[]), None);
    }

    #[test]
    fn the_busiest_cpu_counts() {
        let times = |milliseconds: &[u64]| {
            let mut list = TypedParams::new();
            list.add_u64(c"vcpu.maximum", milliseconds.len() as u64).unwrap();
            for (vcpu, time) in milliseconds.iter().enumerate() {
                list.add_u64(&CString::new(format!("vcpu.{vcpu}.time")).unwrap(), time * 1_000_000).unwrap();
            }
            executed(list.as_slice())
        };
        let second = Duration::from_secs(1);
        assert_eq!(busiest(&times(&[100, 300]), &times(&[200, 800]), second), Some(0.5));
        assert_eq!(busiest(&times(&[100]), &times(&[100]), second), None);
        assert_eq!(busiest(&executed(&[]), &executed(&[]), second), None);
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
        assert!(measure_dirty_rate(&connection, vm, PERIODS_S[0]).is_err());
        assert!(disk_writes(&connection, vm, &["vda".to_owned()]).is_err());
        assert_eq!(disk_writes(&connection, vm, &[]).unwrap(), 0);
    }
}
