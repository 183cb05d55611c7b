//! What a host has for a VM. Each question stands for itself: what libvirt does not answer is unknown.

mod certificates;
mod cpu;
mod machine;
mod memory;
mod networks;
mod pools;
mod rdma;
mod secrets;
mod source;
mod trial;

use engine::{DomainFacts, Survey};
use model::VmId;

pub(crate) use self::{certificates::LastLook, pools::is_shared};
use crate::{domain::if_there, error::LibvirtError, facts, link::Link};

/// What this host has for a VM. Changes nothing, but lets libvirt look at what is in its pools.
///
/// # Errors
/// If the host can't even tell its versions, memory and VMs.
pub(crate) fn survey(link: &Link, vm: &DomainFacts, certificates: &LastLook) -> Result<Survey, LibvirtError> {
    let machine = machine::look(link, vm)?;
    Ok(Survey {
        libvirt_version: link.lib_version()?.into(),
        hypervisor_version: link.hyp_version()?.into(),
        writable: machine.is_writable,
        name_taken_by: name_taken_by(link, vm)?,
        cpu: cpu::fit(link, vm, &machine.fit)?,
        definition: trial::definition(link, vm, &machine.fit)?,
        machine: machine.fit,
        firmware: machine.firmware,
        cpus: link.node_info()?.cpus,
        memory_free_bytes: facts::memory_free_bytes(link)?,
        huge_pages_free_bytes: memory::huge_pages_free_bytes(link, vm)?,
        networks: link.known(networks::networks(link))?,
        devices: link.known(networks::devices(link))?,
        pools: link.known(pools::pools(link, vm))?,
        certificates: certificates.certificates(link)?,
        rdma: link.known(rdma::offered(link))?,
        missing_secrets: link.known(secrets::missing(link, vm))?,
    })
}

/// Another VM of this name.
fn name_taken_by(link: &Link, vm: &DomainFacts) -> Result<Option<VmId>, LibvirtError> {
    let namesake = if_there(link.lookup_domain_by_name(&vm.name).map_err(LibvirtError::from))?;
    let uuid = namesake.map(|domain| domain.uuid()).transpose()?.map(VmId);
    Ok(uuid.filter(|uuid| *uuid != vm.vm))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::link::testing;

    #[test]
    fn a_namesake_is_noticed() {
        let link = testing::link();
        let there = testing::define(&link, "namesake");
        let other = DomainFacts { vm: VmId(Uuid::new_v4()), name: "namesake".to_owned(), ..DomainFacts::default() };
        assert_eq!(name_taken_by(&link, &other).unwrap(), Some(there));
        assert_eq!(name_taken_by(&link, &DomainFacts { vm: there, ..other }).unwrap(), None);
    }
}
