//! How long the host's CPUs were busy (`virNodeGetCPUStats`).

use std::{ffi::CStr, ptr};

use engine::CpuTimes;
use virt::sys;

use crate::{connection::Connection, error::LibvirtError, ffi::typed_params::is_named};

const EMPTY: sys::virNodeCPUStats =
    sys::virNodeCPUStats { field: [0; sys::VIR_NODE_CPU_STATS_FIELD_LENGTH as usize], value: 0 };

/// All CPUs together.
pub(crate) fn cpu_times(connection: &Connection) -> Result<CpuTimes, LibvirtError> {
    let all = sys::VIR_NODE_CPU_STATS_ALL_CPUS;
    let mut len = 0;
    // SAFETY: the connection is open; with NULL for the list, libvirt returns the length that it needs.
    if unsafe { sys::virNodeGetCPUStats(connection.as_ptr(), all, ptr::null_mut(), &mut len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    let mut stats = vec![EMPTY; usize::try_from(len).unwrap_or(0)];
    // SAFETY: the list has the length `len` that libvirt returned.
    if unsafe { sys::virNodeGetCPUStats(connection.as_ptr(), all, stats.as_mut_ptr(), &mut len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    Ok(sum(&stats))
}

fn sum(stats: &[sys::virNodeCPUStats]) -> CpuTimes {
    let of = |name: &CStr| stats.iter().find(|stat| is_named(&stat.field, name)).map_or(0, |stat| stat.value);
    let busy_ns = [sys::VIR_NODE_CPU_STATS_KERNEL, sys::VIR_NODE_CPU_STATS_USER].into_iter().map(of).sum();
    let idle: u64 = [sys::VIR_NODE_CPU_STATS_IDLE, sys::VIR_NODE_CPU_STATS_IOWAIT].into_iter().map(of).sum();
    CpuTimes { busy_ns, all_ns: busy_ns + idle }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn waiting_for_disks_is_idle() {
        let stat = |name: &CStr, value| {
            let mut stat = EMPTY;
            for (place, &byte) in stat.field.iter_mut().zip(name.to_bytes()) {
                *place = byte as std::ffi::c_char;
            }
            stat.value = value;
            stat
        };
        let stats = [
            stat(sys::VIR_NODE_CPU_STATS_KERNEL, 1),
            stat(sys::VIR_NODE_CPU_STATS_USER, 10),
            stat(sys::VIR_NODE_CPU_STATS_IDLE, 100),
            stat(sys::VIR_NODE_CPU_STATS_IOWAIT, 1_000),
        ];
        assert_eq!(sum(&stats), CpuTimes { busy_ns: 11, all_ns: 1_111 });
    }

    #[test]
    fn a_driver_that_does_not_say_is_an_error_or_answers() {
        if let Ok(times) = cpu_times(&testing::connection()) {
            assert!(times.busy_ns <= times.all_ns);
        }
    }
}
