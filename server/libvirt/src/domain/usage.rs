//! What the VMs of a host have used of it.

use std::ffi::CString;

use engine::Usage;
use model::VmId;
use virt::sys;

use crate::{
    connection::Connection,
    error::LibvirtError,
    ffi::{stats, typed_params::number},
};

/// What all VMs that run have used, with one call. None is waited for: an incoming copy would block it for 30 s.
pub(crate) fn usage(connection: &Connection) -> Result<Vec<Usage>, LibvirtError> {
    let groups = sys::VIR_DOMAIN_STATS_CPU_TOTAL
        | sys::VIR_DOMAIN_STATS_BALLOON
        | sys::VIR_DOMAIN_STATS_INTERFACE
        | sys::VIR_DOMAIN_STATS_BLOCK;
    stats::of_active(connection, groups, |uuid, figures| read(VmId(uuid), figures))
}

fn read(vm: VmId, figures: &[sys::virTypedParameter]) -> Usage {
    Usage {
        vm,
        cpu_time_ns: number(figures, c"cpu.time"),
        memory_bytes: number(figures, c"balloon.rss").map(|kib| kib * 1024),
        disk_bytes: sum(figures, "block", ["rd.bytes", "wr.bytes"]),
        network_bytes: sum(figures, "net", ["rx.bytes", "tx.bytes"]),
    }
}

/// The sum of two counters over all devices of a kind; none if libvirt has left the kind out.
fn sum(figures: &[sys::virTypedParameter], kind: &str, counters: [&str; 2]) -> Option<u64> {
    let named = |name: String| CString::new(name).ok().and_then(|name| number(figures, &name));
    let devices = named(format!("{kind}.count"))?;
    let all = (0..devices).flat_map(|device| counters.map(|counter| named(format!("{kind}.{device}.{counter}"))));
    Some(all.flatten().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::testing, domain, ffi::typed_params::TypedParams};

    #[test]
    fn counters_of_all_devices_are_added() {
        let mut list = TypedParams::new();
        for (name, value) in [
            (c"cpu.time", 5_000),
            (c"balloon.rss", 2),
            (c"block.count", 2),
            (c"block.0.rd.bytes", 1),
            (c"block.0.wr.bytes", 10),
            (c"block.1.rd.bytes", 100),
            (c"net.count", 0),
        ] {
            list.add_u64(name, value).unwrap();
        }
        let vm = VmId(uuid::Uuid::nil());
        let expected = Usage {
            vm,
            cpu_time_ns: Some(5_000),
            memory_bytes: Some(2_048),
            disk_bytes: Some(111),
            network_bytes: Some(0),
        };
        assert_eq!(read(vm, list.as_slice()), expected);
        let nothing = Usage { vm, cpu_time_ns: None, memory_bytes: None, disk_bytes: None, network_bytes: None };
        assert_eq!(read(vm, &[]), nothing);
    }

    #[test]
    fn those_that_run_are_in_the_answer() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "uses");
        let domain = domain::find(&connection, vm).unwrap().unwrap();
        domain.create().unwrap();
        assert!(usage(&connection).unwrap().iter().any(|usage| usage.vm == vm));
        domain.destroy().unwrap();
    }
}
