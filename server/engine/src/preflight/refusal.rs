//! What the inventory alone can refuse, before either host is asked.

use model::{Code, Finding, FindingCode, HostName, Problem, Vm, refusal};

use super::PreflightRequest;
use crate::{
    explain::{self, left_paused, unknown_host},
    inventory::Inventory,
};

/// One fault after which nothing else need be checked.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: FindingCode,
    pub(crate) problem: Problem,
}

impl Refusal {
    /// The same as a preflight tells it.
    pub(crate) fn finding(&self) -> Finding {
        let Problem { sentence, fix, details, .. } = self.problem.clone();
        Finding { fix, details, ..Finding::blocker(self.code, sentence) }
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
) -> Result<Result<(), Refusal>, Problem> {
    let destination = inventory.shown_host(to).ok_or_else(|| unknown_host(to.as_str()))?;
    let refused = |code, problem| Ok(Err(Refusal { code, problem }));
    if let Some(problem) = refusal(vm, destination, mode) {
        // Of a VM on a host that does not answer nothing is known.
        inventory.connection(&vm.host)?;
        return match (problem.code, inventory.connection(to)) {
            // Why the destination does not answer is known only here.
            (Code::HostUnreachable, Err(reason)) => refused(FindingCode::DestinationReachable, reason.into()),
            (code, _) => refused(finding_code(code), problem),
        };
    }
    inventory.connection(&vm.host)?;
    if inventory.is_temporary(&vm.host) {
        let sentence = format!("{} is on {}, which is here for a migration only.", vm.name, vm.host);
        let fix = format!("Register {} first: Hosts, Add a host.", vm.host);
        return refused(FindingCode::VmState, Problem::new(Code::WrongState, sentence).with_fix(fix));
    }
    if one_machine(inventory, &vm.host, to) {
        let sentence = format!("{} and {to} are the same machine: they have one host UUID.", vm.host);
        let fix = "If they are two machines, one was cloned: set host_uuid in libvirtd.conf on one of them.";
        return refused(FindingCode::SameHost, Problem::new(Code::SameHost, sentence).with_fix(fix));
    }
    if inventory.copy(&vm.host, vm.id).is_some_and(|copy| copy.outgoing) {
        return Ok(Err(migrated_from_outside(vm)));
    }
    if inventory.copy(&vm.host, vm.id).is_some_and(|copy| copy.abandoned) {
        return refused(FindingCode::VmState, left_paused(&vm.name, &vm.host));
    }
    let name = options.new_name.as_ref().unwrap_or(&vm.name);
    if let Some(other) = inventory.namesake(vm.id, name, to) {
        let sentence = format!("{to} has another VM called {name} ({other}).");
        let fix = "Give this one a new name there, or rename or remove the other.";
        return refused(FindingCode::NameTaken, Problem::new(Code::AlreadyThere, sentence).with_fix(fix));
    }
    Ok(Ok(()))
}

/// What [`refusal`] was about.
fn finding_code(code: Code) -> FindingCode {
    match code {
        Code::AlreadyMigrating => FindingCode::AlreadyMigrating,
        Code::SameHost => FindingCode::SameHost,
        Code::AlreadyThere | Code::NeedsAttention => FindingCode::RunsThere,
        _ => FindingCode::VmState,
    }
}

/// Whether two registered hosts are one machine, registered twice; libvirt compares the same UUIDs.
fn one_machine(inventory: &Inventory, a: &HostName, b: &HostName) -> bool {
    let uuid = |name| inventory.host(name).and_then(|entry| entry.facts.as_ref()).map(|facts| facts.uuid);
    uuid(a).is_some() && uuid(a) == uuid(b)
}

/// The VM is migrated from outside this console: by virsh, or by another console.
pub(super) fn migrated_from_outside(vm: &Vm) -> Refusal {
    Refusal { code: FindingCode::AlreadyMigrating, problem: explain::migrated_from_outside(&vm.name) }
}
