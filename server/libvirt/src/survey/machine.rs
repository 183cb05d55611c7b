//! Whether a host's QEMU supports a VM's machine type.

use engine::{DomainFacts, MachineFit};
use virt::sys;

use crate::{connection::Connection, error::LibvirtError, xml};

/// ENOENT, EACCES and ENOTDIR: the errors of running a file that does not exist or is not a program.
const NO_PROGRAM: [i32; 3] = [2, 13, 20];

/// What the host's QEMU supports.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) fit: MachineFit,
    /// Whether the connection may change anything. libvirt refuses this call on a read-only connection, because the caller names a
    /// program that libvirt runs.
    pub(super) is_writable: bool,
    /// Whether the host has the VM's firmware; none if that is not known or the VM has none.
    pub(super) firmware: Option<bool>,
}

/// libvirt's capabilities of this emulator with this machine type.
pub(super) fn machine(connection: &Connection, vm: &DomainFacts) -> Result<Machine, LibvirtError> {
    let unfit = |fit, is_writable| Machine { fit, is_writable, firmware: None };
    let refusal = match capabilities(connection, vm, &vm.machine) {
        Ok(capabilities) => {
            let firmware = firmware(&capabilities, vm)?;
            return Ok(Machine { fit: MachineFit::Fits, is_writable: true, firmware });
        }
        Err(error) if !connection.is_open() => return Err(error),
        Err(error) => error,
    };
    Ok(match refusal.number {
        sys::VIR_ERR_OPERATION_DENIED | sys::VIR_ERR_ACCESS_DENIED => unfit(MachineFit::Unknown, false),
        sys::VIR_ERR_SYSTEM_ERROR if NO_PROGRAM.contains(&refusal.int1) => unfit(MachineFit::NoEmulator, true),
        // Which of the three arguments is invalid is in libvirt's text only. If the call works without the machine type, it is that.
        sys::VIR_ERR_INVALID_ARG => match connection.known(capabilities(connection, vm, ""))? {
            Some(_) => unfit(MachineFit::NoMachine, true),
            None => unfit(MachineFit::NoArchitecture, true),
        },
        _ => unfit(MachineFit::Unknown, true),
    })
}

fn capabilities(connection: &Connection, vm: &DomainFacts, machine: &str) -> Result<String, LibvirtError> {
    let given = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
    let (emulator, arch, machine, virt_type) =
        (given(&vm.emulator), given(&vm.arch), given(machine), given(&vm.virt_type));
    let asked = connection.domain_capabilities(
        emulator.as_deref(),
        arch.as_deref(),
        machine.as_deref(),
        virt_type.as_deref(),
        0,
    );
    Ok(asked?)
}

/// libvirt lists the firmware files that it knows and that exist. Others may exist, too: then it is not known.
fn firmware(capabilities: &str, vm: &DomainFacts) -> Result<Option<bool>, LibvirtError> {
    let Some(firmware) = &vm.firmware else { return Ok(None) };
    let document = xml::parse(capabilities)?;
    let loader = xml::find(document.root_element(), &["os", "loader"]);
    let is_listed = loader.is_some_and(|loader| {
        xml::children(loader, "value").any(|value| value.text().map(str::trim) == Some(firmware))
    });
    Ok(is_listed.then_some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_firmware_is_there_and_other_unknown() {
        let capabilities = "<domainCapabilities><os supported='yes'><loader supported='yes'>\
                            <value>/usr/share/OVMF/OVMF_CODE_4M.fd</value><enum name='type'><value>rom</value></enum>\
                            </loader></os></domainCapabilities>";
        let of = |path: Option<&str>| {
            let vm = DomainFacts { firmware: path.map(str::to_owned), ..DomainFacts::default() };
            firmware(capabilities, &vm).unwrap()
        };
        assert_eq!(of(Some("/usr/share/OVMF/OVMF_CODE_4M.fd")), Some(true));
        assert_eq!(of(Some("/opt/own.fd")), None);
        assert_eq!(of(Some("rom")), None);
        assert_eq!(of(None), None);
    }
}
