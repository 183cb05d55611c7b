//! Preflight: whether a VM can go to a host, known before anything begins.
//!
//! `look.rs` and `ask.rs` ask both hosts and change nothing; what they say becomes a [`Case`], and everything else is pure: one
//! file a topic makes findings from it.

mod ask;
mod control_flow;
mod destination;
mod devices;
mod encryption;
mod gather;
mod input;
mod machine;
mod network;
mod prediction;
mod rdma;
mod reach;
mod recent;
mod resources;
mod tunnelled;
mod versions;
mod vm;

use std::cmp::Reverse;

use futures::future::join_all;
use model::{Code, ControlFlow, HostName, HostOrigin, MigrationOptions, Preflight, Problem, Treatment, VmId};

use crate::{
    Engine,
    migration::admission::{self, Refusal},
    storage,
};
pub(crate) use gather::{Look, Question};
pub(crate) use input::Case;
use input::Route;
pub(crate) use prediction::carried;
pub(crate) use recent::Recent;
use recent::Seen;

/// Looks whether a VM can go to a host.
pub(crate) async fn run(
    engine: &Engine,
    vm: VmId,
    destination: &HostName,
    options: &MigrationOptions,
) -> Result<Preflight, Problem> {
    let before = seen(engine, vm, destination, options);
    let kept = before.as_ref().and_then(|seen| engine.recent.preflight(seen));
    if let Some(preflight) = kept {
        return Ok(preflight);
    }
    let question = Question { vm, to: destination, mode: None, options, recent_will_do: true };
    let preflight = match question.look(engine).await? {
        Look::Refused(refusal) => refused(destination, &refusal),
        Look::Seen(case) => conclude(&case),
    };
    let is_as_before = |seen: &Seen| before.is_some_and(|before| before.numbers == seen.numbers);
    if let Some(seen) = seen(engine, vm, destination, options).filter(is_as_before) {
        engine.recent.keep(seen, preflight.clone());
    }
    Ok(preflight)
}

/// Looks at all registered hosts but the VM's own.
pub(crate) async fn run_all(engine: &Engine, vm: VmId) -> Result<Vec<Preflight>, Problem> {
    let hosts = {
        let inventory = engine.inventory();
        let at = &inventory.vm(vm).ok_or_else(|| admission::unknown_vm(&vm.to_string()))?.host;
        let others = inventory.hosts().filter(|entry| entry.origin != HostOrigin::Temporary);
        others.map(|entry| entry.config.name.clone()).filter(|name| name != at).collect::<Vec<_>>()
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
        let vm = inventory.vm(id).ok_or_else(|| admission::unknown_vm(&id.to_string()))?;
        if let Some(open) = vm.migration {
            return Err(admission::already_migrating(&vm.name, open));
        }
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

/// Everything that follows from what both hosts said.
pub(crate) fn conclude(case: &Case) -> Preflight {
    let (disks, about_disks) =
        storage::plan(&case.domain, &case.source.side(), &case.destination.side(), case.mode, &case.options);
    let (control_flow, about_control_flow) = control_flow::of(case);
    let copies_disks = disks.iter().any(|disk| matches!(disk.treatment, Treatment::Copy { .. }));
    let route = Route { control_flow, copies_disks };
    let (encrypted, about_encryption) = encryption::of(case, &route);
    let topics = [
        destination::findings(case),
        vm::findings(case),
        devices::findings(case),
        machine::findings(case),
        resources::findings(case),
        network::findings(case),
        versions::findings(case),
        reach::findings(case, &route),
        vec![about_control_flow],
        tunnelled::finding(case, &route).into_iter().collect(),
        about_encryption.into_iter().collect(),
        rdma::finding(case, &route).into_iter().collect(),
        about_disks,
    ];
    let mut findings = topics.concat();
    findings.sort_by_key(|finding| (Reverse(finding.severity), finding.code));
    let mut preflight =
        Preflight { destination: case.there().clone(), findings, control_flow, encrypted, disks, prediction: None };
    preflight.prediction = prediction::of(case, preflight.copied_bytes());
    preflight
}

/// The one thing that is wrong, as a preflight.
pub(crate) fn refused(destination: &HostName, refusal: &Refusal) -> Preflight {
    let findings = vec![refusal.finding()];
    Preflight {
        destination: destination.clone(),
        findings,
        control_flow: ControlFlow::PeerToPeer,
        encrypted: false,
        disks: Vec::new(),
        prediction: None,
    }
}

fn seen(engine: &Engine, vm: VmId, destination: &HostName, options: &MigrationOptions) -> Option<Seen> {
    let inventory = engine.inventory();
    let (vm, destination) = (inventory.vm(vm)?.clone(), inventory.shown_host(destination)?.clone());
    let numbers = [inventory.host(&vm.host)?.number, inventory.host(&destination.name)?.number];
    Some(Seen { vm, destination, numbers, options: options.clone() })
}

#[cfg(test)]
mod tests;
