//! The disks in a VM's definition, and the secrets that they need.

use std::net::IpAddr;

use engine::{Disk, DiskDevice, DiskSource, SecretUse};
use roxmltree::Node;

use crate::xml;

/// Disks, CD-ROM and floppy drives. Their sizes, which a definition does not have, are 0.
pub(super) fn disks(devices: Node<'_, '_>) -> Vec<Disk> {
    xml::children(devices, "disk").map(disk).collect()
}

fn disk(node: Node<'_, '_>) -> Disk {
    let device = match node.attribute("device") {
        Some("cdrom") => DiskDevice::Cdrom,
        Some("floppy") => DiskDevice::Floppy,
        Some("lun") => DiskDevice::Lun,
        _ => DiskDevice::Disk,
    };
    let is_marked = |name| xml::find(node, &[name]).is_some();
    Disk {
        target: target(node),
        device,
        source: source(node),
        format: xml::attribute(node, &["driver"], "type").unwrap_or("raw").to_owned(),
        read_only: is_marked("readonly") || device == DiskDevice::Cdrom,
        shareable: is_marked("shareable"),
        transient: is_marked("transient"),
        capacity_bytes: 0,
        allocation_bytes: 0,
        has_backing: has_backing(node),
        has_data_file_or_slice: has_data_file_or_slice(node),
        extras: None,
        optional: matches!(xml::attribute(node, &["source"], "startupPolicy"), Some("optional" | "requisite")),
    }
}

fn target(disk: Node<'_, '_>) -> String {
    xml::attribute(disk, &["target"], "dev").unwrap_or_default().to_owned()
}

fn source(disk: Node<'_, '_>) -> DiskSource {
    let kind = disk.attribute("type").unwrap_or_default();
    let Some(source) = xml::find(disk, &["source"]) else { return DiskSource::Empty };
    let named = |attribute| source.attribute(attribute).map(str::to_owned);
    let known = match kind {
        "file" => named("file").map(|path| DiskSource::File { path }),
        "block" => named("dev").map(|path| DiskSource::Block { path }),
        "volume" => named("pool").zip(named("volume")).map(|(pool, volume)| DiskSource::Volume { pool, volume }),
        "network" => named("protocol").map(|protocol| DiskSource::Network {
            protocol,
            name: network_name(source),
            is_local: xml::children(source, "host").any(is_local),
        }),
        _ => Some(DiskSource::Other { kind: kind.to_owned() }),
    };
    known.unwrap_or(DiskSource::Empty)
}

/// The first server and the name there, as far as the definition has them.
fn network_name(source: Node<'_, '_>) -> String {
    let server = xml::find(source, &["host"]).and_then(|host| match (host.attribute("name"), host.attribute("port")) {
        (Some(name), Some(port)) => Some(format!("{name}:{port}")),
        (Some(name), None) => Some(name.to_owned()),
        _ => host.attribute("socket").map(str::to_owned),
    });
    let name = source.attribute("name").map(|name| name.trim_start_matches('/').to_owned());
    [server, name].into_iter().flatten().collect::<Vec<_>>().join("/")
}

/// Whether a server is addressed as the host itself, which is another server on every host.
fn is_local(server: Node<'_, '_>) -> bool {
    let is_loopback = |name: &str| {
        let by_ip = name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        by_ip || name.eq_ignore_ascii_case("localhost")
    };
    server.attribute("socket").is_some() || server.attribute("name").is_some_and(is_loopback)
}

/// An empty `<backingStore/>` ends a backing chain; without the element, the chain is not known.
fn has_backing(disk: Node<'_, '_>) -> bool {
    xml::find(disk, &["backingStore"]).is_some_and(|store| store.has_children())
}

/// The formats of the images below the disks, each with its disk's target.
pub(super) fn backing_formats(devices: Node<'_, '_>) -> Vec<(String, String)> {
    let of_disk = |disk: Node<'_, '_>| {
        let below = disk.descendants().filter(|node| node.has_tag_name("backingStore"));
        let formats = below.filter_map(|store| xml::attribute(store, &["format"], "type"));
        formats.map(|format| (target(disk), format.to_owned())).collect::<Vec<_>>()
    };
    xml::children(devices, "disk").flat_map(of_disk).collect()
}

fn has_data_file_or_slice(disk: Node<'_, '_>) -> bool {
    let is_there = |path: &[&'static str]| xml::find(disk, path).is_some();
    is_there(&["source", "dataStore"]) || is_there(&["source", "slices", "slice"])
}

/// The secrets that disks need, to log in or to decrypt.
pub(super) fn secrets(devices: Node<'_, '_>) -> Vec<SecretUse> {
    xml::children(devices, "disk").flat_map(secrets_of).collect()
}

fn secrets_of(disk: Node<'_, '_>) -> Vec<SecretUse> {
    let secrets = disk.descendants().filter(|node| node.has_tag_name("secret"));
    let told = secrets.map(|secret| SecretUse {
        target: target(disk),
        uuid: secret.attribute("uuid").and_then(|uuid| uuid.parse().ok()),
        usage: secret.attribute("usage").map(str::to_owned),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(xml: &str, read: fn(Node<'_, '_>) -> T) -> T {
        let text = format!("<devices>{xml}</devices>");
        read(xml::parse(&text).unwrap().root_element())
    }

    fn source_of(kind: &str, source: &str) -> DiskSource {
        let xml = format!("<disk type='{kind}' device='disk'>{source}<target dev='vda'/></disk>");
        with(&xml, disks).remove(0).source
    }

    #[test]
    fn sources_are_told_apart() {
        let owned = str::to_owned;
        assert_eq!(source_of("file", "<source file='/a b'/>"), DiskSource::File { path: owned("/a b") });
        assert_eq!(source_of("block", "<source dev='/dev/sdb'/>"), DiskSource::Block { path: owned("/dev/sdb") });
        let volume = DiskSource::Volume { pool: owned("images"), volume: owned("a.raw") };
        assert_eq!(source_of("volume", "<source pool='images' volume='a.raw'/>"), volume);
        assert_eq!(source_of("nvme", "<source type='pci'/>"), DiskSource::Other { kind: owned("nvme") });
        for nothing in ["", "<source/>", "<source startupPolicy='optional'/>"] {
            assert_eq!(source_of("file", nothing), DiskSource::Empty);
        }
    }

    #[test]
    fn network_disks_have_names_for_people() {
        let read = |source: &str| match source_of("network", source) {
            DiskSource::Network { protocol, name, .. } => format!("{protocol} {name}"),
            other => panic!("{other:?}"),
        };
        let nbd = "<source protocol='nbd' name='shop'><host name='192.0.2.1' port='10809'/></source>";
        assert_eq!(read(nbd), "nbd 192.0.2.1:10809/shop");
        let nfs = "<source protocol='nfs' name='/export/a.qcow2'><host name='store'/></source>";
        assert_eq!(read(nfs), "nfs store/export/a.qcow2");
        assert_eq!(read("<source protocol='rbd' name='rbd/image'/>"), "rbd rbd/image");
        let socket = "<source protocol='nbd'><host transport='unix' socket='/run/nbd'/></source>";
        assert_eq!(read(socket), "nbd /run/nbd");
    }

    #[test]
    fn a_server_on_the_host_itself_is_another_one_elsewhere() {
        let is_local = |server: &str| {
            let source = format!("<source protocol='nbd' name='a'>{server}</source>");
            matches!(source_of("network", &source), DiskSource::Network { is_local: true, .. })
        };
        for server in ["transport='unix' socket='/run/nbd'", "name='localhost'", "name='127.0.0.1'", "name='::1'"] {
            assert!(is_local(&format!("<host {server}/>")), "{server}");
        }
        for server in ["name='192.0.2.1'", "name='localhost.example.org'"] {
            assert!(!is_local(&format!("<host {server}/>")), "{server}");
        }
        assert!(!is_local(""));
    }

    #[test]
    fn marks_are_read() {
        let read = |xml| with(xml, disks).remove(0);
        let plain = read("<disk type='file'><source file='/a'/><target dev='vda'/></disk>");
        let expected = Disk {
            target: "vda".to_owned(),
            device: DiskDevice::Disk,
            source: DiskSource::File { path: "/a".to_owned() },
            format: "raw".to_owned(),
            read_only: false,
            shareable: false,
            transient: false,
            capacity_bytes: 0,
            allocation_bytes: 0,
            has_backing: false,
            has_data_file_or_slice: false,
            extras: None,
            optional: false,
        };
        assert_eq!(plain, expected);
        let marked = read("<disk><driver type='qcow2'/><target dev='a'/><readonly/><shareable/><transient/></disk>");
        assert!(marked.read_only && marked.shareable && marked.transient);
        assert_eq!(marked.format, "qcow2");
        assert!(read("<disk device='cdrom'/>").read_only);
        assert!(!read("<disk device='floppy'/>").read_only);
        for (policy, optional) in [("optional", true), ("requisite", true), ("mandatory", false)] {
            let disk = format!("<disk><source startupPolicy='{policy}'/></disk>");
            assert_eq!(with(&disk, disks)[0].optional, optional);
        }
    }

    #[test]
    fn images_that_are_not_one_whole_file_are_known() {
        let read = |inner: &str| {
            let xml = format!("<disk type='file'><source file='/a'>{inner}</source><target dev='vda'/></disk>");
            with(&xml, disks).remove(0).has_data_file_or_slice
        };
        assert!(read("<dataStore type='file'><format type='raw'/><source file='/a.data'/></dataStore>"));
        assert!(read("<slices><slice type='storage' offset='12345' size='123'/></slices>"));
        assert!(!read("") && !read("<slices/>") && !read("<seclabel model='dac' relabel='no'/>"));
    }

    #[test]
    fn only_backing_with_content_counts() {
        let xml = "<disk><target dev='vda'/><backingStore type='file' index='5'><format type='qcow2'/><backingStore/>\
                   </backingStore></disk><disk><target dev='vdb'/><backingStore/></disk><disk><target dev='vdc'/></disk>";
        let backing = with(xml, disks).into_iter().map(|disk| disk.has_backing);
        assert_eq!(backing.collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(with(xml, backing_formats), [("vda".to_owned(), "qcow2".to_owned())]);
    }

    #[test]
    fn secrets_are_found_wherever_libvirt_writes_them() {
        let uuid = "fec7f7ee-4a9a-4ae4-9d9f-0f1d4f5c7e21";
        let xml = format!(
            "<disk><source file='/a'><encryption format='luks'><secret type='passphrase' uuid='{uuid}'/></encryption>\
             </source><target dev='vda'/></disk><disk><auth username='admin'><secret type='ceph' usage='ceph admin'/></auth>\
             <target dev='vdb'/></disk><disk><target dev='vdc'/></disk>"
        );
        let expected = [
            SecretUse { target: "vda".to_owned(), uuid: Some(uuid.parse().unwrap()), usage: None },
            SecretUse { target: "vdb".to_owned(), uuid: None, usage: Some("ceph admin".to_owned()) },
        ];
        assert_eq!(with(&xml, secrets), expected);
    }
}
