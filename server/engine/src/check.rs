//! What is refused before anything begins: within 10 s, and without having changed anything.

use std::{net::IpAddr, time::Duration};

use model::{Code, HostName, MigrationId, MigrationRequest, Mode, Problem, Vm, VmAction, refusal};
use tokio::time::timeout;

use crate::{
    Address, Engine,
    inventory::{Inventory, unknown_host},
    verify::Presence,
};

/// How long both hosts have to say what they have of the VM. With the time to answer on top it stays under 10 s.
const PROBE_LIMIT: Duration = Duration::from_secs(8);
/// The largest bandwidth that can be asked for, in MiB/s: 8 Tbit/s.
const LARGEST_BANDWIDTH_MIB_S: u32 = 1_000_000;

/// A request that was checked.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) vm: Vm,
    pub(crate) mode: Mode,
}

/// Checks a request for a migration: first against what is known, then by asking both hosts.
pub(crate) async fn request(engine: &Engine, request: &MigrationRequest) -> Result<Accepted, Problem> {
    if request.options.bandwidth_mib_s.is_some_and(|limit| !(1..=LARGEST_BANDWIDTH_MIB_S).contains(&limit)) {
        return Err(Problem::new(Code::InvalidInput, "The bandwidth limit is out of range.")
            .with_fix(format!("Give 1 to {LARGEST_BANDWIDTH_MIB_S} MiB/s, or leave it out.")));
    }
    let (vm, source, destination) = {
        let inventory = engine.inventory();
        let vm = inventory.vm(request.vm).ok_or_else(|| unknown_vm(&request.vm.to_string()))?;
        known(&inventory, vm, request)?;
        (vm.clone(), inventory.connection(&vm.host)?, inventory.connection(&request.destination)?)
    };
    let asked = async { tokio::join!(source.copy(vm.id), source.job(vm.id), destination.copy(vm.id)) };
    let (at_source, job, at_destination) = timeout(PROBE_LIMIT, asked).await.map_err(|_| {
        Problem::new(Code::HostUnreachable, format!("{} or {} did not answer in time.", vm.host, request.destination))
            .with_fix("Check both hosts, then try again.")
    })?;
    let at_source = at_source.map_err(|problem| no_answer(&vm.host, problem))?;
    let job = job.map_err(|problem| no_answer(&vm.host, problem))?;
    let at_destination = at_destination.map_err(|problem| no_answer(&request.destination, problem))?;
    if job.is_some() {
        return Err(moving_elsewhere(&vm));
    }
    let mut inventory = engine.inventory();
    inventory.set_copy(&vm.host, vm.id, at_source);
    inventory.set_copy(&request.destination, vm.id, at_destination);
    // What the hosts said just now may be news.
    let vm = inventory.vm(request.vm).ok_or_else(|| unknown_vm(&vm.name))?.clone();
    known(&inventory, &vm, request)?;
    if let Presence::Incoming | Presence::Outgoing = Presence::of(inventory.copy(&request.destination, vm.id)) {
        return Err(moving_elsewhere(&vm));
    }
    let mode = request.mode.unwrap_or(if vm.state.is_active() { Mode::Live } else { Mode::Offline });
    Ok(Accepted { vm, mode })
}

/// What the inventory alone can refuse.
fn known(inventory: &Inventory, vm: &Vm, request: &MigrationRequest) -> Result<(), Problem> {
    let destination =
        inventory.shown_host(&request.destination).ok_or_else(|| unknown_host(request.destination.as_str()))?;
    if let Some(problem) = refusal(vm, destination, request.mode) {
        return Err(problem);
    }
    // Of a VM on a host that does not answer nothing is known; say that, not what follows from it.
    inventory.connection(&vm.host)?;
    if one_machine(inventory, &vm.host, &request.destination) {
        let sentence =
            format!("{} and {} are the same machine: they have one host UUID.", vm.host, request.destination);
        return Err(Problem::new(Code::SameHost, sentence)
            .with_fix("If they are two machines, one was cloned: set host_uuid in libvirtd.conf on one of them."));
    }
    if inventory.copy(&vm.host, vm.id).is_some_and(|copy| copy.outgoing) {
        return Err(moving_elsewhere(vm));
    }
    if let Some(other) = inventory.namesake(vm, &request.destination) {
        let sentence = format!("{} has another VM called {} ({other}).", request.destination, vm.name);
        return Err(Problem::new(Code::AlreadyThere, sentence).with_fix("Rename or remove one of the two."));
    }
    Ok(())
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
        None if is_this_machine(&address) => Err(Problem::new(
            Code::SameHost,
            format!("{text} is not another host: migrating to localhost is not allowed."),
        )
        .with_fix("Use the name or address of a registered host.")),
        None => Err(unknown_host(text)),
    }
}

/// Loopback and unspecified addresses, also written as IPv6, and the name every machine calls itself.
fn is_this_machine(address: &Address) -> bool {
    let by_ip = |ip: IpAddr| ip.to_canonical().is_loopback() || ip.is_unspecified();
    match address {
        Address::Name(name) => name == "localhost" || name.ends_with(".localhost") || name.starts_with("localhost."),
        other => other.ip().is_some_and(by_ip),
    }
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

/// A host that was asked whether it has the VM did not say: for the caller it does not answer, whatever the reason.
fn no_answer(host: &HostName, problem: Problem) -> Problem {
    if problem.code == Code::HostUnreachable {
        return problem;
    }
    let details = problem.details.unwrap_or(problem.sentence);
    Problem::new(Code::HostUnreachable, format!("{host} does not answer as it should."))
        .with_fix("Check the host and its libvirt daemon, then try again.")
        .with_details(details)
}

fn moving_elsewhere(vm: &Vm) -> Problem {
    Problem::new(Code::WrongState, format!("{} is being migrated by somebody else, not by this console.", vm.name))
        .with_fix("Wait for that migration to end.")
}
