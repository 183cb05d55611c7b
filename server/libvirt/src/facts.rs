//! What a host is.

use std::{ffi::CStr, ptr};

use engine::HostFacts;
use uuid::Uuid;
use virt::sys;

use crate::{error::LibvirtError, link::Link, typed_params::is_named};

/// libvirt's UUID of the host. The daemon looks at every QEMU it has when asked for the first time, which takes seconds.
pub(crate) fn uuid(link: &Link) -> Result<Uuid, LibvirtError> {
    let capabilities = link.capabilities()?;
    uuid_in(&capabilities).ok_or_else(|| LibvirtError {
        number: sys::VIR_ERR_XML_ERROR,
        errno: None,
        message: "the host's capabilities have no UUID".to_owned(),
    })
}

/// Everything else, of a host with this UUID.
pub(crate) fn facts(link: &Link, uuid: Uuid) -> Result<HostFacts, LibvirtError> {
    let node = link.node_info()?;
    Ok(HostFacts {
        uuid,
        cpus: node.cpus,
        memory_bytes: node.memory * 1024,
        memory_free_bytes: available_kib(&memory_stats(link)?) * 1024,
        libvirt_version: version(link.lib_version()?),
        hypervisor_version: version(link.hyp_version()?),
    })
}

/// The host's UUID in the XML of its capabilities.
fn uuid_in(capabilities: &str) -> Option<Uuid> {
    let document = roxmltree::Document::parse(capabilities).ok()?;
    let host = document.root_element().children().find(|node| node.has_tag_name("host"))?;
    let uuid = host.children().find(|node| node.has_tag_name("uuid"))?;
    uuid.text()?.trim().parse().ok()
}

/// libvirt's way to write a version as a number: 11003000 is 11.3.0.
fn version(number: u32) -> String {
    format!("{}.{}.{}", number / 1_000_000, number / 1_000 % 1_000, number % 1_000)
}

/// What is free or can be freed at once. libvirt's own "free memory" leaves out caches, and so nearly all of it.
fn available_kib(stats: &[sys::virNodeMemoryStats]) -> u64 {
    let value = |name: &CStr| {
        stats.iter().find(|stat| is_named(&stat.field, name)).map_or(0, |stat| stat.value)
    };
    value(sys::VIR_NODE_MEMORY_STATS_FREE)
        + value(sys::VIR_NODE_MEMORY_STATS_BUFFERS)
        + value(sys::VIR_NODE_MEMORY_STATS_CACHED)
}

/// Memory of the whole host, in KiB.
fn memory_stats(link: &Link) -> Result<Vec<sys::virNodeMemoryStats>, LibvirtError> {
    const EMPTY: sys::virNodeMemoryStats =
        sys::virNodeMemoryStats { field: [0; sys::VIR_NODE_MEMORY_STATS_FIELD_LENGTH as usize], value: 0 };
    let all = sys::VIR_NODE_MEMORY_STATS_ALL_CELLS;
    let mut len = 0;
    // SAFETY: the connection is open; without a list libvirt tells how long it has to be.
    if unsafe { sys::virNodeGetMemoryStats(link.as_ptr(), all, ptr::null_mut(), &mut len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    let mut stats = vec![EMPTY; usize::try_from(len).unwrap_or(0)];
    // SAFETY: the list has `len` places, as libvirt asked for.
    if unsafe { sys::virNodeGetMemoryStats(link.as_ptr(), all, stats.as_mut_ptr(), &mut len, 0) } < 0 {
        return Err(LibvirtError::last());
    }
    Ok(stats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uuid_is_the_hosts() {
        let xml = "<capabilities><guest><uuid>not this</uuid></guest>\
                   <host><uuid>00000001-1111-4222-8333-444455556666</uuid><cpu/></host></capabilities>";
        assert_eq!(uuid_in(xml).unwrap().to_string(), "00000001-1111-4222-8333-444455556666");
        for wrong in ["", "<capabilities/>", "<capabilities><host/></capabilities>", "<capabilities><host><uuid>x</uuid>"] {
            assert_eq!(uuid_in(wrong), None);
        }
    }

    #[test]
    fn versions_read_well() {
        assert_eq!(version(11_003_000), "11.3.0");
        assert_eq!(version(10_000_002), "10.0.2");
    }
}
