//! Files of the host beside disks, in which a guest keeps contents.

use engine::{KeptFile, KeptIn};
use roxmltree::Node;

use crate::xml;

/// Where QEMU puts shared memory that no server provides (`qemuBuildShmemBackendMemProps`).
const SHARED_MEMORY: &str = "/dev/shm";

/// The files behind persistent memory, pstore and shared memory.
pub(super) fn files(domain: Node<'_, '_>) -> Vec<KeptFile> {
    let Some(devices) = xml::find(domain, &["devices"]) else { return Vec::new() };
    let memory = xml::children(devices, "memory").filter_map(|memory| {
        let kind = match memory.attribute("model")? {
            "nvdimm" if is_mapped_shared(domain, memory) => KeptIn::Nvdimm,
            "nvdimm" => KeptIn::PrivateNvdimm,
            "virtio-pmem" => KeptIn::VirtioPmem,
            _ => return None,
        };
        Some(KeptFile { path: xml::text(memory, &["source", "path"])?.to_owned(), kind })
    });
    let pstore = xml::text(devices, &["pstore", "path"]);
    let pstore = pstore.map(|path| KeptFile { path: path.to_owned(), kind: KeptIn::Pstore });
    let shared = xml::children(devices, "shmem").filter(|shmem| xml::find(*shmem, &["server"]).is_none());
    let shared = shared.filter_map(|shmem| {
        let path = format!("{SHARED_MEMORY}/{}", shmem.attribute("name")?);
        Some(KeptFile { path, kind: KeptIn::SharedMemory })
    });
    memory.chain(pstore).chain(shared).collect()
}

/// Whether what the guest writes to an NVDIMM reaches its file: by its own setting, else that of its NUMA node, else that of all memory
/// (`qemuBuildMemoryBackendProps`).
fn is_mapped_shared(domain: Node<'_, '_>, memory: Node<'_, '_>) -> bool {
    let node = xml::text(memory, &["target", "node"]);
    let of_node = || {
        let mut cells = xml::children(xml::find(domain, &["cpu", "numa"])?, "cell");
        cells.find(|cell| cell.attribute("id") == node)?.attribute("memAccess")
    };
    let of_all = || xml::attribute(domain, &["memoryBacking", "access"], "mode");
    memory.attribute("access").or_else(of_node).or_else(of_all) == Some("shared")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(elements: &str, devices: &str) -> Vec<KeptFile> {
        let text = format!("<domain>{elements}<devices>{devices}</devices></domain>");
        files(xml::parse(&text).unwrap().root_element())
    }

    #[test]
    fn an_nvdimm_is_mapped_as_it_says_or_its_node_or_all_memory() {
        let kind = |elements: &str, access: &str| {
            let source = "<source><path>/pm/a b</path></source><target><node>1</node></target>";
            let mut found = with(elements, &format!("<memory model='nvdimm' {access}>{source}</memory>"));
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].path, "/pm/a b");
            found.remove(0).kind
        };
        let node = |access| format!("<cpu><numa><cell id='0'/><cell id='1' memAccess='{access}'/></numa></cpu>");
        let all = "<memoryBacking><access mode='shared'/></memoryBacking>";
        assert_eq!(kind("", ""), KeptIn::PrivateNvdimm);
        assert_eq!(kind("", "access='shared'"), KeptIn::Nvdimm);
        assert_eq!(kind(&node("shared"), ""), KeptIn::Nvdimm);
        assert_eq!(kind(all, ""), KeptIn::Nvdimm);
        assert_eq!(kind(&format!("{}{all}", node("private")), ""), KeptIn::PrivateNvdimm);
        assert_eq!(kind(all, "access='private'"), KeptIn::PrivateNvdimm);
    }

    #[test]
    fn every_device_that_keeps_contents_in_a_file_is_listed() {
        let found = with(
            "",
            "<memory model='dimm'/><memory model='virtio-pmem'><source><path>/pm/b</path></source></memory>\
             <pstore backend='acpi-erst'><path>/pm/c</path></pstore><shmem name='ring' role='master'/>\
             <shmem name='served'><server path='/run/served'/></shmem>",
        );
        let kept = |path: &str, kind| KeptFile { path: path.to_owned(), kind };
        let expected = [
            kept("/pm/b", KeptIn::VirtioPmem),
            kept("/pm/c", KeptIn::Pstore),
            kept("/dev/shm/ring", KeptIn::SharedMemory),
        ];
        assert_eq!(found, expected);
        assert_eq!(with("", ""), []);
    }
}
