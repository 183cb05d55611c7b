//! What a simulated libvirt refuses, in the words of the real one: what a preflight finds must be true here, too.

use model::{HostName, Mode};

use super::{Sim, host::MEMORY};
use crate::hypervisor::{CpuFit, DomainFacts, Interface, MachineFit, MigrationPlan, Survey};

impl Sim {
    /// What keeps this migration from succeeding.
    pub(super) fn obstacle(&self, source: &HostName, plan: &MigrationPlan) -> Option<String> {
        let mut domain = self.made_of(source, plan.vm)?;
        let live = plan.mode == Mode::Live;
        if let Some(words) = at_source(&domain, live) {
            return Some(words);
        }
        domain.name = plan.new_name.clone().unwrap_or(domain.name);
        let there = &plan.destination.name;
        if let Some(copy) = self.copy(there, plan.vm).filter(|copy| copy.name != domain.name) {
            return Some(format!("domain '{}' is already defined with uuid {}", copy.name, plan.vm));
        }
        at_destination(&domain, &self.has_for(there, &domain), live)
    }
}

/// What the source refuses before it begins (libvirt's `qemuMigrationSrcIsAllowed`).
fn at_source(domain: &DomainFacts, live: bool) -> Option<String> {
    if domain.snapshots > 0 {
        return Some(format!("cannot migrate domain with {} snapshots", domain.snapshots));
    }
    if !live {
        return None;
    }
    if let Some(job) = &domain.other_job {
        return Some(format!("Timed out during operation: cannot acquire state change lock (held by {job})"));
    }
    if let Some(device) = domain.host_devices.first() {
        return Some(format!("cannot migrate domain: {device}: VFIO migration is not supported in kernel"));
    }
    if !domain.block_jobs.is_empty() {
        return Some("domain has active block job".to_owned());
    }
    if domain.invtsc_without_frequency {
        return Some("domain has 'invtsc' CPU feature but TSC frequency is not specified".to_owned());
    }
    if let Some(name) = domain.shared_memory.first() {
        return Some(format!("shmem device '{name}' cannot be migrated"));
    }
    if !domain.shared_folders.is_empty() {
        return Some("migration with virtiofs device is not supported".to_owned());
    }
    let is_device = |interface: &&Interface| matches!(interface, Interface::HostDevice { .. });
    domain
        .interfaces
        .iter()
        .find(is_device)
        .map(|_| "cannot migrate a domain with <interface type='hostdev'>".to_owned())
}

/// What the destination refuses when it makes room.
fn at_destination(domain: &DomainFacts, survey: &Survey, live: bool) -> Option<String> {
    if let Some(other) = survey.name_taken_by {
        return Some(format!("domain '{}' already exists with uuid {other}", domain.name));
    }
    match survey.machine {
        MachineFit::NoArchitecture => return Some(format!("could not find capabilities for arch={}", domain.arch)),
        MachineFit::NoEmulator => return Some(format!("Cannot check QEMU binary {}: No such file", domain.emulator)),
        MachineFit::NoMachine if live => {
            return Some(format!("Emulator '{}' does not support machine type '{}'", domain.emulator, domain.machine));
        }
        _ => {}
    }
    if live { to_start(domain, survey) } else { None }
}

/// What keeps a VM from starting there.
fn to_start(domain: &DomainFacts, survey: &Survey) -> Option<String> {
    if let Some(Err(words)) = &survey.definition {
        return Some(words.clone());
    }
    if let CpuFit::Lacks(features) = &survey.cpu {
        return Some(format!("guest CPU doesn't match specification: missing features: {}", features.join(",")));
    }
    if survey.firmware == Some(false) {
        return Some("unable to find any master var store for loader".to_owned());
    }
    if let Some(words) = named(domain, survey) {
        return Some(words);
    }
    if domain.memory_bytes > MEMORY || survey.huge_pages_free_bytes.is_some_and(|free| free < domain.memory_bytes) {
        return Some("cannot set up guest memory 'pc.ram': Cannot allocate memory".to_owned());
    }
    if let Some(disk) = survey.missing_secrets.iter().flatten().next() {
        return Some(format!("Secret not found: no secret for {disk}"));
    }
    domain.interfaces.iter().find_map(|interface| match interface {
        Interface::Network { name } => network(name, survey),
        Interface::Bridge { name } | Interface::Direct { device: name } => {
            let is_there = survey.devices.as_ref().is_none_or(|devices| devices.contains(name));
            (!is_there).then(|| format!("Cannot get interface MTU on '{name}': No such device"))
        }
        Interface::HostDevice { .. } | Interface::Independent => None,
    })
}

fn network(name: &str, survey: &Survey) -> Option<String> {
    match survey.networks.as_ref()?.iter().find(|network| network.name == name) {
        Some(network) if network.active => None,
        Some(_) => Some(format!("network '{name}' is not active")),
        None => Some(format!("Network not found: no network with matching name '{name}'")),
    }
}

/// What the definition names of its host and this one does not have, or another VM has.
fn named(domain: &DomainFacts, survey: &Survey) -> Option<String> {
    let (wanted, has) = (&domain.references, &survey.provided);
    if has.cpus.as_ref().is_some_and(|cpus| wanted.cpu_sets.iter().any(|set| set.is_disjoint(cpus))) {
        return Some("cannot set CPU affinity on process 4711: Invalid argument".to_owned());
    }
    if let Some(node) = has.numa_nodes.as_ref().and_then(|nodes| wanted.numa_nodes.difference(nodes).next()) {
        return Some(format!("unsupported configuration: NUMA node {node} is unavailable"));
    }
    let filters = has.network_filters.as_ref();
    if let Some(filter) = filters.and_then(|filters| wanted.network_filters.difference(filters).next()) {
        return Some(format!("Network filter not found: no nwfilter with matching name '{filter}'"));
    }
    let mut running = has.neighbours.iter().flatten().filter(|neighbour| neighbour.active);
    let has_cid = |cid| running.any(|neighbour| neighbour.references.vsock_cid == Some(cid));
    let taken = wanted.vsock_cid.is_some_and(has_cid);
    taken.then(|| "unable to set vsock guest CID: Address already in use".to_owned())
}
