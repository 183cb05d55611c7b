//! Files, sockets and device files that have elements or attributes of their own.

use engine::{FileReference, FileUsage};
use roxmltree::Node;

/// Directories in which libvirt makes sockets itself, with the VM's number in their names (`qemuDomainChrDefDropDefaultPath`).
const OWN: [&str; 2] = ["/qemu/channel/", "/qemu/domain-"];
/// Elements whose text is a path that QEMU or libvirt reads: parent and name.
const READ_TEXTS: [(&str, &str); 6] =
    [("os", "kernel"), ("os", "initrd"), ("os", "dtb"), ("os", "shim"), ("acpi", "table"), ("smartcard", "database")];
/// Attributes with a path: element, attribute, what has to be there.
const PATHS: [(&str, &str, FileUsage); 16] = [
    ("binary", "path", FileUsage::Read),
    ("rom", "file", FileUsage::Read),
    ("entry", "file", FileUsage::Read),
    ("script", "path", FileUsage::Read),
    ("downscript", "path", FileUsage::Read),
    ("nvram", "template", FileUsage::Template),
    ("identity", "keyfile", FileUsage::Read),
    ("identity", "agentsock", FileUsage::Served),
    ("knownHosts", "path", FileUsage::Read),
    ("config", "file", FileUsage::Read),
    ("graphics", "xauth", FileUsage::Read),
    ("log", "file", FileUsage::Made),
    ("backend", "logFile", FileUsage::Made),
    ("gl", "rendernode", FileUsage::Device),
    ("acceleration", "rendernode", FileUsage::Device),
    ("server", "path", FileUsage::Served),
];

pub(super) fn parent_name<'a>(node: Node<'a, '_>) -> &'a str {
    node.parent_element().map(|parent| parent.tag_name().name()).unwrap_or_default()
}

/// A reference; none to what is no path, or to what libvirt makes anew wherever the VM starts.
pub(super) fn file(purpose: impl Into<String>, path: &str, usage: FileUsage) -> Option<FileReference> {
    let path = path.trim();
    let is_own = OWN.iter().any(|own| path.contains(own));
    (path.starts_with('/') && !is_own).then(|| FileReference { purpose: purpose.into(), path: path.to_owned(), usage })
}

/// Files in elements of their own.
pub(super) fn files(node: Node<'_, '_>, found: &mut Vec<FileReference>) {
    let (name, parent) = (node.tag_name().name(), parent_name(node));
    if READ_TEXTS.contains(&(parent, name)) {
        found.extend(node.text().and_then(|path| file(format!("{parent} {name}"), path, FileUsage::Read)));
    }
    for (element, attribute, usage) in PATHS {
        if name == element {
            let purpose = format!("{name} of {parent}");
            found.extend(node.attribute(attribute).and_then(|path| file(purpose, path, usage)));
        }
    }
    let device = |path: Option<&str>| path.and_then(|path| file(parent, path, FileUsage::Device));
    match (parent, name) {
        // A random number generator; an EGD backend has an element in it.
        ("rng", "backend") if node.attribute("model") == Some("random") => found.extend(device(node.text())),
        ("input", "source") => found.extend(device(node.attribute("dev").or_else(|| node.attribute("evdev")))),
        ("interface", "backend") => {
            found.extend(["tap", "vhost"].into_iter().filter_map(|attribute| device(node.attribute(attribute))));
        }
        // A disk whose rate is limited, by its device on the host.
        ("device", "path") => found.extend(device(node.text())),
        // QEMU makes the file of a memory device where it is missing.
        ("source", "path") => found.extend(node.text().and_then(|path| file("memory", path, FileUsage::Made))),
        ("pstore", "path") => found.extend(node.text().and_then(|path| file(parent, path, FileUsage::Made))),
        ("devices", "audio") => audio(node, found),
        _ => {}
    }
}

/// The host's side of sound: a file, or devices and sockets by path.
fn audio(node: Node<'_, '_>, found: &mut Vec<FileReference>) {
    found.extend(node.attribute("path").and_then(|path| file("audio", path, FileUsage::Made)));
    let socket = |attribute| node.attribute(attribute).and_then(|path| file("audio", path, FileUsage::Served));
    found.extend(["serverName", "runtimeDir"].into_iter().filter_map(socket));
    for part in node.children().filter(Node::is_element) {
        found.extend(part.attribute("dev").and_then(|path| file("audio", path, FileUsage::Device)));
    }
}
