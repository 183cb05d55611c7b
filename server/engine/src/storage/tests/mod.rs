//! Plans, case by case: a VM on alpha that shall go to beta.

mod extras;
mod medium;
mod plan;

use model::{DiskPlan, Finding, MigrationOptions, Mode};

use super::plan::{Plan, Side, decide, plan as shown};
use crate::{
    hypervisor::{Disk, DiskDevice, DiskSource, DomainFacts, HostConfig, ImageExtras, Pool, Survey, Volume},
    testing::Sim,
};

/// Everything that a plan depends on.
struct Bench {
    domain: DomainFacts,
    source: HostConfig,
    destination: HostConfig,
    source_pools: Vec<Pool>,
    destination_pools: Vec<Pool>,
    /// Whether the destination tells its pools.
    destination_tells: bool,
    /// The hosts' versions of libvirt.
    source_libvirt: u64,
    destination_libvirt: u64,
    /// What migrations have left at the destination, by pool and name.
    left_volumes: Vec<(String, String)>,
    mode: Mode,
    options: MigrationOptions,
}

impl Bench {
    /// A running VM with one disk, and hosts without pools.
    fn of(disk: Disk) -> Self {
        let sim = Sim::new();
        Self {
            domain: DomainFacts { name: "web".into(), disks: vec![disk], ..DomainFacts::default() },
            source: sim.add_host("alpha"),
            destination: sim.add_host("beta"),
            source_pools: Vec::new(),
            destination_pools: Vec::new(),
            destination_tells: true,
            source_libvirt: 11_003_000,
            destination_libvirt: 11_003_000,
            left_volumes: Vec::new(),
            mode: Mode::Live,
            options: MigrationOptions::default(),
        }
    }

    fn surveys(&self) -> (Survey, Survey) {
        let survey = |pools: &Vec<Pool>, libvirt_version| Survey {
            pools: Some(pools.clone()),
            libvirt_version,
            ..Survey::default()
        };
        let mut destination = survey(&self.destination_pools, self.destination_libvirt);
        if !self.destination_tells {
            destination.pools = None;
        }
        (survey(&self.source_pools, self.source_libvirt), destination)
    }

    fn plan(&self) -> (Vec<DiskPlan>, Vec<Finding>) {
        let (on_source, on_destination) = self.surveys();
        let source = Side { config: &self.source, survey: &on_source, left_volumes: &[] };
        let destination = Side { config: &self.destination, survey: &on_destination, left_volumes: &self.left_volumes };
        shown(&self.domain, &source, &destination, self.mode, &self.options)
    }

    fn decide(&self) -> Plan {
        let (on_source, on_destination) = self.surveys();
        let source = Side { config: &self.source, survey: &on_source, left_volumes: &[] };
        let destination = Side { config: &self.destination, survey: &on_destination, left_volumes: &self.left_volumes };
        decide(&self.domain, source, destination, self.mode, &self.options)
    }
}

/// A disk of 1 GiB that allocates 1 MiB, without contents.
fn disk() -> Disk {
    Disk {
        target: "vda".into(),
        device: DiskDevice::Disk,
        source: DiskSource::Empty,
        format: "qcow2".into(),
        read_only: false,
        shareable: false,
        transient: false,
        capacity_bytes: 1 << 30,
        allocation_bytes: 1 << 20,
        has_backing: false,
        has_data_file_or_slice: false,
        extras: Some(ImageExtras::default()),
        optional: false,
    }
}

pub(crate) fn file(path: &str) -> Disk {
    Disk { source: DiskSource::File { path: path.into() }, ..disk() }
}

/// An active directory pool with 100 GiB free.
pub(crate) fn pool(name: &str, path: &str) -> Pool {
    Pool {
        name: name.into(),
        kind: "dir".into(),
        active: true,
        path: Some(path.into()),
        source: None,
        available_bytes: 100 << 30,
        volumes: Vec::new(),
    }
}

fn volume(path: &str, capacity_bytes: u64) -> Volume {
    Volume {
        name: path.rsplit('/').next().unwrap().into(),
        path: path.into(),
        format: "raw".into(),
        capacity_bytes,
        allocation_bytes: 0,
        length_bytes: None,
        has_backing: false,
        modified: None,
    }
}
