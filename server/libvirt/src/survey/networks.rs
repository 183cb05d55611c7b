//! A host's networks and network devices.

use engine::Network;
use virt::sys;

use crate::{connection::Connection, error::LibvirtError};

/// All libvirt networks, and whether each is active.
pub(super) fn networks(connection: &Connection) -> Result<Vec<Network>, LibvirtError> {
    let mut found = Vec::new();
    for network in connection.list_all_networks(0)? {
        match network.is_active().map_err(LibvirtError::from) {
            Ok(active) => found.push(Network { name: network.name()?, active }),
            // Removed meanwhile.
            Err(error) if error.number == sys::VIR_ERR_NO_NETWORK => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// All network devices of the host (bridges too), by name.
pub(super) fn devices(connection: &Connection) -> Result<Vec<String>, LibvirtError> {
    let devices = connection.list_all_interfaces(0)?;
    devices.iter().map(|device| Ok(device.name()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn networks_have_a_state() {
        let connection = testing::connection();
        let defined = connection.define_network_xml("<network><name>still</name></network>").unwrap();
        let found = networks(&connection).unwrap();
        assert!(found.contains(&Network { name: "default".to_owned(), active: true }));
        assert!(found.contains(&Network { name: "still".to_owned(), active: false }));
        defined.undefine().unwrap();
    }

    #[test]
    fn devices_have_names() {
        assert!(devices(&testing::connection()).unwrap().contains(&"eth1".to_owned()));
    }
}
