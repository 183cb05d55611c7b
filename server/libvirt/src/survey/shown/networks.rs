//! libvirt's networks.

use model::HostNetwork;
use roxmltree::Node;
use virt::{network::Network, sys};

use crate::{connection::Connection, error::LibvirtError, xml};

/// All of them, by name.
pub(super) fn networks(connection: &Connection) -> Result<Vec<HostNetwork>, LibvirtError> {
    let mut found = Vec::new();
    for network in connection.list_all_networks(0)? {
        match one(connection, &network) {
            Ok(network) => found.push(network),
            // Removed meanwhile.
            Err(error) if error.number == sys::VIR_ERR_NO_NETWORK => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn one(connection: &Connection, network: &Network) -> Result<HostNetwork, LibvirtError> {
    let described = described(&network.xml_desc(0)?)?;
    Ok(HostNetwork {
        active: network.is_active()?,
        autostart: connection.known(network.autostart().map_err(LibvirtError::from))?,
        ..described
    })
}

/// What its definition says.
fn described(text: &str) -> Result<HostNetwork, LibvirtError> {
    let document = xml::parse(text)?;
    let root = document.root_element();
    let forward = xml::find(root, &["forward"]).map(|forward| forward.attribute("mode").unwrap_or("nat").to_owned());
    Ok(HostNetwork {
        name: xml::text(root, &["name"]).unwrap_or_default().to_owned(),
        forward,
        bridge: xml::attribute(root, &["bridge"], "name").map(str::to_owned),
        addresses: xml::children(root, "ip").filter_map(address).collect(),
        dhcp: root.descendants().any(|node| node.has_tag_name("dhcp")),
        ..HostNetwork::default()
    })
}

/// The host's address in a network; without a prefix or a mask it is one of a class of old, which only the host knows.
fn address(ip: Node<'_, '_>) -> Option<String> {
    let address = ip.attribute("address")?;
    let of_mask = || {
        let mask: std::net::Ipv4Addr = ip.attribute("netmask")?.parse().ok()?;
        Some(mask.to_bits().leading_ones().to_string())
    };
    let prefix = ip.attribute("prefix").map(str::to_owned).or_else(of_mask);
    Some(prefix.map_or_else(|| address.to_owned(), |prefix| format!("{address}/{prefix}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_say_where_they_lead() {
        let network = |inside: &str| described(&format!("<network><name>lan</name>{inside}</network>")).unwrap();
        let nat = network(
            "<forward mode='nat'/><bridge name='virbr3' stp='on'/>
             <ip address='192.0.2.1' netmask='255.255.255.0'><dhcp><range start='192.0.2.2' end='192.0.2.9'/></dhcp></ip>
             <ip family='ipv6' address='2001:db8::1' prefix='64'/>",
        );
        assert_eq!(
            (nat.name.as_str(), nat.forward.as_deref(), nat.bridge.as_deref()),
            ("lan", Some("nat"), Some("virbr3"))
        );
        assert_eq!((nat.addresses, nat.dhcp), (vec!["192.0.2.1/24".to_owned(), "2001:db8::1/64".to_owned()], true));
        let isolated = network("<bridge name='virbr4'/>");
        assert_eq!((isolated.forward, isolated.dhcp), (None, false));
        assert_eq!(network("<forward/>").forward.as_deref(), Some("nat"), "libvirt's default");
    }
}
