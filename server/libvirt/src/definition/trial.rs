//! The definition for a trial at the destination, which starts nothing (`virConnectDomainXMLToNative`).

use roxmltree::Node;

use crate::{
    error::LibvirtError,
    xml::{self, splice::Changes},
};

/// Devices that the trial would open, such as network interfaces and TPMs of the host, or that libvirt looks for at a real start
/// only, such as USB devices. Other findings cover them.
const NOT_TRIED: [&str; 4] = ["interface", "hostdev", "tpm", "vsock"];

/// The part of a definition that can be tried, with the CPU of the migratable definition: the live one may have features that an
/// older libvirt does not know, and that a migration does not send.
pub(super) fn trial(definition: &str, cpu: Option<&str>) -> Result<String, LibvirtError> {
    let document = xml::parse(definition)?;
    let mut changes = Changes::default();
    if let (Some(live), Some(cpu)) = (xml::find(document.root_element(), &["cpu"]), cpu) {
        changes.replace(live.range(), cpu.to_owned());
    }
    if let Some(devices) = xml::find(document.root_element(), &["devices"]) {
        for device in devices.children().filter(|device| is_left_out(*device)) {
            changes.remove(definition, device.range());
        }
    }
    Ok(changes.apply(definition))
}

/// Disks with a pool or a secret are left out, too: the trial would look for them, though the migration may use another pool or need
/// no secret.
fn is_left_out(device: Node<'_, '_>) -> bool {
    let name = device.tag_name().name();
    let is_bound_disk = || {
        name == "disk"
            && (device.attribute("type") == Some("volume")
                || device.descendants().any(|node| node.has_tag_name("secret")))
    };
    NOT_TRIED.contains(&name) || is_bound_disk()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_that_only_a_start_can_try_are_left_out() {
        let definition = "<domain><cpu><feature name='new'/></cpu><devices><emulator>/e</emulator>\n <disk type='file'><source file='/a'/></disk>\n \
                          <disk type='volume'/>\n <disk type='file'><encryption><secret uuid='u'/></encryption></disk>\n \
                          <interface type='user'/>\n <hostdev/>\n <tpm/>\n <vsock/>\n <video/>\n</devices></domain>";
        let expected = "<domain><cpu/><devices><emulator>/e</emulator>\n <disk type='file'><source file='/a'/></disk>\n \
                        <video/>\n</devices></domain>";
        assert_eq!(trial(definition, Some("<cpu/>")).unwrap(), expected);
        assert_eq!(trial("<domain/>", Some("<cpu/>")).unwrap(), "<domain/>");
    }
}
