//! What a host is, and what it has for a VM. Each fact is asked for by itself: one that libvirt does not give is unknown, without
//! effect on the others.

pub(crate) mod certificates;
mod cpu;
mod dhcp;
mod directory;
pub(crate) mod facts;
pub(crate) mod leases;
mod machine;
mod memory;
mod networks;
mod pools;
mod provided;
mod rdma;
mod secrets;
pub(crate) mod shown;
mod trial;

use engine::{CopyFacts, DomainFacts, StateReason, Survey};
use model::{VmId, VmState};

pub(crate) use self::{
    certificates::CertificateCache,
    directory::{LEFT_BEHIND, stop_left_behind},
};
use crate::{
    connection::Connection,
    domain::{self, copies, if_there},
    error::LibvirtError,
};

/// What this host has for a VM. Changes nothing on it, but refreshes its pools.
///
/// # Errors
/// If the host can't even give its versions, memory and VMs.
pub(crate) fn survey(
    connection: &Connection,
    vm: &DomainFacts,
    certificates: &CertificateCache,
) -> Result<Survey, LibvirtError> {
    let machine = machine::machine(connection, vm)?;
    let provided = provided::provided(connection, vm)?;
    // libvirt lists the firmware that it knows; any other is a file like others.
    let firmware = machine.firmware.or_else(|| provided.files.get(vm.firmware.as_ref()?).copied());
    Ok(Survey {
        libvirt_version: connection.lib_version()?.into(),
        hypervisor_version: connection.hyp_version()?.into(),
        writable: machine.is_writable,
        name_taken_by: name_taken_by(connection, vm)?,
        cpu: cpu::fit(connection, vm, &machine.fit)?,
        definition: trial::definition(connection, vm, &machine.fit)?,
        machine: machine.fit,
        firmware,
        provided,
        cpus: connection.node_info()?.cpus,
        memory_free_bytes: facts::memory_free_bytes(connection)?,
        huge_pages_free_bytes: memory::huge_pages_free_bytes(connection, vm)?,
        networks: connection.known(networks::networks(connection))?,
        dhcp: connection.known(dhcp::networks(connection))?,
        saved_memory: saved_memory(connection, vm)?,
        devices: connection.known(networks::devices(connection))?,
        pools: connection.known(pools::pools(connection, vm))?,
        certificates: certificates.certificates(connection)?,
        rdma: connection.known(rdma::offered(connection))?,
        missing_secrets: connection.known(secrets::missing(connection, vm))?,
    })
}

/// Whether the host keeps saved memory of this VM, next to a definition of it. Only what is off is asked: a copy that is being received
/// would not answer.
fn saved_memory(connection: &Connection, vm: &DomainFacts) -> Result<bool, LibvirtError> {
    let Some(domain) = domain::find(connection, vm.vm)? else { return Ok(false) };
    let is_off = |copy: CopyFacts| copy.state == VmState::ShutOff && copy.reason != StateReason::StartingUp;
    match if_there(copies::copy(&domain))?.is_some_and(is_off) {
        true => Ok(connection.known(copies::has_saved_memory(&domain))?.unwrap_or(false)),
        false => Ok(false),
    }
}

/// The other VM that has this VM's name.
fn name_taken_by(connection: &Connection, vm: &DomainFacts) -> Result<Option<VmId>, LibvirtError> {
    let namesake = if_there(connection.lookup_domain_by_name(&vm.name).map_err(LibvirtError::from))?;
    let uuid = namesake.map(|domain| domain.uuid()).transpose()?.map(VmId);
    Ok(uuid.filter(|uuid| *uuid != vm.vm))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::connection::testing;

    #[test]
    fn saved_memory_is_noticed() {
        let connection = testing::connection();
        let vm = testing::define(&connection, "saved-there");
        let facts = DomainFacts { vm, ..DomainFacts::default() };
        let domain = domain::find(&connection, vm).unwrap().unwrap();
        assert!(!saved_memory(&connection, &facts).unwrap());
        domain.create().unwrap();
        domain.managed_save(0).unwrap();
        assert!(saved_memory(&connection, &facts).unwrap());
    }

    #[test]
    fn a_namesake_is_noticed() {
        let connection = testing::connection();
        let namesake = testing::define(&connection, "namesake");
        let other = DomainFacts { vm: VmId(Uuid::new_v4()), name: "namesake".to_owned(), ..DomainFacts::default() };
        assert_eq!(name_taken_by(&connection, &other).unwrap(), Some(namesake));
        assert_eq!(name_taken_by(&connection, &DomainFacts { vm: namesake, ..other }).unwrap(), None);
    }
}
