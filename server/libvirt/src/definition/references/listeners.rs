//! Addresses and ports that QEMU listens on.

use engine::{FileUsage, HostReferences, ListenProtocol, Listener};
use roxmltree::Node;

use super::files::file;
use crate::xml;

/// The addresses, ports and sockets of VNC, SPICE and the like.
pub(super) fn graphics(node: Node<'_, '_>, found: &mut HostReferences) {
    let purpose = node.attribute("type").unwrap_or("graphics");
    if ["egl-headless", "dbus"].contains(&purpose) {
        found.qemu_drivers.insert(format!("the display {purpose}"));
    }
    let screen = node.attribute("display").map(|_| "/tmp/.X11-unix");
    let bus = node.attribute("address").map(|address| address.trim_start_matches("unix:path="));
    let other = screen.or(bus).and_then(|path| file(purpose, path, FileUsage::Served));
    found.files.extend(other);
    let listens: Vec<_> = xml::children(node, "listen").collect();
    let kind = listens.first().and_then(|listen| listen.attribute("type"));
    if kind == Some("none") || !["vnc", "spice", "rdp"].contains(&purpose) {
        return;
    }
    let socket = listens.iter().find_map(|listen| listen.attribute("socket")).or_else(|| node.attribute("socket"));
    found.files.extend(socket.and_then(|path| file(format!("socket of {purpose}"), path, FileUsage::Made)));
    if kind == Some("socket") || socket.is_some() {
        return;
    }
    if let Some(network) = listens.iter().find_map(|listen| listen.attribute("network")) {
        found.listen_networks.insert(network.to_owned());
    }
    let by_network = kind == Some("network");
    let address = listens.iter().find_map(|listen| listen.attribute("address")).or_else(|| node.attribute("listen"));
    let address = address.filter(|_| !by_network).map(str::to_owned);
    let is_automatic = node.attribute("autoport") == Some("yes");
    // A websocket's port that libvirt chose goes along as if it were fixed.
    for (attribute, is_automatic) in [("port", is_automatic), ("tlsPort", is_automatic), ("websocket", false)] {
        let port = node.attribute(attribute).and_then(|port| port.parse().ok()).filter(|port| *port != 0);
        if port.is_some() || (attribute == "port" && address.is_some()) {
            let (purpose, address) = (purpose.to_owned(), address.clone());
            let protocol = ListenProtocol::Graphics;
            found.listeners.push(Listener { purpose, address, port, is_automatic, protocol });
        }
    }
}

pub(super) fn listener(
    purpose: &str,
    address: Option<&str>,
    port: Option<&str>,
    protocol: ListenProtocol,
) -> Option<Listener> {
    let port: Option<u16> = port.and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    (address.is_some() || port.is_some()).then(|| Listener {
        purpose: purpose.to_owned(),
        address: address.map(str::to_owned),
        port,
        is_automatic: false,
        protocol,
    })
}
