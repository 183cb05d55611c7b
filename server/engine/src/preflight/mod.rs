//! Preflight: whether a VM can go to a host, known before anything begins.
//!
//! `ask.rs` asks both hosts and changes nothing; what they say becomes a [`Case`], and everything else is pure: one file a
//! topic makes findings from it.

mod ask;
mod case;
mod machine;
mod network;
mod prediction;
mod reach;
mod recent;
mod resources;
mod there;
mod versions;
mod vm;

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use model::{Code, Finding, FindingCode, HostName, MigrationOptions, Mode, Preflight, Problem, Vm, VmId};
use tokio::time::Instant;

use crate::{
    DomainFacts, Engine,
    check::{self, Refusal},
    inventory::unknown_host,
    storage,
    verify::Presence,
};
use ask::FromSource;
pub(crate) use case::Case;
use case::Party;
pub(crate) use recent::Recent;
use recent::Seen;

/// How long both hosts have to answer. With the time to tell it stays under 10 s.
const LIMIT: Duration = Duration::from_secs(8);

/// What came of looking.
pub(crate) enum Look {
    /// One thing is so wrong that nothing else was looked at.
    Refused(Refusal),
    /// Both hosts answered.
    Seen(Box<Case>),
}

/// Whether what the source said a moment ago will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Recent,
    Now,
}

/// Looks whether a VM can go to a host.
pub(crate) async fn run(
    engine: &Engine,
    vm: VmId,
    destination: &HostName,
    options: &MigrationOptions,
) -> Result<Preflight, Problem> {
    let kept = seen(engine, vm, destination, options).and_then(|seen| engine.recent.preflight(&seen));
    if let Some(preflight) = kept {
        return Ok(preflight);
    }
    let preflight = match look(engine, vm, destination, None, options, Freshness::Recent).await? {
        Look::Refused(refusal) => refused(destination, refusal),
        Look::Seen(case) => conclude(&case),
    };
    if let Some(seen) = seen(engine, vm, destination, options) {
        engine.recent.keep(seen, preflight.clone());
    }
    Ok(preflight)
}

/// Looks at all hosts but the VM's own.
pub(crate) async fn run_all(engine: &Engine, vm: VmId) -> Result<Vec<Preflight>, Problem> {
    let hosts = {
        let inventory = engine.inventory();
        let at = &inventory.vm(vm).ok_or_else(|| check::unknown_vm(&vm.to_string()))?.host;
        inventory.hosts().map(|entry| entry.config.name.clone()).filter(|name| name != at).collect::<Vec<_>>()
    };
    let options = MigrationOptions::default();
    let all = join_all(hosts.iter().map(|host| run(engine, vm, host, &options))).await;
    let mut preflights = all.into_iter().collect::<Result<Vec<_>, _>>()?;
    let inventory = engine.inventory();
    let free = |host: &HostName| inventory.shown_host(host).map_or(0, |host| host.memory_free_bytes);
    preflights.sort_by_cached_key(|preflight| preflight.rank(free(&preflight.destination)));
    Ok(preflights)
}

/// Measures what a guest writes to its memory.
pub(crate) async fn measure(engine: &Engine, id: VmId) -> Result<u64, Problem> {
    let connection = {
        let inventory = engine.inventory();
        let vm = inventory.vm(id).ok_or_else(|| check::unknown_vm(&id.to_string()))?;
        let connection = inventory.connection(&vm.host)?;
        if !vm.state.is_active() {
            let sentence = format!("{} is {}: it writes nothing to its memory.", vm.name, vm.state.as_str());
            return Err(Problem::new(Code::WrongState, sentence));
        }
        connection
    };
    let rate = connection.dirty_rate(id).await?;
    engine.recent.measured(id, rate);
    Ok(rate)
}

/// Asks both hosts. `mode` none lets the VM's state decide.
///
/// # Errors
/// `unknown-vm`, `unknown-host`, `invalid-input`; `host-unreachable` if the VM's own host does not answer.
pub(crate) async fn look(
    engine: &Engine,
    id: VmId,
    to: &HostName,
    mode: Option<Mode>,
    options: &MigrationOptions,
    freshness: Freshness,
) -> Result<Look, Problem> {
    check::options(options)?;
    let (vm, connection, config) = {
        let inventory = engine.inventory();
        let vm = inventory.vm(id).ok_or_else(|| check::unknown_vm(&id.to_string()))?.clone();
        inventory.connection(&vm.host)?;
        if let Err(refusal) = check::known(&inventory, &vm, to, mode, options)? {
            return Ok(Look::Refused(refusal));
        }
        let entry = inventory.host(to).ok_or_else(|| unknown_host(to.as_str()))?;
        (vm, inventory.connection(to)?, entry.config.clone())
    };
    let deadline = Instant::now() + LIMIT;
    let said = ask_source(engine, &vm, freshness, deadline).await?;
    if said.migrates {
        return Ok(Look::Refused(check::moving_elsewhere(&vm)));
    }
    let name = options.new_name.as_ref().unwrap_or(&said.domain.name).clone();
    let wanted = DomainFacts { name, ..(*said.domain).clone() };
    let knock = mode.unwrap_or(natural_mode(&vm)) == Mode::Live;
    match ask::destination(engine, &*connection, &config, &wanted, knock, deadline).await {
        Ok(answer) => case(engine, &vm, to, mode, options, &said, answer),
        Err(problem) => Ok(Look::Refused(Refusal { code: FindingCode::DestinationReachable, problem })),
    }
}

async fn ask_source(
    engine: &Engine,
    vm: &Vm,
    freshness: Freshness,
    deadline: Instant,
) -> Result<Arc<FromSource>, Problem> {
    let ask = async || ask::source(engine, vm, deadline).await.map(Arc::new);
    match freshness {
        Freshness::Now => ask().await,
        Freshness::Recent => engine.recent.flight(vm).get_or_init(ask).await.clone(),
    }
}

/// What hosts said just now may be news: so the inventory is asked once more.
fn case(
    engine: &Engine,
    before: &Vm,
    to: &HostName,
    mode: Option<Mode>,
    options: &MigrationOptions,
    said: &FromSource,
    answer: ask::FromDestination,
) -> Result<Look, Problem> {
    let inventory = engine.inventory();
    let vm = inventory.vm(before.id).ok_or_else(|| check::unknown_vm(&before.name))?.clone();
    if let Err(refusal) = check::known(&inventory, &vm, to, mode, options)? {
        return Ok(Look::Refused(refusal));
    }
    if let Presence::Incoming | Presence::Outgoing = Presence::of(answer.copy.as_ref()) {
        return Ok(Look::Refused(check::moving_elsewhere(&vm)));
    }
    check::pools(options, &said.domain, &answer.survey)?;
    let party = |name: &HostName, survey| {
        let entry =
            inventory.host(name).filter(|entry| entry.facts.is_some()).ok_or_else(|| unknown_host(name.as_str()))?;
        let facts = entry.facts.clone().ok_or_else(|| unknown_host(name.as_str()))?;
        Ok::<_, Problem>(Party { config: entry.config.clone(), facts, survey })
    };
    let mut earlier = said.earlier.clone();
    earlier.retain(|migration| migration.destination == *to);
    Ok(Look::Seen(Box::new(Case {
        mode: mode.unwrap_or(natural_mode(&vm)),
        source: party(&before.host, Arc::clone(&said.survey))?,
        destination: party(to, Arc::new(answer.survey))?,
        options: options.clone(),
        domain: Arc::clone(&said.domain),
        copy_there: answer.copy,
        probe: answer.probe,
        earlier,
        dirty_bytes_s: engine.recent.dirty_rate(vm.id),
        now_ms: engine.clock.now_ms(),
        vm,
    })))
}

/// Everything that follows from what both hosts said.
pub(crate) fn conclude(case: &Case) -> Preflight {
    let (disks, about_disks) =
        storage::plan(&case.domain, &case.source.side(), &case.destination.side(), case.mode, &case.options);
    let topics = [
        there::findings(case),
        vm::findings(case),
        machine::findings(case),
        resources::findings(case),
        network::findings(case),
        versions::findings(case),
        reach::findings(case),
        about_disks,
    ];
    let mut findings = topics.concat();
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.code));
    let prediction = None;
    let preflight = Preflight { destination: case.there().clone(), findings, disks, prediction };
    Preflight { prediction: prediction::of(case, preflight.copied_bytes()), ..preflight }
}

/// The one thing that is wrong, as a preflight.
pub(crate) fn refused(destination: &HostName, Refusal { code, problem }: Refusal) -> Preflight {
    let finding = Finding { fix: problem.fix, details: problem.details, ..Finding::blocker(code, problem.sentence) };
    Preflight { destination: destination.clone(), findings: vec![finding], disks: Vec::new(), prediction: None }
}

/// What the VM's state lets it do.
pub(crate) fn natural_mode(vm: &Vm) -> Mode {
    if vm.state.is_active() { Mode::Live } else { Mode::Offline }
}

fn seen(engine: &Engine, vm: VmId, destination: &HostName, options: &MigrationOptions) -> Option<Seen> {
    let inventory = engine.inventory();
    let (vm, destination) = (inventory.vm(vm)?.clone(), inventory.shown_host(destination)?.clone());
    Some(Seen { vm, destination, options: options.clone() })
}

#[cfg(test)]
mod tests;
