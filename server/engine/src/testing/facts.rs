//! What simulated VMs are made of, and what simulated hosts have for them; a test may say otherwise.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use model::{HostName, VmId};

use super::{
    Sim,
    host::{SimConnection, SimHost},
};
use crate::hypervisor::{Certificates, CopyFacts, CpuFit, DomainFacts, HostReferences, MachineFit, Probe, Survey};

/// What tests say otherwise.
#[derive(Default)]
pub(super) struct Shapes {
    vms: BTreeMap<VmId, Shape<DomainFacts>>,
    hosts: BTreeMap<HostName, Shape<Survey>>,
    /// What the last survey of a host was to look for.
    looked_for: BTreeMap<HostName, HostReferences>,
    /// Hosts that take questions and never answer.
    hanging: BTreeSet<HostName>,
    /// Addresses whose ports do not answer.
    filtered: BTreeSet<String>,
}

type Shape<T> = Arc<dyn Fn(&mut T) + Send + Sync>;

impl Sim {
    /// From now on the VM is made of what this makes of it.
    pub fn shape_vm(&self, vm: VmId, shape: impl Fn(&mut DomainFacts) + Send + Sync + 'static) {
        self.world().shapes.vms.insert(vm, Arc::new(shape));
    }

    /// From now on the host has what this makes of it.
    pub fn shape_host(&self, host: &HostName, shape: impl Fn(&mut Survey) + Send + Sync + 'static) {
        self.world().shapes.hosts.insert(host.clone(), Arc::new(shape));
    }

    /// From now on the host takes the questions of a preflight and never answers, as one that is short of memory does.
    pub fn hang(&self, host: &HostName) {
        self.world().shapes.hanging.insert(host.clone());
    }

    /// What the host was last surveyed for beside disks, networks and devices.
    pub fn looked_for(&self, host: &HostName) -> HostReferences {
        self.world().shapes.looked_for.get(host).cloned().unwrap_or_default()
    }

    /// From now on a firewall drops what is sent to this address.
    pub fn filter(&self, address: &str) {
        self.world().shapes.filtered.insert(address.to_owned());
    }

    /// What came of knocking there.
    pub(super) fn knock(&self, address: &str) -> Probe {
        match self.world().shapes.filtered.contains(address) {
            true => Probe::Silent("timed out (simulated)".to_owned()),
            false => Probe::Answers,
        }
    }

    /// What the host's copy of the VM is made of.
    pub(super) fn made_of(&self, host: &HostName, vm: VmId) -> Option<DomainFacts> {
        let (mut facts, shape) = {
            let mut world = self.world();
            let there = world.host(host);
            let mut facts = there.copies.get(&vm).map(domain)?;
            facts.autostart = Some(there.autostarted.contains(&vm));
            facts.disks = world.storage.disks.get(&vm).cloned().unwrap_or_default();
            (facts, world.shapes.vms.get(&vm).cloned())
        };
        if let Some(shape) = shape {
            shape(&mut facts);
        }
        Some(facts)
    }

    /// What the host has for such a VM.
    pub(super) fn has_for(&self, host: &HostName, domain: &DomainFacts) -> Survey {
        let (mut survey, shape) = {
            let mut world = self.world();
            world.shapes.looked_for.insert(host.clone(), domain.references.clone());
            (survey(world.host(host), domain), world.shapes.hosts.get(host).cloned())
        };
        survey.pools = Some(self.pools_for(host, domain));
        survey.certificates = Some(certificates(host));
        if let Some(shape) = shape {
            shape(&mut survey);
        }
        survey
    }
}

impl SimConnection {
    /// Waits for ever if the host hangs.
    pub(super) async fn unless_it_hangs(&self) {
        let hangs = self.sim.world().shapes.hanging.contains(&self.name);
        if hangs {
            std::future::pending::<()>().await;
        }
    }
}

/// A VM that any host would take.
fn domain(copy: &CopyFacts) -> DomainFacts {
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

/// Those of a host that can encrypt what others send it, for ever.
fn certificates(host: &HostName) -> Certificates {
    let names = vec![format!("{host}.simulated")];
    Certificates::Usable { authority: "simulated".to_owned(), names, until_ms: u64::MAX }
}

/// A host that takes any VM.
fn survey(host: &SimHost, domain: &DomainFacts) -> Survey {
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
        missing_secrets: Some(Vec::new()),
        ..Survey::default()
    }
}
