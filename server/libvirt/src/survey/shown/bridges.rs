//! The host's bridges, which VMs are plugged into.

use std::time::{Duration, Instant};

use model::HostBridge;
use virt::{interface::Interface, sys};

use crate::{connection::Connection, error::LibvirtError, xml};

/// How long they are asked for: each is a question of its own, and a host may have thousands of VLANs. They are unknown then.
const LIMIT: Duration = Duration::from_secs(1);
/// What VMs' ends are called: libvirt's own names, and those of QEMU's helper.
const OF_VMS: [&str; 3] = ["vnet", "macvtap", "tap"];

/// All of them, by name.
pub(super) fn bridges(connection: &Connection) -> Result<Vec<HostBridge>, LibvirtError> {
    let end = Instant::now() + LIMIT;
    let mut found = Vec::new();
    for device in connection.list_all_interfaces(0)? {
        if Instant::now() > end {
            return Err(LibvirtError::unusable("the host has too many network devices to ask for each"));
        }
        if is_of_vm(&device.name()?) {
            continue;
        }
        match one(&device) {
            Ok(bridge) => found.extend(bridge),
            // Removed meanwhile.
            Err(error) if error.number == sys::VIR_ERR_NO_INTERFACE => {}
            Err(error) => return Err(error),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn is_of_vm(name: &str) -> bool {
    OF_VMS.iter().any(|beginning| name.starts_with(beginning))
}

/// A network device, if it is a bridge.
fn one(device: &Interface) -> Result<Option<HostBridge>, LibvirtError> {
    let described = described(&device.xml_desc(0)?)?;
    match described {
        Some(bridge) => Ok(Some(HostBridge { active: device.is_active()?, ..bridge })),
        None => Ok(None),
    }
}

fn described(text: &str) -> Result<Option<HostBridge>, LibvirtError> {
    let document = xml::parse(text)?;
    let root = document.root_element();
    if root.attribute("type") != Some("bridge") {
        return Ok(None);
    }
    let ports = xml::find(root, &["bridge"]).into_iter().flat_map(|bridge| xml::children(bridge, "interface"));
    let ports = ports.filter_map(|port| port.attribute("name")).filter(|name| !is_of_vm(name));
    let name = root.attribute("name").unwrap_or_default().to_owned();
    Ok(Some(HostBridge { name, active: false, ports: ports.map(str::to_owned).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_has_ports_without_the_vms_ends() {
        let bridge = "<interface type='bridge' name='br0'><bridge stp='off'><interface type='ethernet' name='eno1'/>\
                      <interface type='ethernet' name='vnet3'/></bridge></interface>";
        let expected = HostBridge { name: "br0".to_owned(), active: false, ports: vec!["eno1".to_owned()] };
        assert_eq!(described(bridge).unwrap(), Some(expected));
        assert_eq!(described("<interface type='ethernet' name='eno1'/>").unwrap(), None);
    }
}
