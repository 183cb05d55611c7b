//! A host's networks and network devices.

use engine::Network;
use virt::sys;

use crate::{error::LibvirtError, link::Link};

/// All libvirt networks, with their state.
pub(super) fn networks(link: &Link) -> Result<Vec<Network>, LibvirtError> {
    let mut told = Vec::new();
    for network in link.list_all_networks(0)? {
        match network.is_active().map_err(LibvirtError::from) {
            Ok(active) => told.push(Network { name: network.name()?, active }),
            // Removed meanwhile.
            Err(error) if error.number == sys::VIR_ERR_NO_NETWORK => {}
            Err(error) => return Err(error),
        }
    }
    Ok(told)
}

/// All network devices of the host (bridges too), by name.
pub(super) fn devices(link: &Link) -> Result<Vec<String>, LibvirtError> {
    let devices = link.list_all_interfaces(0)?;
    devices.iter().map(|device| Ok(device.name()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::testing;

    #[test]
    fn networks_have_a_state() {
        let link = testing::link();
        let defined = link.define_network_xml("<network><name>still</name></network>").unwrap();
        let found = networks(&link).unwrap();
        assert!(found.contains(&Network { name: "default".to_owned(), active: true }));
        assert!(found.contains(&Network { name: "still".to_owned(), active: false }));
        defined.undefine().unwrap();
    }

    #[test]
    fn devices_have_names() {
        assert!(devices(&testing::link()).unwrap().contains(&"eth1".to_owned()));
    }
}
