//! What a host has of what a VM's definition names: CPUs, NUMA nodes, filters, files, and what its other VMs have taken.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::c_uchar,
    ptr,
    time::{Duration, Instant},
};

use engine::{DomainFacts, FileReference, FileUsage, HostReferences, Neighbour, Provided, StateReason};
use model::VmId;
use virt::{domain::Domain, sys};

use super::directory::Directory;
use crate::{
    connection::Connection,
    definition::references,
    domain::{copies, if_there},
    error::LibvirtError,
    xml,
};

/// How long the definitions of the host's other VMs are read. Each is a question of its own, so that a host with many VMs far away
/// takes longer; what they have taken is unknown then.
const NEIGHBOURS_LIMIT: Duration = Duration::from_secs(2);
/// How long directories are looked into, one after another: libvirt opens each of their files. What is in the others is unknown then.
const DIRECTORIES_LIMIT: Duration = Duration::from_secs(3);
/// How many directories are looked into for a VM.
const DIRECTORIES: usize = 8;
/// Directories without files, in which storage pools have no business.
const NO_FILES: [&str; 3] = ["/dev", "/proc", "/sys"];

/// What the host has of it. What the VM does not name is not asked for.
pub(super) fn provided(connection: &Connection, vm: &DomainFacts) -> Result<Provided, LibvirtError> {
    let references = &vm.references;
    let end = Instant::now() + DIRECTORIES_LIMIT;
    let mut found = Provided { files: files(connection, &paths(vm), end)?, ..Provided::default() };
    if !references.cpu_sets.is_empty() {
        found.cpus = connection.known(cpus(connection))?;
    }
    if !references.numa_nodes.is_empty() {
        found.numa_nodes = connection.known(numa_nodes(connection))?;
    }
    if !references.network_filters.is_empty() {
        found.network_filters = connection.known(network_filters(connection))?;
    }
    if !references.security_models.is_empty() {
        found.security_models = connection.known(security_models(connection))?;
    }
    if takes_something(references) {
        found.neighbours = connection.known(neighbours(connection, vm.vm))?.flatten();
    }
    Ok(found)
}

/// Whether another VM may have what it wants, or show what the host has.
fn takes_something(references: &HostReferences) -> bool {
    let HostReferences { listeners, taps, macs, vsock_cid, qemu_drivers, .. } = references;
    let is_fixed = listeners.iter().any(|listener| listener.fixed_port().is_some());
    is_fixed || vsock_cid.is_some() || [taps, macs, qemu_drivers].iter().any(|set| !set.is_empty())
}

/// The VM's files, its firmware, and that of its UEFI variables if a template is for where it is missing.
fn paths(vm: &DomainFacts) -> Vec<FileReference> {
    let files = &vm.references.files;
    let has_template = files.iter().any(|file| file.usage == FileUsage::Template);
    let more = vm.firmware.iter().chain(vm.nvram.as_ref().filter(|_| has_template));
    let more = more.map(|path| FileReference { purpose: String::new(), path: path.clone(), usage: FileUsage::Read });
    files.iter().cloned().chain(more).collect()
}

/// Whether the required paths exist, as far as that can be seen until `end`: libvirt shows files in storage pools only.
fn files(
    connection: &Connection,
    files: &[FileReference],
    end: Instant,
) -> Result<BTreeMap<String, bool>, LibvirtError> {
    let mut found = BTreeMap::new();
    let is_without_files = |path: &str| NO_FILES.iter().any(|dir| path == *dir || path.starts_with(&format!("{dir}/")));
    let directories: BTreeSet<_> =
        files.iter().map(FileReference::directory).filter(|dir| !is_without_files(dir)).collect();
    for directory in directories.into_iter().take(DIRECTORIES).take_while(|_| Instant::now() < end) {
        let Some(contents) = connection.known(Directory::contents(connection, directory))?.flatten() else { continue };
        for file in files.iter().filter(|file| file.directory() == directory && file.usage != FileUsage::Device) {
            let is_there = match file.usage {
                FileUsage::Read | FileUsage::Template => contents.has(file.name()),
                FileUsage::Directory if !file.name().is_empty() && !contents.has(file.name()) => {
                    // libvirt does not list one that it may not open. Looking into it takes no time: it is not there, or stays closed.
                    let inside = connection.known(Directory::contents(connection, &file.path))?.flatten();
                    let Some(inside) = inside else { continue };
                    inside.exists()
                }
                _ => contents.exists(),
            };
            found.insert(file.required_path().to_owned(), is_there);
        }
    }
    Ok(found)
}

/// The numbers of the CPUs that are online.
fn cpus(connection: &Connection) -> Result<BTreeSet<u32>, LibvirtError> {
    let mut map: *mut c_uchar = ptr::null_mut();
    // SAFETY: the connection is open; libvirt stores an array of its own in `map`, of so many bits as it returns.
    let count = unsafe { sys::virNodeGetCPUMap(connection.as_ptr(), &mut map, ptr::null_mut(), 0) };
    let count = u32::try_from(count).map_err(|_| LibvirtError::last())?;
    // SAFETY: the array has a bit for each CPU, and was not freed yet.
    let bytes = unsafe { std::slice::from_raw_parts(map, count.div_ceil(8) as usize) };
    let is_online = |cpu: &u32| bytes[(cpu / 8) as usize] & (1 << (cpu % 8)) != 0;
    let online = (0..count).filter(is_online).collect();
    // SAFETY: libvirt allocated it for its caller, who has to free it, and it is not used any more.
    unsafe { libc::free(map.cast()) };
    Ok(online)
}

/// The NUMA nodes in the host's capabilities.
fn numa_nodes(connection: &Connection) -> Result<BTreeSet<u32>, LibvirtError> {
    numa_nodes_in(&connection.capabilities()?)
}

fn numa_nodes_in(capabilities: &str) -> Result<BTreeSet<u32>, LibvirtError> {
    let document = xml::parse(capabilities)?;
    let cells = xml::find(document.root_element(), &["host", "topology", "cells"])
        .ok_or_else(|| LibvirtError::unusable("the host's capabilities have no NUMA nodes"))?;
    Ok(xml::children(cells, "cell").filter_map(|cell| cell.attribute("id")?.parse().ok()).collect())
}

/// The security drivers in the host's capabilities.
fn security_models(connection: &Connection) -> Result<BTreeSet<String>, LibvirtError> {
    let capabilities = connection.capabilities()?;
    let document = xml::parse(&capabilities)?;
    let host = xml::find(document.root_element(), &["host"]);
    let models = host.into_iter().flat_map(|host| xml::children(host, "secmodel"));
    Ok(models.filter_map(|model| Some(xml::text(model, &["model"])?.to_owned())).collect())
}

/// All network filters. A daemon without the driver for them has none, and starts no VM that wants one.
fn network_filters(connection: &Connection) -> Result<BTreeSet<String>, LibvirtError> {
    match connection.list_all_nw_filters(0).map_err(LibvirtError::from) {
        Ok(filters) => filters.iter().map(|filter| Ok(filter.name()?)).collect(),
        Err(error) if error.number == sys::VIR_ERR_NO_SUPPORT => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

/// The host's other VMs; none if they are too many to read.
fn neighbours(connection: &Connection, vm: VmId) -> Result<Option<Vec<Neighbour>>, LibvirtError> {
    let end = Instant::now() + NEIGHBOURS_LIMIT;
    let mut found = Vec::new();
    for domain in connection.list_all_domains(0)? {
        if Instant::now() > end {
            return Ok(None);
        }
        found.extend(if_there(neighbour(&domain, vm))?.flatten());
    }
    Ok(Some(found))
}

/// Another VM; none for a copy of the same, and for one that is being received or starting, perhaps for that: nothing may be asked of it.
fn neighbour(domain: &Domain, vm: VmId) -> Result<Option<Neighbour>, LibvirtError> {
    let copy = copies::copy(domain)?;
    if copy.vm == vm || copy.incoming || copy.reason == StateReason::StartingUp {
        return Ok(None);
    }
    let definition = domain.xml_desc(0)?;
    let references = references::references(xml::parse(&definition)?.root_element());
    Ok(Some(Neighbour { name: copy.name, active: copy.state.is_active(), references }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn nodes_are_in_the_capabilities() {
        let cells = "<cells num='2'><cell id='0'><cpus><cpu id='7'/></cpus></cell><cell id='8'/></cells>";
        let xml = format!("<capabilities><host><topology>{cells}</topology></host></capabilities>");
        assert_eq!(numa_nodes_in(&xml).unwrap(), BTreeSet::from([0, 8]));
        assert!(numa_nodes_in("<capabilities><host/></capabilities>").is_err());
    }

    #[test]
    fn a_host_says_what_it_has() {
        let connection = testing::connection();
        assert!(cpus(&connection).unwrap().contains(&0));
        assert!(!numa_nodes(&connection).unwrap().is_empty());
    }

    #[test]
    fn other_vms_are_neighbours() {
        let connection = testing::connection();
        let xml = "<domain type='test'><name>beside</name><memory>65536</memory><os><type>hvm</type></os><devices>\
                   <interface type='network'><mac address='52:54:00:00:be:51'/><source network='default'/></interface>\
                   <graphics type='vnc' port='5999' autoport='no'/></devices></domain>";
        let beside = connection.define_domain_xml(xml).unwrap();
        let uuid = VmId(beside.uuid().unwrap());
        let found = |vm| neighbours(&connection, vm).unwrap().unwrap().into_iter().find(|one| one.name == "beside");
        let neighbour = found(VmId(uuid::Uuid::nil())).unwrap();
        assert!(!neighbour.active && neighbour.references.macs.contains("52:54:00:00:be:51"));
        assert_eq!(neighbour.references.listeners[0].port, Some(5999));
        assert_eq!(found(uuid), None, "it is the VM itself");
        beside.undefine().unwrap();
    }

    #[test]
    fn the_file_that_a_template_is_for_is_looked_for() {
        let file = |usage| FileReference { purpose: String::new(), path: "/t".to_owned(), usage };
        let paths_with = |usage| {
            let references = HostReferences { files: vec![file(usage)], ..HostReferences::default() };
            let vm = DomainFacts { references, nvram: Some("/vars".to_owned()), ..DomainFacts::default() };
            paths(&vm).into_iter().map(|file| file.path).collect::<Vec<_>>()
        };
        assert_eq!(paths_with(FileUsage::Template), ["/t", "/vars"]);
        assert_eq!(paths_with(FileUsage::Read), ["/t"]);
    }

    #[test]
    fn files_in_pools_are_seen() {
        let connection = testing::connection();
        let pool = "<pool type='dir'><name>seen</name><target><path>/srv/seen</path></target></pool>";
        let pool = connection.define_storage_pool_xml(pool, 0).unwrap();
        pool.create(0).unwrap();
        let volume = "<volume><name>kernel</name><capacity>1</capacity></volume>";
        virt::storage_vol::StorageVol::create_xml(&pool, volume, 0).unwrap();
        let file = |path: &str, usage| FileReference { purpose: String::new(), path: path.to_owned(), usage };
        let wanted = [
            file("/srv/seen/kernel", FileUsage::Read),
            file("/srv/seen/initrd", FileUsage::Read),
            file("/srv/seen/log", FileUsage::Made),
            file("/dev/ttyS0", FileUsage::Device),
        ];
        let end = Instant::now() + Duration::from_mins(1);
        assert_eq!(files(&connection, &wanted, Instant::now()).unwrap(), BTreeMap::new(), "there is no time left");
        let found = files(&connection, &wanted, end).unwrap();
        let expected = [("/srv/seen", true), ("/srv/seen/initrd", false), ("/srv/seen/kernel", true)];
        assert_eq!(found, expected.map(|(path, is_there)| (path.to_owned(), is_there)).into());
        // A folder is looked for beside others, and looked into only if it is not seen there. In this driver's pools, all are files, and
        // one that is not active can't be looked into.
        let closed = ["kernel", "folder"].map(|name| {
            let xml =
                format!("<pool type='dir'><name>{name}</name><target><path>/srv/seen/{name}</path></target></pool>");
            connection.define_storage_pool_xml(&xml, 0).unwrap()
        });
        let folders = ["/srv/seen/kernel/", "/srv/seen/folder"].map(|path| file(path, FileUsage::Directory));
        let found = files(&connection, &folders, end).unwrap();
        assert_eq!(found, [("/srv/seen/kernel/".to_owned(), true)].into(), "the other may be there");
        for pool in closed {
            pool.undefine().unwrap();
        }
        pool.destroy().unwrap();
        pool.undefine().unwrap();
    }
}
