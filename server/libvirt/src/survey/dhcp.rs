//! Networks that give guests their addresses (libvirt's dnsmasq).

use std::collections::BTreeMap;

use engine::DhcpNetwork;
use virt::sys;

use crate::{connection::Connection, error::LibvirtError, xml};

/// All libvirt networks that give out addresses.
pub(super) fn networks(connection: &Connection) -> Result<Vec<DhcpNetwork>, LibvirtError> {
    let mut found = Vec::new();
    for network in connection.list_all_networks(0)? {
        match network.xml_desc(0).map_err(LibvirtError::from) {
            Ok(definition) => found.extend(read(&definition)?),
            // Removed meanwhile.
            Err(error) if error.number == sys::VIR_ERR_NO_NETWORK => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// A network, if it gives out addresses. Those that it fixes by other marks than a MAC address are left out.
fn read(definition: &str) -> Result<Option<DhcpNetwork>, LibvirtError> {
    let document = xml::parse(definition)?;
    let network = document.root_element();
    let dhcp: Vec<_> = network.descendants().filter(|node| node.has_tag_name("dhcp")).collect();
    let Some(name) = xml::text(network, &["name"]).filter(|_| !dhcp.is_empty()) else { return Ok(None) };
    let hosts = dhcp.iter().flat_map(|dhcp| dhcp.children()).filter(|node| node.has_tag_name("host"));
    let fixed: BTreeMap<String, String> = hosts
        .filter_map(|host| Some((host.attribute("mac")?.to_ascii_lowercase(), host.attribute("ip")?.to_owned())))
        .collect();
    Ok(Some(DhcpNetwork { name: name.to_owned(), fixed }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn fixed_addresses_are_read() {
        let network = |inside: &str| read(&format!("<network><name>lan</name>{inside}</network>")).unwrap();
        assert_eq!(network("<ip address='10.0.0.1' prefix='24'/>"), None);
        let range = "<range start='10.0.0.2' end='10.0.0.9'/>";
        let host = "<host mac='52:54:00:AB:CD:EF' name='web' ip='10.0.0.7'/><host name='other' ip='10.0.0.8'/>";
        let found = network(&format!("<ip address='10.0.0.1' prefix='24'><dhcp>{range}{host}</dhcp></ip>")).unwrap();
        let fixed = [("52:54:00:ab:cd:ef".to_owned(), "10.0.0.7".to_owned())].into();
        assert_eq!(found, DhcpNetwork { name: "lan".to_owned(), fixed });
    }

    #[test]
    fn the_default_network_gives_out_addresses() {
        let found = networks(&testing::connection()).unwrap();
        assert!(found.iter().any(|network| network.name == "default" && network.fixed.is_empty()), "{found:?}");
    }
}
