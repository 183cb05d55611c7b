//! The facts of a host: its identity, versions, CPUs and memory.

use std::{
    ffi::CStr,
    ptr,
    time::{Duration, Instant},
};

use engine::HostFacts;
use uuid::Uuid;
use virt::sys;

use crate::{connection::Connection, error::LibvirtError, ffi::typed_params::is_named, xml};

/// The facts that never change while the host is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    uuid: Uuid,
    cpu_model: Option<String>,
}

/// The host's identity. The first call makes the daemon probe each installed QEMU, which takes seconds.
pub(crate) fn identity(connection: &Connection) -> Result<Identity, LibvirtError> {
    identity_in(&connection.capabilities()?)
}

/// All facts, of which the identity is known already.
pub(crate) fn facts(connection: &Connection, identity: Identity) -> Result<HostFacts, LibvirtError> {
    let asked = Instant::now();
    let libvirt_version = version(connection.lib_version()?);
    let latency = asked.elapsed();
    let memory = memory(connection)?;
    Ok(HostFacts {
        uuid: identity.uuid,
        cpu_model: identity.cpu_model,
        cpus: connection.node_info()?.cpus,
        memory_bytes: memory.total,
        memory_free_bytes: memory.free,
        libvirt_version,
        hypervisor_version: version(connection.hyp_version()?),
        latency_ms: rounded_ms(latency),
    })
}

/// A host's memory, in bytes.
pub(super) struct Memory {
    pub(super) total: u64,
    /// Used by nothing.
    pub(super) unused: Option<u64>,
    /// Free, or can be freed at once.
    pub(super) free: u64,
}

/// The memory of the host.
pub(super) fn memory(connection: &Connection) -> Result<Memory, LibvirtError> {
    let stats = memory_stats(connection)?;
    let bytes = |name| kib(&stats, name).map(|kib| kib * 1024);
    Ok(Memory {
        // From the same source as the free memory: libvirt's node info may differ, for example in a container.
        total: bytes(sys::VIR_NODE_MEMORY_STATS_TOTAL).unwrap_or(0),
        unused: bytes(sys::VIR_NODE_MEMORY_STATS_FREE),
        free: available_kib(&stats) * 1024,
    })
}

/// Memory that is free or can be freed at once, in bytes.
pub(crate) fn memory_free_bytes(connection: &Connection) -> Result<u64, LibvirtError> {
    Ok(available_kib(&memory_stats(connection)?) * 1024)
}

/// The identity in the XML of the host's capabilities.
fn identity_in(capabilities: &str) -> Result<Identity, LibvirtError> {
    let document = xml::parse(capabilities)?;
    let uuid = xml::text(document.root_element(), &["host", "uuid"]).and_then(|uuid| uuid.parse().ok());
    Ok(Identity {
        uuid: uuid.ok_or_else(|| LibvirtError::unusable("the host's capabilities have no UUID"))?,
        cpu_model: xml::text(document.root_element(), &["host", "cpu", "model"]).map(str::to_owned),
    })
}

/// The nearest whole number of milliseconds, but at least 1.
fn rounded_ms(time: Duration) -> u32 {
    u32::try_from((time.as_micros() + 500) / 1000).unwrap_or(u32::MAX).max(1)
}

/// A version in words from libvirt's number: 11003000 is 11.3.0.
fn version(number: u32) -> String {
    format!("{}.{}.{}", number / 1_000_000, number / 1_000 % 1_000, number % 1_000)
}

/// Memory that is free or can be freed at once, in KiB. libvirt's "free" does not count caches, which are most of it. "available",
/// the kernel's own estimate, is reported by its newest versions only.
fn available_kib(stats: &[sys::virNodeMemoryStats]) -> u64 {
    kib(stats, sys::VIR_NODE_MEMORY_STATS_AVAILABLE).unwrap_or_else(|| {
        [sys::VIR_NODE_MEMORY_STATS_FREE, sys::VIR_NODE_MEMORY_STATS_BUFFERS, sys::VIR_NODE_MEMORY_STATS_CACHED]
            .into_iter()
            .filter_map(|name| kib(stats, name))
            .sum()
    })
}

fn kib(stats: &[sys::virNodeMemoryStats], name: &CStr) -> Option<u64> {
    stats.iter().find(|stat| is_named(&stat.field, name)).map(|stat| stat.value)
}

const EMPTY: sys::virNodeMemoryStats =
    sys::virNodeMemoryStats { field: [0; sys::VIR_NODE_MEMORY_STATS_FIELD_LENGTH as usize], value: 0 };

/// Memory of the whole host, in KiB.
fn memory_stats(connection: &Connection) -> Result<Vec<sys::virNodeMemoryStats>, LibvirtError> {
    let all = sys::VIR_NODE_MEMORY_STATS_ALL_CELLS;
    let mut len = 0;
    // SAFETY: the connection is open; with NULL for the list, libvirt returns the length that it needs.
    if unsafe { sys::virNodeGetMemoryStats(connection.as_ptr(), all, ptr::null_mut(), &mut len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    let mut stats = vec![EMPTY; usize::try_from(len).unwrap_or(0)];
    // SAFETY: the list has the length `len` that libvirt returned.
    if unsafe { sys::virNodeGetMemoryStats(connection.as_ptr(), all, stats.as_mut_ptr(), &mut len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    Ok(stats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_and_cpu_are_those_of_the_host() {
        let xml = |cpu: &str| {
            format!(
                "<capabilities><guest><uuid>not this</uuid><cpu><model>not this</model></cpu></guest>\
                 <host><uuid>00000001-1111-4222-8333-444455556666</uuid>{cpu}</host></capabilities>"
            )
        };
        let found = identity_in(&xml("<cpu><arch>x86_64</arch><model>EPYC-Rome</model></cpu>")).unwrap();
        assert_eq!(found.uuid.to_string(), "00000001-1111-4222-8333-444455556666");
        assert_eq!(found.cpu_model.as_deref(), Some("EPYC-Rome"));
        assert_eq!(identity_in(&xml("<cpu/>")).unwrap().cpu_model, None);
        for wrong in
            ["", "<capabilities/>", "<capabilities><host/></capabilities>", "<capabilities><host><uuid>x</uuid>"]
        {
            assert!(identity_in(wrong).is_err());
        }
    }

    #[test]
    fn time_is_rounded_but_never_to_zero() {
        let rounded = |micros| rounded_ms(Duration::from_micros(micros));
        assert_eq!([0, 499, 1_499, 1_500, 20_000].map(rounded), [1, 1, 1, 2, 20]);
        assert_eq!(rounded_ms(Duration::MAX), u32::MAX);
    }

    #[test]
    fn caches_count_as_available() {
        let stat = |name: &CStr, value| {
            let mut stat = EMPTY;
            for (place, &byte) in stat.field.iter_mut().zip(name.to_bytes()) {
                *place = byte as std::ffi::c_char;
            }
            stat.value = value;
            stat
        };
        let mut stats = vec![
            stat(sys::VIR_NODE_MEMORY_STATS_TOTAL, 1_000),
            stat(sys::VIR_NODE_MEMORY_STATS_FREE, 100),
            stat(sys::VIR_NODE_MEMORY_STATS_BUFFERS, 20),
            stat(sys::VIR_NODE_MEMORY_STATS_CACHED, 300),
        ];
        assert_eq!(available_kib(&stats), 420);
        stats.push(stat(sys::VIR_NODE_MEMORY_STATS_AVAILABLE, 380));
        assert_eq!(available_kib(&stats), 380);
    }

    #[test]
    fn versions_read_well() {
        assert_eq!(version(11_003_000), "11.3.0");
        assert_eq!(version(10_000_002), "10.0.2");
    }
}
