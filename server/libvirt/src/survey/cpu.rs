//! Whether a host's CPU has the features that a VM uses.

use std::ffi::CString;

use engine::{CpuFit, DomainFacts, MachineFit};
use virt::sys;

use crate::{connection::Connection, error::LibvirtError, xml};

/// libvirt's comparison of the host's CPU with the VM's; unknown if the host's QEMU does not know the VM's machine.
pub(super) fn fit(connection: &Connection, vm: &DomainFacts, machine: &MachineFit) -> Result<CpuFit, LibvirtError> {
    let Some(cpu) = &vm.cpu else { return Ok(CpuFit::Fits) };
    if is_emulated_unchecked(vm, cpu)? {
        return Ok(CpuFit::Fits);
    }
    if *machine != MachineFit::Fits {
        return Ok(CpuFit::Unknown);
    }
    match compared(connection, vm, cpu) {
        Ok(sys::VIR_CPU_COMPARE_IDENTICAL | sys::VIR_CPU_COMPARE_SUPERSET) => Ok(CpuFit::Fits),
        Ok(_) => Ok(CpuFit::Lacks(Vec::new())),
        Err(error) if error.number == sys::VIR_ERR_CPU_INCOMPATIBLE => Ok(CpuFit::Lacks(features(&error.message))),
        Err(error) => Ok(connection.known(Err(error))?.unwrap_or_default()),
    }
}

/// Whether QEMU emulates the CPU, and libvirt lets it leave out features that it can't emulate: it left them out on the source, too.
fn is_emulated_unchecked(vm: &DomainFacts, cpu: &str) -> Result<bool, LibvirtError> {
    let is_unchecked = xml::parse(cpu)?.root_element().attribute("check") == Some("none");
    Ok(vm.virt_type == "qemu" && is_unchecked)
}

/// `virConnectCompareHypervisorCPU`, which the `virt` crate lacks. An incompatible CPU is an error, whose text names the features.
fn compared(connection: &Connection, vm: &DomainFacts, cpu: &str) -> Result<sys::virCPUCompareResult, LibvirtError> {
    let text = |text: &str| CString::new(text).map_err(virt::error::Error::from);
    let (emulator, arch, machine) = (text(&vm.emulator)?, text(&vm.arch)?, text(&vm.machine)?);
    let (virt_type, cpu) = (text(&vm.virt_type)?, text(cpu)?);
    // SAFETY: the connection is open, and the strings outlive the call.
    let result = unsafe {
        sys::virConnectCompareHypervisorCPU(
            connection.as_ptr(),
            emulator.as_ptr(),
            arch.as_ptr(),
            machine.as_ptr(),
            virt_type.as_ptr(),
            cpu.as_ptr(),
            sys::VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE,
        )
    };
    if result == sys::VIR_CPU_COMPARE_ERROR { Err(LibvirtError::last()) } else { Ok(result) }
}

/// The features that libvirt names at the end: `…: Host CPU does not provide required features: vmx, avx512f`; none of another
/// text.
fn features(message: &str) -> Vec<String> {
    let list = message.rsplit(": ").next().unwrap_or_default();
    let features: Vec<_> = list.split(',').map(|feature| feature.trim().to_owned()).collect();
    let is_feature = |feature: &String| {
        !feature.is_empty() && feature.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if features.iter().all(is_feature) { features } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_features_are_named() {
        let message =
            "the CPU is incompatible with host CPU: Host CPU does not provide required features: pcid, sse4.1";
        assert_eq!(features(message), ["pcid", "sse4.1"]);
        let one = "the CPU is incompatible with host CPU: Host CPU does not provide required features: vmx";
        assert_eq!(features(one), ["vmx"]);
        let vendor = "the CPU is incompatible with host CPU: host CPU vendor does not match required CPU vendor Intel";
        assert!(features(vendor).is_empty());
        assert!(features("").is_empty());
    }

    #[test]
    fn emulated_cpus_without_a_check_fit_everywhere() {
        let vm = |virt_type: &str| DomainFacts { virt_type: virt_type.to_owned(), ..DomainFacts::default() };
        let unchecked = "<cpu mode='custom' match='exact' check='none'><model>Skylake-Server</model></cpu>";
        let checked = "<cpu mode='custom' match='exact' check='full'><model>Skylake-Server</model></cpu>";
        assert!(is_emulated_unchecked(&vm("qemu"), unchecked).unwrap());
        assert!(!is_emulated_unchecked(&vm("qemu"), checked).unwrap());
        assert!(!is_emulated_unchecked(&vm("kvm"), unchecked).unwrap());
    }
}
