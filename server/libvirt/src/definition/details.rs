//! What is shown of one VM, of its definition and of what libvirt reports beside it.

use engine::{DiskDevice, DiskSource, DomainFacts, Folder, Tpm};
use model::{VmDisk, VmFacts, VmId, VmInterface};
use roxmltree::Node;
use virt::{domain::Domain, sys};

use super::{read, sizes, tags};
use crate::{
    connection::Connection,
    domain::copies,
    error::LibvirtError,
    storage::{pool_source, volumes},
    xml,
};

/// The name of the guest agent's channel.
const AGENT: &str = "org.qemu.guest_agent.0";

/// What is shown of this VM.
pub(crate) fn details(connection: &Connection, vm: VmId) -> Result<VmFacts, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    let copy = copies::copy(&domain)?;
    // Without disks it is one of which libvirt can't be asked more now without blocking for 30 s.
    let Some(text) = copy.disks.is_some().then(|| shown(&domain)).transpose()? else {
        return Ok(VmFacts { incomplete: true, ..outline(vm, copy) });
    };
    let mut facts = described(&text, outline(vm, copy))?;
    facts.autostart = connection.known(domain.autostart().map_err(LibvirtError::from))?;
    facts.snapshots = connection.known(domain.num_snapshots(0).map_err(LibvirtError::from))?;
    let is_active = facts.state.has_process();
    let sizes = connection.known(sizes::sizes(&domain, is_active))?.unwrap_or_default();
    for disk in &mut facts.disks {
        if let Some(size) = sizes.iter().find(|size| size.target == disk.target) {
            disk.capacity_bytes = Some(size.capacity_bytes).filter(|bytes| *bytes > 0);
            disk.allocation_bytes = disk.capacity_bytes.map(|_| size.allocation_bytes);
        }
        connection.known(add_pool(connection, disk))?;
    }
    if is_active {
        add_addresses(connection, &domain, &mut facts.interfaces)?;
    }
    Ok(facts)
}

/// The definition as libvirt shows it, the live one if the VM runs. Without passwords.
///
/// # Errors
/// Of an incoming copy, which is not asked.
pub(crate) fn definition(connection: &Connection, vm: VmId) -> Result<String, LibvirtError> {
    let domain = connection.lookup_domain_by_uuid(vm.0)?;
    if copies::copy(&domain)?.disks.is_none() {
        return Err(LibvirtError {
            number: sys::VIR_ERR_OPERATION_INVALID,
            ..LibvirtError::unusable("a migration brings the domain")
        });
    }
    shown(&domain)
}

fn shown(domain: &Domain) -> Result<String, LibvirtError> {
    Ok(domain.xml_desc(0)?)
}

/// What is known without a definition.
fn outline(vm: VmId, copy: engine::CopyFacts) -> VmFacts {
    VmFacts {
        id: vm,
        name: copy.name,
        state: copy.state,
        title: copy.title,
        description: None,
        tags: copy.tags,
        persistent: copy.persistent,
        autostart: None,
        vcpus: copy.vcpus,
        vcpus_max: copy.vcpus_max,
        memory_now_bytes: copy.memory_now_bytes,
        memory_bytes: copy.memory_bytes,
        cpu: None,
        arch: String::new(),
        machine: String::new(),
        virt_type: String::new(),
        firmware: None,
        disks: Vec::new(),
        interfaces: Vec::new(),
        bound_to_host: Vec::new(),
        snapshots: None,
        agent_connected: false,
        incomplete: false,
    }
}

/// Adds what the definition says.
fn described(text: &str, outline: VmFacts) -> Result<VmFacts, LibvirtError> {
    let facts = read(text, outline.id)?;
    let document = xml::parse(text)?;
    let root = document.root_element();
    let devices = xml::find(root, &["devices"]);
    Ok(VmFacts {
        title: xml::text(root, &["title"]).map(str::to_owned),
        description: xml::text(root, &["description"]).map(str::to_owned),
        tags: tags(root),
        cpu: xml::find(root, &["cpu"]).and_then(cpu),
        bound_to_host: bound_to_host(&facts),
        disks: facts.disks.iter().map(disk).collect(),
        interfaces: devices
            .map(|devices| xml::children(devices, "interface").map(interface).collect())
            .unwrap_or_default(),
        agent_connected: devices.is_some_and(has_agent),
        arch: facts.arch,
        machine: facts.machine,
        virt_type: facts.virt_type,
        firmware: facts.firmware,
        ..outline
    })
}

/// Mode and model, as far as they are named.
fn cpu(cpu: Node<'_, '_>) -> Option<String> {
    let words = [cpu.attribute("mode"), xml::text(cpu, &["model"])];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Whether libvirt sees an agent in the guest.
fn has_agent(devices: Node<'_, '_>) -> bool {
    xml::children(devices, "channel").any(|channel| {
        let target = |name| xml::attribute(channel, &["target"], name);
        target("name") == Some(AGENT) && target("state") == Some("connected")
    })
}

fn disk(disk: &engine::Disk) -> VmDisk {
    let device = match disk.device {
        DiskDevice::Disk => "disk",
        DiskDevice::Cdrom => "cdrom",
        DiskDevice::Floppy => "floppy",
        DiskDevice::Lun => "lun",
    };
    let mut shown = VmDisk {
        target: disk.target.clone(),
        device: device.to_owned(),
        format: disk.format.clone(),
        read_only: disk.read_only,
        ..VmDisk::default()
    };
    match &disk.source {
        DiskSource::Empty => {}
        DiskSource::File { path } | DiskSource::Block { path } => shown.source = Some(path.clone()),
        DiskSource::Network { protocol, name, is_local } => {
            shown.source = Some(format!("{protocol}:{name}"));
            shown.shared = (!is_local).then(|| format!("QEMU reaches it over the network ({protocol})"));
        }
        DiskSource::Volume { pool, volume } => {
            shown.source = Some(format!("{pool}/{volume}"));
            (shown.pool, shown.volume) = (Some(pool.clone()), Some(volume.clone()));
        }
        DiskSource::Other { kind } => shown.source = Some(kind.clone()),
    }
    shown
}

/// Adds the pool that the disk is in, and whether that comes from where others can have it, too.
fn add_pool(connection: &Connection, disk: &mut VmDisk) -> Result<(), LibvirtError> {
    let path = disk.source.as_deref().filter(|source| source.starts_with('/'));
    if let (None, Some(path)) = (&disk.pool, path)
        && let Some((pool, volume)) = volumes::named_at(connection, path)?
    {
        (disk.pool, disk.volume) = (Some(pool), Some(volume));
    }
    let Some(pool) = &disk.pool else { return Ok(()) };
    let text = connection.lookup_storage_pool_by_name(pool)?.xml_desc(0)?;
    if pool_source::is_shared(&text)? {
        let document = xml::parse(&text)?;
        let kind = document.root_element().attribute("type").unwrap_or_default();
        disk.shared = Some(format!("its pool {pool} comes from the network ({kind})"));
    }
    Ok(())
}

fn interface(node: Node<'_, '_>) -> VmInterface {
    let kind = node.attribute("type").unwrap_or_default();
    let source = ["network", "bridge", "dev", "path"].iter().find_map(|name| xml::attribute(node, &["source"], name));
    VmInterface {
        mac: xml::attribute(node, &["mac"], "address").map(str::to_owned),
        model: xml::attribute(node, &["model"], "type").map(str::to_owned),
        kind: kind.to_owned(),
        source: source.map(str::to_owned),
        target: xml::attribute(node, &["target"], "dev").map(str::to_owned),
        link_up: xml::attribute(node, &["link"], "state") != Some("down"),
        addresses: Vec::new(),
        seen_addresses: Vec::new(),
    }
}

/// Adds the addresses that networks of the host have given out, and that the host has seen: the guest is not asked.
fn add_addresses(connection: &Connection, domain: &Domain, interfaces: &mut [VmInterface]) -> Result<(), LibvirtError> {
    let mut add = |source, add: fn(&mut VmInterface) -> &mut Vec<String>| {
        let found = domain.interface_addresses(source, 0).map_err(LibvirtError::from);
        for one in connection.known(found)?.unwrap_or_default() {
            let is_its = |interface: &&mut VmInterface| interface.mac.is_some() && interface.mac == one.hwaddr;
            if let Some(interface) = interfaces.iter_mut().find(is_its) {
                add(interface).extend(one.addrs.into_iter().map(|address| address.addr));
            }
        }
        Ok::<(), LibvirtError>(())
    };
    add(sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, |interface| &mut interface.addresses)?;
    add(sys::VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP, |interface| &mut interface.seen_addresses)
}

/// What keeps a VM on its host, or needs the same there, beside disks and networks.
fn bound_to_host(facts: &DomainFacts) -> Vec<String> {
    let folder = |by: &str, folder: &Folder| match &folder.path {
        Some(path) => format!("folder {path} ({by})"),
        None => format!("folder {} ({by})", folder.name),
    };
    let mut bound: Vec<String> = facts.host_devices.iter().chain(&facts.usb_devices).cloned().collect();
    bound.extend(facts.shared_memory.iter().map(|name| format!("shared memory {name}")));
    bound.extend(facts.shared_folders.iter().map(|one| folder("virtiofs", one)));
    bound.extend(facts.plan9_folders.iter().map(|one| folder("9p", one)));
    bound.extend(facts.kept_files.iter().map(|file| format!("file {}", file.path)));
    bound.extend((facts.tpm == Some(Tpm::Passthrough)).then(|| "the host's TPM".to_owned()));
    bound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::testing, domain};

    const SAMPLE: &str = include_str!("sample.xml");

    fn sample() -> VmFacts {
        let connection = testing::connection();
        let vm = testing::define(&connection, "outlined");
        let domain = domain::find(&connection, vm).unwrap().unwrap();
        let copy = copies::copy(&domain).unwrap();
        domain.undefine().unwrap();
        described(SAMPLE, outline(vm, copy)).unwrap()
    }

    #[test]
    fn a_desktop_is_shown_with_what_ties_it_to_its_host() {
        let facts = sample();
        let disks: Vec<_> = facts.disks.iter().map(|disk| (disk.target.as_str(), disk.source.as_deref())).collect();
        let expected = [
            ("vda", Some("/var/lib/libvirt/images/desktop.qcow2")),
            ("vdb", Some("/dev/vg0/data")),
            ("vdc", Some("rbd:mon1.example.org:6789/vms/desktop")),
            ("sda", Some("/srv/iso/debian.iso")),
            ("fda", None),
        ];
        assert_eq!(disks, expected);
        assert!(facts.disks[2].shared.is_some() && facts.disks[0].shared.is_none());
        let sources: Vec<_> = facts.interfaces.iter().map(|one| (one.kind.as_str(), one.source.as_deref())).collect();
        assert_eq!(sources, [("network", Some("default")), ("bridge", Some("br0"))]);
        let bound = [
            "PCI 0000:03:00.1",
            "shared memory looking-glass",
            "folder /srv/share (virtiofs)",
            "file /dev/shm/looking-glass",
        ];
        assert_eq!(facts.bound_to_host, bound);
        assert!(facts.cpu.is_some_and(|cpu| cpu.starts_with("custom, ")));
        assert_eq!(facts.firmware.as_deref(), Some("/usr/share/OVMF/OVMF_CODE_4M.ms.fd"));
    }

    #[test]
    fn an_agent_counts_once_it_is_connected() {
        let connected = |state: &str| {
            let text = format!(
                "<devices><channel type='unix'><target type='virtio' name='{AGENT}' {state}/></channel></devices>"
            );
            has_agent(xml::parse(&text).unwrap().root_element())
        };
        assert!(connected("state='connected'"));
        assert!(!connected("state='disconnected'") && !connected(""));
    }

    #[test]
    fn a_link_that_is_down_is_told() {
        let link = |xml: &str| interface(xml::parse(xml).unwrap().root_element());
        let down = "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><target dev='vnet3'/>\
                    <model type='virtio'/><link state='down'/></interface>";
        let expected = VmInterface {
            mac: Some("52:54:00:00:00:01".to_owned()),
            model: Some("virtio".to_owned()),
            kind: "bridge".to_owned(),
            source: Some("br0".to_owned()),
            target: Some("vnet3".to_owned()),
            link_up: false,
            addresses: Vec::new(),
            seen_addresses: Vec::new(),
        };
        assert_eq!(link(down), expected);
        assert!(link("<interface type='user'/>").link_up);
    }

    #[test]
    fn a_vm_is_shown_whether_it_runs_or_not() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "shown");
        let domain = domain::find(&connection, vm).unwrap().unwrap();
        for is_running in [false, true] {
            if is_running {
                domain.create().unwrap();
            }
            let facts = details(&connection, vm).unwrap();
            assert_eq!((facts.name.as_str(), facts.vcpus, facts.memory_bytes), ("shown", 2, 64 << 20));
            assert_eq!((facts.state.is_active(), facts.incomplete), (is_running, false));
            assert!(definition(&connection, vm).unwrap().contains("<name>shown</name>"));
        }
        domain.destroy().unwrap();
    }
}
