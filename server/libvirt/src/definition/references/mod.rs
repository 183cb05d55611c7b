//! What a definition names of its host beside disks and networks. `schema.rs` says for every element of libvirt's schema who reads it.

mod files;
mod listeners;

use std::collections::BTreeSet;

use engine::{FileUsage, HostReferences, ListenProtocol};
use roxmltree::Node;

use self::{
    files::{file, files, parent_name},
    listeners::{graphics, listener},
};
use crate::xml;

/// The beginnings of the names that libvirt gives to tap and macvtap devices itself, and gives up when the VM moves.
const GENERATED: [&str; 4] = ["vnet", "vif", "macvtap", "macvlan"];
/// The protocol that every QEMU has a driver for.
const NBD: &str = "nbd";

/// Devices that are character devices, or are connected to one.
const CHARACTER_DEVICES: [&str; 7] = ["serial", "parallel", "console", "channel", "redirdev", "smartcard", "backend"];

/// Everything that a definition names of its host.
pub(crate) fn references(domain: Node<'_, '_>) -> HostReferences {
    let mut found = HostReferences::default();
    for node in domain.descendants().filter(Node::is_element) {
        files(node, &mut found.files);
        pinning(node, &mut found);
        match node.tag_name().name() {
            "graphics" => graphics(node, &mut found),
            "interface" => interface(node, &mut found),
            "source" => source(node, &mut found),
            "cid" if node.attribute("auto") != Some("yes") => {
                found.vsock_cid = node.attribute("address").and_then(|cid| cid.parse().ok());
            }
            "audio" => found.qemu_drivers.extend(driver_for_sound(node)),
            "seclabel" => found.security_models.extend(security_model(node)),
            "commandline" | "override" => found.qemu_arguments |= node.has_children(),
            _ => {}
        }
    }
    found.files.sort();
    found.files.dedup();
    found
}

/// The host's side of sound; silence and files are in every QEMU.
fn driver_for_sound(node: Node<'_, '_>) -> Option<String> {
    let kind = node.attribute("type").filter(|kind| !["none", "file", "spice"].contains(kind))?;
    (parent_name(node) == "devices").then(|| format!("sound by {kind}"))
}

/// The security driver of a label that was given to the VM; one that libvirt makes at each start is that host's.
fn security_model(node: Node<'_, '_>) -> Option<String> {
    let is_fixed = parent_name(node) == "domain" && node.attribute("type") == Some("static");
    node.attribute("model").filter(|model| is_fixed && *model != "none").map(str::to_owned)
}

/// CPUs and nodes. A `vcpu` whose placement is automatic is pinned by libvirt, anew at each start.
fn pinning(node: Node<'_, '_>, found: &mut HostReferences) {
    match (parent_name(node), node.tag_name().name()) {
        ("cputune", "vcpupin" | "emulatorpin" | "iothreadpin") | ("domain", "vcpu")
            if node.attribute("placement") != Some("auto") =>
        {
            found.cpu_sets.extend(node.attribute("cpuset").map(numbers));
        }
        ("numatune", "memory" | "memnode") => {
            found.numa_nodes.extend(node.attribute("nodeset").map(numbers).unwrap_or_default());
        }
        ("source", "nodemask") => found.numa_nodes.extend(node.text().map(numbers).unwrap_or_default()),
        _ => {}
    }
}

/// Reads a set as libvirt writes it: `0-3,^2,8`.
fn numbers(text: &str) -> BTreeSet<u32> {
    let mut set = BTreeSet::new();
    for part in text.split(',').map(str::trim) {
        let (without, part) = part.strip_prefix('^').map_or((false, part), |part| (true, part));
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (Ok(from), Ok(to)) = (from.parse(), to.parse()) else { continue };
        if without {
            set.retain(|number| !(from..=to).contains(number));
        } else {
            set.extend(from..=to);
        }
    }
    set
}

fn interface(node: Node<'_, '_>, found: &mut HostReferences) {
    let attribute = |path: &[&'static str], name: &str| xml::attribute(node, path, name).map(str::to_owned);
    found.network_filters.extend(attribute(&["filterref"], "filter"));
    found.macs.extend(attribute(&["mac"], "address").map(|mac| mac.to_lowercase()));
    let is_generated = |name: &String| GENERATED.iter().any(|begin| name.starts_with(begin));
    let is_managed = attribute(&["target"], "managed").as_deref() != Some("no");
    found.taps.extend(attribute(&["target"], "dev").filter(|name| is_managed && !is_generated(name)));
    for forward in xml::children(node, "portForward") {
        let protocol = match forward.attribute("proto") {
            Some("udp") => ListenProtocol::Udp,
            _ => ListenProtocol::Tcp,
        };
        for range in xml::children(forward, "range") {
            found.listeners.extend(listener(
                "port forward",
                forward.attribute("address"),
                range.attribute("start"),
                protocol,
            ));
        }
    }
}

/// The source of a device: of a character device, of an interface between QEMUs, of a folder, of a disk.
fn source(node: Node<'_, '_>, found: &mut HostReferences) {
    let Some(device) = node.parent_element() else { return };
    let (name, kind) = (device.tag_name().name(), device.attribute("type").unwrap_or_default());
    match name {
        "interface" => interface_source(node, kind, found),
        "filesystem" => {
            let named = |(attribute, usage)| file("filesystem", node.attribute(attribute)?, usage);
            let all = [("dir", FileUsage::Directory), ("file", FileUsage::Read), ("socket", FileUsage::Served)];
            found.files.extend(all.into_iter().filter_map(named));
        }
        "disk" => disk_source(node, kind, found),
        _ if CHARACTER_DEVICES.contains(&name) => character_device(node, device, found),
        _ => {}
    }
}

fn interface_source(node: Node<'_, '_>, kind: &str, found: &mut HostReferences) {
    let listen = |node: Node<'_, '_>, protocol| {
        listener("interface", node.attribute("address"), node.attribute("port"), protocol)
    };
    match kind {
        "server" => found.listeners.extend(listen(node, ListenProtocol::Tcp)),
        "udp" => {
            let local = xml::find(node, &["local"]);
            found.listeners.extend(local.and_then(|local| listen(local, ListenProtocol::Udp)));
        }
        "vhostuser" => found.files.extend(node.attribute("path").and_then(|path| file("interface", path, unix(node)))),
        "vdpa" => found.files.extend(node.attribute("dev").and_then(|path| file("interface", path, FileUsage::Device))),
        _ => {}
    }
}

fn disk_source(node: Node<'_, '_>, kind: &str, found: &mut HostReferences) {
    if kind == "network" {
        let protocol = node.attribute("protocol").filter(|name| *name != NBD);
        found.qemu_drivers.extend(protocol.map(|name| format!("disks by {name}")));
    }
    let sockets =
        node.descendants().filter(|node| node.has_tag_name("host")).filter_map(|host| host.attribute("socket"));
    let vhostuser = node.attribute("path").filter(|_| kind == "vhostuser");
    let managed_here = |node: &Node<'_, '_>| node.attribute("managed") != Some("yes");
    let reservations = xml::find(node, &["reservations"]).filter(managed_here);
    let helper = reservations.and_then(|node| xml::attribute(node, &["source"], "path"));
    let all = sockets.chain(vhostuser).chain(helper);
    found.files.extend(all.filter_map(|path| file("disk", path, FileUsage::Served)));
}

/// Whether QEMU makes a socket or connects to one.
fn unix(source: Node<'_, '_>) -> FileUsage {
    match source.attribute("mode") {
        Some("connect" | "client") | None => FileUsage::Served,
        _ => FileUsage::Made,
    }
}

fn character_device(node: Node<'_, '_>, device: Node<'_, '_>, found: &mut HostReferences) {
    let name = match device.tag_name().name() {
        "backend" => parent_name(device),
        name => name,
    };
    let kind = device.attribute("type").unwrap_or_default();
    let path = node.attribute("path").or_else(|| node.attribute("socket"));
    let usage = match kind {
        "file" => Some(FileUsage::Made),
        "unix" => Some(unix(node)),
        "dev" => Some(FileUsage::Device),
        "pipe" => Some(FileUsage::Served),
        // A TPM that another program runs.
        "external" => Some(FileUsage::Served),
        _ => None,
    };
    found.files.extend(path.zip(usage).and_then(|(path, usage)| file(name, path, usage)));
    let protocol = if kind == "udp" { ListenProtocol::Udp } else { ListenProtocol::Tcp };
    if matches!(kind, "tcp" | "udp") && node.attribute("mode") == Some("bind") {
        found.listeners.extend(listener(name, node.attribute("host"), node.attribute("service"), protocol));
    }
}

#[cfg(test)]
mod tests;
