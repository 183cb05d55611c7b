//! The devices in a VM's definition that tie it to its host, except disks.

use engine::{Folder, Interface, Tpm};
use roxmltree::Node;

use crate::xml;

/// Network interfaces, by what they need on the host.
pub(super) fn interfaces(devices: Node<'_, '_>) -> Vec<Interface> {
    xml::children(devices, "interface").map(interface).collect()
}

fn interface(node: Node<'_, '_>) -> Interface {
    let kind = node.attribute("type").unwrap_or_default();
    let source = |attribute| xml::attribute(node, &["source"], attribute).unwrap_or_default().to_owned();
    match kind {
        "network" => Interface::Network { name: source("network") },
        "bridge" => Interface::Bridge { name: source("bridge") },
        "direct" => Interface::Direct { device: source("dev") },
        // passt takes a device of the host, or forwards from one.
        "user" if !source("dev").is_empty() => Interface::Direct { device: source("dev") },
        "user" => match xml::attribute(node, &["portForward"], "dev") {
            Some(device) => Interface::Direct { device: device.to_owned() },
            None => Interface::Independent,
        },
        // QEMU unplugs it during the migration.
        "hostdev" if is_unplugged_to_move(node) => Interface::Independent,
        "hostdev" | "vdpa" | "vhostuser" => Interface::HostDevice { kind: kind.to_owned() },
        _ => Interface::Independent,
    }
}

/// Devices of the host that are passed through to the VM, in words: USB devices, and others.
pub(super) fn host_devices(devices: Node<'_, '_>) -> (Vec<String>, Vec<String>) {
    let staying = xml::children(devices, "hostdev").filter(|node| !is_unplugged_to_move(*node));
    let (usb, others): (Vec<_>, Vec<_>) = staying.partition(|node| node.attribute("type") == Some("usb"));
    let named = |nodes: Vec<Node<'_, '_>>| nodes.into_iter().map(host_device).collect();
    (named(usb), named(others))
}

/// Whether a device is the transient one of a pair (`<teaming>`), which is unplugged during a migration while the persistent one
/// keeps the guest on the network.
fn is_unplugged_to_move(node: Node<'_, '_>) -> bool {
    xml::attribute(node, &["teaming"], "type") == Some("transient")
}

fn host_device(node: Node<'_, '_>) -> String {
    let kind = node.attribute("type").unwrap_or_default();
    let Some(source) = xml::find(node, &["source"]) else { return kind.to_owned() };
    let named = match kind {
        "pci" => pci(source),
        "usb" => usb(source),
        "mdev" => xml::attribute(source, &["address"], "uuid").map(|uuid| format!("mediated device {uuid}")),
        "scsi" => scsi(source),
        "scsi_host" => source.attribute("wwpn").map(|wwpn| format!("SCSI host {wwpn}")),
        _ => None,
    };
    named.unwrap_or_else(|| kind.to_owned())
}

fn pci(source: Node<'_, '_>) -> Option<String> {
    let part = |name| hexadecimal(xml::attribute(source, &["address"], name)?);
    let (domain, bus, slot, function) = (part("domain")?, part("bus")?, part("slot")?, part("function")?);
    Some(format!("PCI {domain:04x}:{bus:02x}:{slot:02x}.{function:x}"))
}

fn usb(source: Node<'_, '_>) -> Option<String> {
    let id = |name| hexadecimal(xml::attribute(source, &[name], "id")?);
    if let (Some(vendor), Some(product)) = (id("vendor"), id("product")) {
        return Some(format!("USB {vendor:04x}:{product:04x}"));
    }
    let part = |name| xml::attribute(source, &["address"], name);
    Some(format!("USB bus {} device {}", part("bus")?, part("device")?))
}

fn scsi(source: Node<'_, '_>) -> Option<String> {
    if let Some(name) = source.attribute("name") {
        return Some(format!("SCSI {name}"));
    }
    let adapter = xml::attribute(source, &["adapter"], "name")?;
    let part = |name| xml::attribute(source, &["address"], name);
    Some(format!("SCSI {adapter} {}:{}:{}", part("bus")?, part("target")?, part("unit")?))
}

/// Reads a number as libvirt writes it, such as `0x03`.
fn hexadecimal(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

/// Names of shared memory devices that libvirt refuses to migrate: all but those with the role `master`, which moves the memory
/// (`qemuMigrationSrcIsAllowed`).
pub(super) fn shared_memory(devices: Node<'_, '_>) -> Vec<String> {
    xml::children(devices, "shmem")
        .filter(|shmem| shmem.attribute("role") != Some("master"))
        .map(|shmem| shmem.attribute("name").unwrap_or_default().to_owned())
        .collect()
}

/// The host's folders that are shared with the guest: by virtiofs, and by 9p.
pub(super) fn shared_folders(devices: Node<'_, '_>) -> (Vec<Folder>, Vec<Folder>) {
    let is_virtiofs = |folder: &Node<'_, '_>| xml::attribute(*folder, &["driver"], "type") == Some("virtiofs");
    let (virtiofs, plan9): (Vec<_>, Vec<_>) = xml::children(devices, "filesystem").partition(is_virtiofs);
    let folder = |node| Folder {
        name: xml::attribute(node, &["target"], "dir").unwrap_or_default().to_owned(),
        path: xml::attribute(node, &["source"], "dir").map(str::to_owned),
    };
    (virtiofs.into_iter().map(folder).collect(), plan9.into_iter().map(folder).collect())
}

/// The TPM. VMs with two TPMs exist on other architectures only, where one is a proxy for the other.
pub(super) fn tpm(devices: Node<'_, '_>) -> Option<Tpm> {
    match xml::attribute(devices, &["tpm", "backend"], "type")? {
        "passthrough" => Some(Tpm::Passthrough),
        "external" => Some(Tpm::External),
        _ => Some(Tpm::Emulator),
    }
}

/// Where an emulated TPM keeps its state, if the definition says so.
pub(super) fn tpm_state(devices: Node<'_, '_>) -> Option<String> {
    xml::attribute(devices, &["tpm", "backend", "source"], "path").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(xml: &str, read: fn(Node<'_, '_>) -> T) -> T {
        let text = format!("<devices>{xml}</devices>");
        read(xml::parse(&text).unwrap().root_element())
    }

    #[test]
    fn interfaces_are_classified_by_what_they_need() {
        let read = |xml| with(xml, interfaces).remove(0);
        let network = "<interface type='network'><source network='default' portid='x' bridge='virbr0'/></interface>";
        assert_eq!(read(network), Interface::Network { name: "default".to_owned() });
        let bridge = "<interface type='bridge'><source bridge='br0'/></interface>";
        assert_eq!(read(bridge), Interface::Bridge { name: "br0".to_owned() });
        let direct = "<interface type='direct'><source dev='eth0' mode='bridge'/></interface>";
        assert_eq!(read(direct), Interface::Direct { device: "eth0".to_owned() });
        for kind in ["hostdev", "vdpa", "vhostuser"] {
            let xml = format!("<interface type='{kind}'><source dev='/dev/x'/></interface>");
            assert_eq!(with(&xml, interfaces), [Interface::HostDevice { kind: kind.to_owned() }]);
        }
        for kind in ["user", "ethernet", "internal", "mcast", "null"] {
            assert_eq!(with(&format!("<interface type='{kind}'/>"), interfaces), [Interface::Independent]);
        }
        let teamed = "<interface type='hostdev'><teaming type='transient' persistent='ua-net0'/></interface>";
        assert_eq!(read(teamed), Interface::Independent);
    }

    #[test]
    fn host_devices_have_names() {
        let read = |kind: &str, source: &str| {
            let xml = format!("<hostdev mode='subsystem' type='{kind}'><source>{source}</source></hostdev>");
            let (usb, others) = with(&xml, host_devices);
            [usb, others].concat().remove(0)
        };
        let pci = "<address domain='0x0000' bus='0x03' slot='0x1f' function='0x7'/>";
        assert_eq!(read("pci", pci), "PCI 0000:03:1f.7");
        assert_eq!(read("usb", "<vendor id='0x046d'/><product id='0xc077'/>"), "USB 046d:c077");
        assert_eq!(read("usb", "<address bus='1' device='4'/>"), "USB bus 1 device 4");
        let mdev = "<address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/>";
        assert_eq!(read("mdev", mdev), "mediated device c2177883-f1bb-47f0-914d-32a22e3a8804");
        let scsi = "<adapter name='scsi_host0'/><address bus='0' target='1' unit='2'/>";
        assert_eq!(read("scsi", scsi), "SCSI scsi_host0 0:1:2");
        assert_eq!(read("pci", "<address bus='what'/>"), "pci");
        let whole = "<hostdev type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>";
        assert_eq!(with(whole, host_devices).1, ["SCSI host naa.5123456789abcde0"]);
        let both = "<hostdev type='usb'/><hostdev type='pci'/>";
        assert_eq!(with(both, host_devices), (vec!["usb".to_owned()], vec!["pci".to_owned()]));
        let teamed = "<hostdev type='pci'><source/><teaming type='transient' persistent='ua-net0'/></hostdev>";
        assert_eq!(with(teamed, host_devices), (Vec::new(), Vec::new()));
    }

    #[test]
    fn shared_memory_with_the_role_master_is_not_listed() {
        let xml = "<shmem name='own' role='master'/><shmem name='other' role='peer'/><shmem name='unsaid'/>";
        assert_eq!(with(xml, shared_memory), ["other", "unsaid"]);
    }

    #[test]
    fn folders_and_tpms_are_found() {
        let xml =
            "<filesystem type='mount'><driver type='virtiofs'/><source dir='/srv'/><target dir='data'/></filesystem>";
        let folder = |name: &str| Folder { name: name.to_owned(), path: Some("/srv".to_owned()) };
        assert_eq!(with(xml, shared_folders), (vec![folder("data")], Vec::new()));
        let by_9p = "<filesystem type='mount'><source dir='/srv'/><target dir='old'/></filesystem>";
        assert_eq!(with(by_9p, shared_folders), (Vec::new(), vec![folder("old")]));
        let by_program = "<filesystem><driver type='virtiofs'/><source socket='/s'/><target dir='far'/></filesystem>";
        assert_eq!(with(by_program, shared_folders).0, [Folder { name: "far".to_owned(), path: None }]);
        let read = |kind: &str| with(&format!("<tpm model='tpm-crb'><backend type='{kind}'/></tpm>"), tpm);
        assert_eq!(read("emulator"), Some(Tpm::Emulator));
        assert_eq!(read("passthrough"), Some(Tpm::Passthrough));
        assert_eq!(read("external"), Some(Tpm::External));
        assert_eq!(with("", tpm), None);
        let kept = "<tpm><backend type='emulator'><source type='dir' path='/shared/tpm'/></backend></tpm>";
        assert_eq!(with(kept, tpm_state).as_deref(), Some("/shared/tpm"));
    }
}
