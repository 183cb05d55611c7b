//! What the inventory alone can refuse, before either host is asked.

use model::{Finding, FindingCode, HostName, Refusal, Vm, refusal};

use super::PreflightRequest;
use crate::{
    error::Error,
    explain,
    hypervisor::{HostError, Presence},
    inventory::Inventory,
};

/// One fault after which nothing else need be checked.
#[derive(Debug)]
pub(crate) struct FailedCheck {
    pub(crate) check: FindingCode,
    pub(crate) error: Error,
}

impl FailedCheck {
    /// The same as a preflight tells it.
    pub(crate) fn finding(&self) -> Finding {
        explain::finding(self.check, self.error.clone())
    }
}

impl From<FailedCheck> for Error {
    fn from(FailedCheck { check, error }: FailedCheck) -> Self {
        Self::Refused { check, error: Box::new(error) }
    }
}

/// What the inventory alone can refuse: the inner result is the refusal.
///
/// # Errors
/// `unknown-host`; `host-unreachable` if the VM's own host does not answer.
pub(super) fn known(
    inventory: &Inventory,
    vm: &Vm,
    PreflightRequest { destination: to, mode, options, .. }: PreflightRequest<'_>,
) -> Result<Result<(), FailedCheck>, HostError> {
    let destination = inventory.shown_host(to).ok_or_else(|| HostError::unknown_host(to.as_str()))?;
    let refused = |check, error| Ok(Err(FailedCheck { check, error }));
    let (name, host) = (&vm.name, &vm.host);
    let known = refusal(vm, destination, mode);
    // Of a VM on a host that does not answer nothing is known.
    inventory.connection(host)?;
    if let Some(Refusal { check, problem }) = known {
        return match (check, inventory.connection(to)) {
            // Why the destination does not answer is known only here.
            (FindingCode::DestinationReachable, Err(reason)) => refused(check, reason.into()),
            _ => refused(check, Error::Known(Box::new(problem))),
        };
    }
    if inventory.is_temporary(host) {
        return refused(FindingCode::VmState, Error::OnTemporaryHost { vm: name.clone(), host: host.clone() });
    }
    if one_machine(inventory, host, to) {
        let error = Error::OneMachine { source_host: host.clone(), destination: to.clone() };
        return refused(FindingCode::SameHost, error);
    }
    let copy = inventory.copy(host, vm.id);
    if copy.is_some_and(|copy| copy.outgoing || Presence::of(Some(copy)) == Presence::Half) {
        return Ok(Err(migrated_from_outside(vm)));
    }
    if copy.is_some_and(|copy| copy.abandoned) {
        return refused(FindingCode::VmState, Error::LeftPaused { vm: name.clone(), host: host.clone() });
    }
    let new_name = options.new_name.as_ref().unwrap_or(name);
    if let Some(other) = inventory.namesake(vm.id, new_name, to) {
        let error = Error::NameTaken { host: to.clone(), name: new_name.clone(), other };
        return refused(FindingCode::NameTaken, error);
    }
    Ok(Ok(()))
}

/// Whether two registered hosts are one machine, registered twice; libvirt compares the same UUIDs.
fn one_machine(inventory: &Inventory, a: &HostName, b: &HostName) -> bool {
    let uuid = |name| inventory.host(name).and_then(|entry| entry.facts.as_ref()).map(|facts| facts.uuid);
    uuid(a).is_some() && uuid(a) == uuid(b)
}

/// The VM is migrated from outside this console: by virsh, or by another console.
pub(super) fn migrated_from_outside(vm: &Vm) -> FailedCheck {
    let error = Error::MigratedFromOutside { vm: vm.name.clone() };
    FailedCheck { check: FindingCode::AlreadyMigrating, error }
}
