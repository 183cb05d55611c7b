//! What happens to each disk: decided by evidence, never because a file of that name exists there.

use model::{DiskPlan, Finding, FindingCode, HostName, MigrationOptions, Mode, PoolChoice, Treatment};

use super::{
    medium, next_start,
    place::{self, Spent},
    shared::{self, Evidence, PoolPair},
};
use crate::hypervisor::{Disk, DiskDevice, DiskSource, DomainFacts, HostConfig, Pool, Survey};

/// One of the two hosts, as far as disks go.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) config: &'a HostConfig,
    pub(crate) survey: &'a Survey,
    /// Volumes, by pool and name, that migrations have left there and vmferry is removing.
    pub(crate) left_volumes: &'a [(String, String)],
}

impl<'a> Side<'a> {
    pub(super) fn name(self) -> &'a HostName {
        &self.config.name
    }

    /// Its pools; none where it does not tell.
    pub(super) fn pools(self) -> &'a [Pool] {
        self.survey.pools.as_deref().unwrap_or_default()
    }

    pub(super) fn pool(self, name: &str) -> Option<&'a Pool> {
        self.pools().iter().find(|pool| pool.name == name)
    }
}

/// One move, as far as disks go.
#[derive(Clone, Copy)]
pub(super) struct PlanInput<'a> {
    pub(super) domain: &'a DomainFacts,
    pub(super) source: Side<'a>,
    pub(super) destination: Side<'a>,
    pub(super) mode: Mode,
    pub(super) options: &'a MigrationOptions,
}

/// What happens to a VM's disks, and what was found about them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Every disk that the guest can write to.
    pub(crate) disks: Vec<PlannedDisk>,
    /// Drives whose medium is to be ejected first.
    pub(crate) eject: Vec<String>,
    pub(crate) findings: Vec<Finding>,
}

/// A disk that the guest can write to, and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct PlannedDisk {
    pub(crate) disk: Disk,
    /// Its path, or what a network disk is called.
    pub(crate) source: String,
    pub(crate) fate: Fate,
}

/// Whether a disk stays or is copied.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Shared(Evidence),
    Copied(Place),
    /// A finding says why.
    Stuck,
}

/// Where a disk is copied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pool: String,
    pub(crate) volume: String,
    /// Whether the new volume is a block device rather than a file.
    pub(crate) is_block: bool,
    /// The source's pool and volume; none if the image is in no pool there.
    pub(crate) origin: Option<(String, String)>,
    /// What is free in that pool, in bytes.
    pub(crate) available_bytes: u64,
    pub(crate) other_pools: Vec<PoolChoice>,
}

/// What happens to each disk, and what was found about each. Pure: asks no host.
pub(crate) fn plan(
    domain: &DomainFacts,
    source: &Side<'_>,
    destination: &Side<'_>,
    mode: Mode,
    options: &MigrationOptions,
) -> (Vec<DiskPlan>, Vec<Finding>) {
    let plan = decide(domain, *source, *destination, mode, options);
    (plan.disks.iter().map(PlannedDisk::shown).collect(), plan.findings)
}

/// The same with all that is needed to do it.
pub(crate) fn decide(
    domain: &DomainFacts,
    source: Side<'_>,
    destination: Side<'_>,
    mode: Mode,
    options: &MigrationOptions,
) -> Plan {
    let input = PlanInput { domain, source, destination, mode, options };
    let (mut plan, mut spent) = (Plan::default(), Spent::default());
    for disk in &domain.disks {
        if disk.source == DiskSource::Empty {
            continue;
        }
        if disk.read_only || matches!(disk.device, DiskDevice::Cdrom | DiskDevice::Floppy) {
            medium::check(input, disk, &mut plan);
            continue;
        }
        let source = location(input, disk);
        let fate = fate(input, disk, &source, &mut spent, &mut plan.findings);
        plan.disks.push(PlannedDisk { disk: disk.clone(), source, fate });
    }
    plan.findings.extend(next_start::findings(input));
    plan
}

/// Where a disk is, in words or as a path. A volume is resolved by its pool.
pub(super) fn location(input: PlanInput<'_>, disk: &Disk) -> String {
    match &disk.source {
        DiskSource::Empty => String::new(),
        DiskSource::File { path } | DiskSource::Block { path } => path.clone(),
        DiskSource::Network { protocol, name, .. } => format!("{protocol}:{name}"),
        DiskSource::Other { kind } => kind.clone(),
        DiskSource::Volume { pool, volume } => {
            let path = input.source.pool(pool).and_then(|pool| {
                let known = pool.volumes.iter().find(|known| &known.name == volume).map(|known| known.path.clone());
                known.or_else(|| pool.path.as_ref().map(|path| format!("{path}/{volume}")))
            });
            path.unwrap_or_else(|| format!("{pool}/{volume}"))
        }
    }
}

/// What happens to a disk that the guest can write to.
fn fate(input: PlanInput<'_>, disk: &Disk, path: &str, spent: &mut Spent, findings: &mut Vec<Finding>) -> Fate {
    if let Some(problem) = kind(input.mode, disk) {
        findings.push(problem);
        return Fate::Stuck;
    }
    match shared::evidence(input, disk, path) {
        Ok(Some(evidence)) => {
            findings.extend(shared::findings(input, disk, &evidence));
            return Fate::Shared(evidence);
        }
        Ok(None) => {}
        Err(problem) => {
            findings.push(problem);
            return Fate::Stuck;
        }
    }
    match place::choose(input, disk, path, spent, findings) {
        Ok(place) => Fate::Copied(place),
        Err(problem) => {
            findings.push(problem);
            Fate::Stuck
        }
    }
}

/// Disks of a kind that can't move. While the VM is off there is nothing that a transient disk would throw away.
fn kind(mode: Mode, disk: &Disk) -> Option<Finding> {
    let target = &disk.target;
    if disk.transient && mode == Mode::Live {
        let text =
            format!("What is written to {target} is thrown away at power-off (transient); libvirt moves no such disk.");
        return Some(
            Finding::blocker(FindingCode::DiskKind, text).with_fix("Shut the VM down, or make the disk a lasting one."),
        );
    }
    match &disk.source {
        DiskSource::Other { kind } => Some(
            Finding::blocker(FindingCode::DiskKind, format!("{target} is a disk of type {kind}, which can't move."))
                .with_fix("Detach it, or put its contents on a disk of another kind."),
        ),
        _ => None,
    }
}

impl Plan {
    /// Disks that are copied, and where to.
    pub(crate) fn copies(&self) -> impl Iterator<Item = (&PlannedDisk, &Place)> {
        self.disks.iter().filter_map(|disk| match &disk.fate {
            Fate::Copied(place) => Some((disk, place)),
            _ => None,
        })
    }

    /// Whether libvirt has to be told to believe the hosts' settings: it may not see by itself that a disk is shared.
    pub(crate) fn trusts_settings(&self) -> bool {
        self.disks.iter().any(|disk| matches!(&disk.fate, Fate::Shared(Evidence::Directory { .. })))
    }
}

impl PlannedDisk {
    /// Where a token would prove that it is shared.
    pub(crate) fn proof(&self) -> Option<&PoolPair> {
        match &self.fate {
            Fate::Shared(evidence) => evidence.proof(),
            _ => None,
        }
    }

    /// As people and programs see it.
    fn shown(&self) -> DiskPlan {
        let treatment = match &self.fate {
            Fate::Shared(evidence) => Treatment::Shared { evidence: evidence.words() },
            Fate::Copied(Place { pool, volume, available_bytes, other_pools, .. }) => Treatment::Copy {
                pool: pool.clone(),
                volume: volume.clone(),
                available_bytes: *available_bytes,
                other_pools: other_pools.clone(),
            },
            Fate::Stuck => Treatment::Stuck,
        };
        let Disk { target, capacity_bytes, .. } = &self.disk;
        DiskPlan { target: target.clone(), source: self.source.clone(), capacity_bytes: *capacity_bytes, treatment }
    }
}
