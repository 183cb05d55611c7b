//! What simulated VMs are made of, and what simulated hosts have for them.

use super::host::SimHost;
use crate::{CopyFacts, CpuFit, DomainFacts, MachineFit, Survey};

/// A VM that any host would take.
pub(super) fn domain(copy: &CopyFacts) -> DomainFacts {
    DomainFacts {
        vm: copy.vm,
        name: copy.name.clone(),
        arch: "x86_64".to_owned(),
        virt_type: "kvm".to_owned(),
        emulator: "/usr/bin/qemu-system-x86_64".to_owned(),
        machine: "pc-q35-10.0".to_owned(),
        memory_bytes: copy.memory_bytes,
        vcpus: copy.vcpus,
        ..DomainFacts::default()
    }
}

/// A host that takes any VM.
pub(super) fn survey(host: &SimHost, domain: &DomainFacts) -> Survey {
    let namesake = host.copies.values().find(|copy| copy.name == domain.name && copy.vm != domain.vm);
    Survey {
        libvirt_version: 11_003_000,
        hypervisor_version: 10_000_002,
        writable: true,
        name_taken_by: namesake.map(|copy| copy.vm),
        machine: MachineFit::Fits,
        cpu: CpuFit::Fits,
        cpus: 16,
        memory_free_bytes: 64 << 30,
        networks: Some(Vec::new()),
        devices: Some(Vec::new()),
        pools: Some(Vec::new()),
        missing_secrets: Some(Vec::new()),
        ..Survey::default()
    }
}
