//! Obstacles that can't be made for real on any machine: host devices, too little memory, other processors. The hosts are simulated,
//! so these trials are counted separately.

use std::{sync::Arc, time::Duration};

use engine::{
    CpuFit, DomainFacts, Engine, HostReferences, Interface, MachineFit, Neighbour, Survey,
    testing::{Load, Sim},
};
use model::{FindingCode as Code, MigrationOptions, MigrationRequest, Phase, Severity, VmState};
use store::MemoryStore;
use tokio::time::timeout;

use crate::{obstacle::Outcome, table::Row, trial::until};

/// The VM's memory, in bytes: little, because the simulator runs on the real clock here.
const MEMORY: u64 = 1 << 20;
/// More than a simulated host has in all, in bytes.
const TOO_MUCH: u64 = 1 << 40;
/// Nothing here takes this long.
const LIMIT: Duration = Duration::from_secs(20);

struct Simulated {
    name: &'static str,
    code: Code,
    severity: Severity,
    vm: fn(&mut DomainFacts),
    destination: fn(&mut Survey),
}

const OBSTACLES: &[Simulated] = &[
    blocker(
        "a PCI device of the host",
        Code::HostDevice,
        |vm| vm.host_devices = vec!["PCI 0000:03:00.0".into()],
        |_| {},
    ),
    blocker(
        "a network interface that is a device of the host",
        Code::HostDevice,
        |vm| vm.interfaces = vec![Interface::HostDevice { kind: "hostdev".into() }],
        |_| {},
    ),
    blocker("more memory than the host has", Code::Memory, |vm| vm.memory_bytes = TOO_MUCH, |_| {}),
    Simulated {
        name: "less free memory than it needs",
        code: Code::Memory,
        severity: Severity::Warning,
        vm: |_| {},
        destination: |survey| survey.memory_free_bytes = 1,
    },
    blocker(
        "huge pages that the destination lacks",
        Code::HugePages,
        |vm| vm.huge_page_bytes = Some(2 << 20),
        |survey| survey.huge_pages_free_bytes = Some(0),
    ),
    blocker(
        "features that the destination's CPU lacks",
        Code::Cpu,
        |_| {},
        |survey| survey.cpu = CpuFit::Lacks(vec!["avx512f".into()]),
    ),
    blocker("an invariant time stamp counter", Code::Invtsc, |vm| vm.invtsc_without_frequency = true, |_| {}),
    blocker("another architecture", Code::Architecture, |_| {}, |survey| survey.machine = MachineFit::NoArchitecture),
    blocker(
        "a running VM pinned to a CPU that the destination lacks",
        Code::PinnedCpus,
        |vm| vm.references.cpu_sets = vec![[7].into()],
        |survey| survey.provided.cpus = Some([0, 1].into()),
    ),
    blocker(
        "a running VM with memory of a NUMA node that the destination lacks",
        Code::NumaNodes,
        |vm| vm.references.numa_nodes = [1].into(),
        |survey| survey.provided.numa_nodes = Some([0].into()),
    ),
    blocker(
        "a running VM with a network filter that the destination lacks",
        Code::NetworkFilter,
        |vm| vm.references.network_filters = ["clean-traffic".to_owned()].into(),
        |survey| survey.provided.network_filters = Some([].into()),
    ),
    blocker(
        "a vsock context ID that another VM has",
        Code::VsockCid,
        |vm| vm.references.vsock_cid = Some(7),
        |survey| {
            let references = HostReferences { vsock_cid: Some(7), ..HostReferences::default() };
            survey.provided.neighbours = Some(vec![Neighbour { name: "other".into(), active: true, references }]);
        },
    ),
    Simulated {
        name: "an older libvirt",
        code: Code::LibvirtVersion,
        severity: Severity::Warning,
        vm: |_| {},
        destination: |survey| survey.libvirt_version = 9_000_000,
    },
];

const fn blocker(name: &'static str, code: Code, vm: fn(&mut DomainFacts), destination: fn(&mut Survey)) -> Simulated {
    Simulated { name, code, severity: Severity::Blocker, vm, destination }
}

/// Tries all of them.
pub async fn try_all() -> Vec<Row> {
    let mut rows = Vec::new();
    for obstacle in OBSTACLES {
        rows.push(timeout(LIMIT, try_out(obstacle)).await.expect("it ends"));
    }
    rows
}

async fn try_out(obstacle: &Simulated) -> Row {
    let sim = Sim::new();
    let [source, destination] = ["source", "destination"].map(|name| sim.add_host(name));
    let load = Load { memory_bytes: MEMORY, dirty_bytes_s: 0 };
    let vm = sim.add_vm(&source.name, "web", VmState::Running, load);
    sim.shape_vm(vm, obstacle.vm);
    sim.shape_host(&destination.name, obstacle.destination);
    let (from, to) = (source.name.clone(), destination.name.clone());
    let engine =
        Engine::start(vec![source, destination], Arc::new(sim.clone()), Arc::new(MemoryStore::default())).await;
    let engine = engine.expect("a new store is sound");
    until(&engine, |now| now.is_ready() && now.snapshot(None).vms.iter().any(|known| known.id == vm)).await;
    let preflight = engine.preflight(vm, &to, &MigrationOptions::default()).await.expect("a preflight can be run");
    let request = MigrationRequest {
        vm,
        destination: to.clone(),
        mode: None,
        options: MigrationOptions::default(),
        accept: Vec::new(),
    };
    let begun = engine.migrate_unchecked(request, "the test").await.expect("it starts regardless of the findings");
    let ended =
        |now: &Engine| now.snapshot(None).migrations.iter().any(|one| one.id == begun.id && one.phase.has_ended());
    until(&engine, ended).await;
    let (migration, _) = engine.migration(begun.id).await.expect("it was begun");
    engine.stop().await;
    let outcome = Outcome::of(migration.phase == Phase::Succeeded);
    let agrees =
        preflight.findings.iter().any(|found| (found.code, found.severity) == (obstacle.code, obstacle.severity))
            && preflight.of(Severity::Blocker).all(|found| found.code == obstacle.code)
            && outcome == Outcome::of(obstacle.severity != Severity::Blocker)
            && sim.runs_on(vm) == [if outcome == Outcome::Succeeds { to } else { from }];
    Row {
        obstacle: obstacle.name,
        hosts: "simulated".to_owned(),
        code: obstacle.code,
        severity: obstacle.severity,
        outcome,
        disagreement: (!agrees).then(|| format!("{preflight:?}, then {:?}", migration.problem)),
        words: migration.problem.map(|problem| problem.details.unwrap_or(problem.sentence)),
    }
}
