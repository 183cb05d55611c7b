//! Whether a host can migrate by RDMA.

use virt::sys;

use crate::{connection::Connection, error::LibvirtError, xml};

/// Whether a network device of the host supports RDMA.
pub(super) fn offered(connection: &Connection) -> Result<bool, LibvirtError> {
    for device in connection.list_all_node_devices(sys::VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET)? {
        // Unplugged meanwhile.
        let Some(description) = connection.known(device.xml_desc(0).map_err(LibvirtError::from))? else { continue };
        if has_rdma(&description)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_rdma(device: &str) -> Result<bool, LibvirtError> {
    let document = xml::parse(device)?;
    let mut capabilities = xml::children(document.root_element(), "capability");
    Ok(capabilities.any(|capability| {
        xml::children(capability, "feature").any(|feature| feature.attribute("name") == Some("rdma"))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_says_what_it_offers() {
        let device = |features: &str| {
            format!(
                "<device><name>net_eth0</name><capability type='net'><interface>eth0</interface>{features}\
                 <capability type='80203'/></capability></device>"
            )
        };
        assert!(has_rdma(&device("<feature name='rx'/><feature name='rdma'/>")).unwrap());
        assert!(!has_rdma(&device("<feature name='rx'/>")).unwrap());
        assert!(!has_rdma(&device("")).unwrap());
    }
}
