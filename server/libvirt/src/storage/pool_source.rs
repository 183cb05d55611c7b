//! The source of a storage pool, in a form in which two hosts' pools can be compared.

use roxmltree::Node;

use crate::{error::LibvirtError, xml};

/// The source of a pool's contents, equal on two hosts exactly if they have the same contents; none for pools that are the host's
/// own, and for types whose source has a meaning on that host only.
pub(crate) fn source(kind: &str, source: Node<'_, '_>) -> Option<String> {
    let name = xml::text(source, &["name"]);
    let directory = xml::attribute(source, &["dir"], "path").map(without_slash_at_end);
    let device = xml::attribute(source, &["device"], "path");
    let place = match kind {
        "netfs" => format!("{}{}", one_server(source, "")?, directory?),
        "gluster" => format!("{}/{}{}", one_server(source, "")?, name?, directory.unwrap_or_default()),
        "iscsi" | "iscsi-direct" => format!("{}/{}", one_server(source, "3260")?, device?),
        "rbd" => {
            // All monitors belong to the same cluster, so that their order has no meaning.
            let mut monitors = servers(source, "").collect::<Vec<_>>();
            monitors.sort();
            if monitors.is_empty() {
                return None;
            }
            format!("{}/{}", monitors.join(","), name?)
        }
        _ => return None,
    };
    Some(place)
}

/// Whether a pool with this XML has a source that other hosts can have, too.
pub(crate) fn is_shared(pool: &str) -> Result<bool, LibvirtError> {
    let document = xml::parse(pool)?;
    let pool = document.root_element();
    let kind = pool.attribute("type").unwrap_or_default();
    Ok(xml::find(pool, &["source"]).and_then(|from| source(kind, from)).is_some())
}

/// The servers by name, each with its port if that is not the usual one.
fn servers<'a>(source: Node<'a, '_>, usual_port: &'a str) -> impl Iterator<Item = String> + 'a {
    xml::children(source, "host").filter_map(move |host| {
        let name = host.attribute("name")?.to_ascii_lowercase();
        Some(match host.attribute("port").filter(|port| *port != usual_port) {
            Some(port) => format!("{name}:{port}"),
            None => name,
        })
    })
}

fn one_server(source: Node<'_, '_>, usual_port: &str) -> Option<String> {
    servers(source, usual_port).next()
}

/// `/` itself becomes the empty path.
pub(crate) fn without_slash_at_end(path: &str) -> &str {
    path.trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, inner: &str) -> Option<String> {
        let text = format!("<source>{inner}</source>");
        source(kind, xml::parse(&text).unwrap().root_element())
    }

    #[test]
    fn the_same_export_is_the_same_source() {
        let nfs = of("netfs", "<host name='Store'/><dir path='/export/vms/'/><format type='auto'/>");
        assert_eq!(nfs.as_deref(), Some("store/export/vms"));
        assert_eq!(nfs, of("netfs", "<host name='store'/><dir path='/export/vms'/><format type='nfs'/>"));
        assert_ne!(nfs, of("netfs", "<host name='store'/><dir path='/export'/>"));
        assert_eq!(of("netfs", "<dir path='/export'/>"), None);
    }

    #[test]
    fn the_order_of_monitors_has_no_meaning() {
        let one = of("rbd", "<name>vms</name><host name='mon1' port='6789'/><host name='mon2'/>");
        assert_eq!(one.as_deref(), Some("mon1:6789,mon2/vms"));
        assert_eq!(one, of("rbd", "<name>vms</name><host name='mon2'/><host name='mon1' port='6789'/>"));
        assert_eq!(of("rbd", "<name>vms</name>"), None);
    }

    #[test]
    fn targets_and_volumes_are_sources() {
        let iscsi = "<host name='portal' port='3260'/><device path='iqn.2013-06.example:disks'/>";
        assert_eq!(of("iscsi", iscsi).as_deref(), Some("portal/iqn.2013-06.example:disks"));
        let direct =
            "<host name='portal'/><device path='iqn.2013-06.example:disks'/><initiator><iqn name='x'/></initiator>";
        assert_eq!(of("iscsi-direct", direct), of("iscsi", iscsi));
        let gluster = "<host name='g'/><dir path='/'/><name>volume</name>";
        assert_eq!(of("gluster", gluster).as_deref(), Some("g/volume"));
    }

    #[test]
    fn a_pool_of_the_hosts_own_has_no_shared_source() {
        for kind in ["dir", "fs", "logical", "disk", "scsi", "mpath", "zfs", "vstorage"] {
            assert_eq!(of(kind, "<host name='h'/><dir path='/d'/><device path='/dev/sda'/><name>n</name>"), None);
        }
    }

    #[test]
    fn only_pools_with_a_source_on_the_network_are_shared() {
        assert!(is_shared("<pool type='netfs'><source><host name='s'/><dir path='/e'/></source></pool>").unwrap());
        assert!(!is_shared("<pool type='dir'><target><path>/e</path></target></pool>").unwrap());
    }
}
