//! What is refused before anything begins: within 10 s, and without having changed anything.

use model::{
    Code, Finding, FindingCode, HostName, MigrationId, MigrationOptions, MigrationRequest, Mode, Preflight, Problem,
    Severity, Vm, VmAction, refusal,
};

use crate::{
    Address, DomainFacts, Engine, Survey,
    inventory::{Inventory, unknown_host},
    preflight::{self, Case, Look, Question},
};

/// The largest bandwidth that can be asked for, in MiB/s: 8 Tbit/s.
const LARGEST_BANDWIDTH_MIB_S: u32 = 1_000_000;
/// The longest name a VM may be given.
const LONGEST_NAME: usize = 63;

/// A request that was checked.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) vm: Vm,
    pub(crate) mode: Mode,
    pub(crate) preflight: Preflight,
}

/// One thing that is so wrong that nothing else need be looked at.
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

/// Checks a request for a migration: first against what is known, then by asking both hosts.
pub(crate) async fn request(engine: &Engine, request: &MigrationRequest) -> Result<Accepted, Problem> {
    match question(request).look(engine).await? {
        Look::Refused(refusal) => {
            let findings = vec![refusal.finding()];
            Err(refusal.problem.with_findings(findings))
        }
        Look::Seen(case) => {
            let accepted = accepted(*case);
            consent(&accepted.preflight, &request.accept)?;
            Ok(accepted)
        }
    }
}

/// The same, but whatever is found is let pass.
#[cfg(any(test, feature = "unchecked"))]
pub(crate) async fn nothing(engine: &Engine, request: &MigrationRequest) -> Result<Accepted, Problem> {
    match question(request).look(engine).await? {
        Look::Seen(case) => Ok(accepted(*case)),
        Look::Refused(refusal) => {
            let vm = engine.inventory().vm(request.vm).ok_or_else(|| unknown_vm(&request.vm.to_string()))?.clone();
            let mode = question(request).mode_of(&vm);
            Ok(Accepted { vm, mode, preflight: preflight::refused(&request.destination, &refusal) })
        }
    }
}

/// A migration never goes by what was said before it was asked for.
fn question(MigrationRequest { vm, destination, mode, options, .. }: &MigrationRequest) -> Question<'_> {
    Question { vm: *vm, to: destination, mode: *mode, options, recent_will_do: false }
}

fn accepted(case: Case) -> Accepted {
    let preflight = preflight::conclude(&case);
    Accepted { vm: case.vm, mode: case.mode, preflight }
}

/// Blockers refuse; so do risks that nobody accepted.
fn consent(preflight: &Preflight, accepted: &[FindingCode]) -> Result<(), Problem> {
    let asked = preflight.findings.iter().filter(|finding| finding.consent && !accepted.contains(&finding.code));
    let blockers: Vec<Finding> = preflight.of(Severity::Blocker).cloned().collect();
    let (code, findings) = match blockers[..] {
        [] => (Code::NeedsConsent, asked.cloned().collect()),
        _ => (Code::Blocked, [blockers, asked.cloned().collect()].concat()),
    };
    let Some(first) = findings.first() else { return Ok(()) };
    let problem = Problem::new(code, &first.text);
    let problem = Problem { fix: first.fix.clone(), details: first.details.clone(), ..problem };
    Err(problem.with_findings(findings))
}

/// What can't be chosen.
pub(crate) fn options(options: &MigrationOptions) -> Result<(), Problem> {
    if options.bandwidth_mib_s.is_some_and(|limit| !(1..=LARGEST_BANDWIDTH_MIB_S).contains(&limit)) {
        return Err(Problem::new(Code::InvalidInput, "The bandwidth limit is out of range.")
            .with_fix(format!("Give 1 to {LARGEST_BANDWIDTH_MIB_S} MiB/s, or leave it out.")));
    }
    if options.new_name.as_ref().is_some_and(|name| !is_name(name)) {
        return Err(Problem::new(Code::InvalidInput, "The new name can't be a VM's name.").with_fix(format!(
            "Give 1 to {LONGEST_NAME} of the characters A-Z a-z 0-9 . _ + -, the first of them no dot or hyphen."
        )));
    }
    Ok(())
}

/// A name that is harmless wherever libvirt puts it: in a path, in XML, in a command line.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(allowed) && !name.starts_with(['-', '.'])
}

/// Pools are chosen for disks the VM has, from those the destination has.
pub(crate) fn pools(options: &MigrationOptions, domain: &DomainFacts, survey: &Survey) -> Result<(), Problem> {
    for (target, name) in &options.pools {
        if !domain.disks.iter().any(|disk| disk.target == *target) {
            return Err(Problem::new(Code::InvalidInput, format!("{} has no disk {target:?}.", domain.name))
                .with_fix("Name disks as the guest does, e.g. vda."));
        }
        if survey.pools.as_ref().is_some_and(|pools| !pools.iter().any(|pool| pool.name == *name)) {
            return Err(Problem::new(Code::InvalidInput, format!("The destination has no storage pool {name:?}."))
                .with_fix("Choose one of its pools."));
        }
    }
    Ok(())
}

/// What the inventory alone can refuse: the inner result is the refusal.
///
/// # Errors
/// `unknown-host`; `host-unreachable` if the VM's own host does not answer.
pub(crate) fn known(
    inventory: &Inventory,
    vm: &Vm,
    Question { to, mode, options, .. }: Question<'_>,
) -> Result<Result<(), Refusal>, Problem> {
    let destination = inventory.shown_host(to).ok_or_else(|| unknown_host(to.as_str()))?;
    let refused = |code, problem| Ok(Err(Refusal { code, problem }));
    if let Some(problem) = refusal(vm, destination, mode) {
        // Of a VM on a host that does not answer nothing is known.
        inventory.connection(&vm.host)?;
        return match (problem.code, inventory.connection(to)) {
            // Why the destination does not answer is known only here.
            (Code::HostUnreachable, Err(reason)) => refused(FindingCode::DestinationReachable, reason),
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
        return Ok(Err(moving_elsewhere(vm)));
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

/// What [`refusal`] looked at.
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

/// Whether an action makes sense now.
pub(crate) fn action(vm: &Vm, action: VmAction) -> Result<(), Problem> {
    if let Some(open) = vm.migration {
        return Err(already_migrating(&vm.name, open));
    }
    if !action.is_possible(vm.state) {
        let sentence =
            format!("{} is {}: “{}” makes no sense now.", vm.name, vm.state.as_str(), action.label().to_lowercase());
        return Err(Problem::new(Code::WrongState, sentence));
    }
    Ok(())
}

/// The registered host of this name or address.
pub(crate) fn host(inventory: &Inventory, text: &str) -> Result<HostName, Problem> {
    let by_name = text.parse::<HostName>().ok().filter(|name| inventory.host(name).is_some());
    if let Some(name) = by_name {
        return Ok(name);
    }
    let address: Address = text.parse()?;
    let by_address = inventory.hosts().find(|entry| {
        let config = &entry.config;
        config.peer_address == address || config.transport.address() == address.to_string()
    });
    match by_address {
        Some(entry) => Ok(entry.config.name.clone()),
        None if address.is_this_machine() => Err(Problem::new(
            Code::SameHost,
            format!("{text} is not another host: migrating to localhost is not allowed."),
        )
        .with_fix("Use the name or address of a registered host.")),
        None => Err(unknown_host(text)),
    }
}

/// A migration that nobody looks after any more has left the VM paused: whoever moved it now would decide that it is the right copy.
pub(crate) fn left_paused(name: &str, host: &HostName) -> Problem {
    Problem::new(Code::WrongState, format!("{name} is paused on {host}: an earlier migration has left it so."))
        .with_fix("Look whether it has run at that migration's destination. If not, resume it first; if so, force it off here.")
}

/// No VM has this name or id.
pub(crate) fn unknown_vm(name: &str) -> Problem {
    Problem::new(Code::UnknownVm, format!("There is no VM called {name:?}."))
        .with_fix("Check the name; a VM on a host that never answered is not known.")
}

/// The VM has an open migration.
pub(crate) fn already_migrating(name: &str, open: MigrationId) -> Problem {
    Problem::new(Code::AlreadyMigrating, format!("{name} is being migrated already (migration {open})."))
        .with_fix("Wait for it to end, or cancel it.")
        .with_migration(open)
}

/// Somebody else migrates the VM: virsh, or another console.
pub(crate) fn moving_elsewhere(vm: &Vm) -> Refusal {
    Refusal { code: FindingCode::AlreadyMigrating, problem: moved_by_somebody_else(&vm.name) }
}

/// The same, of a VM of this name.
pub(crate) fn moved_by_somebody_else(name: &str) -> Problem {
    Problem::new(Code::WrongState, format!("{name} is being migrated by somebody else, not by this console."))
        .with_fix("Wait for that migration to end.")
}
