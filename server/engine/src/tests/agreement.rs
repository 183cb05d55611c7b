//! What a preflight calls a blocker fails when it is begun all the same, and what it does not, succeeds.

use model::{FindingCode as Code, Mode, Phase, Severity, VmState};

use super::*;
use crate::{CpuFit, DomainFacts, Interface, MachineFit, Network, SecretUse, Survey};

/// What the VM is made of, and what the destination has.
type Change = (fn(&mut DomainFacts), fn(&mut Survey));

fn network(domain: &mut DomainFacts) {
    domain.interfaces = vec![Interface::Network { name: "lan".into() }];
}

fn bridge(domain: &mut DomainFacts) {
    domain.interfaces = vec![Interface::Bridge { name: "br0".into() }];
}

fn secret(domain: &mut DomainFacts) {
    domain.secrets = vec![SecretUse { target: "vda".into(), uuid: None, usage: Some("ceph".into()) }];
}

fn lan(active: bool) -> Option<Vec<Network>> {
    Some(vec![Network { name: "lan".into(), active }])
}

const OBSTACLES: &[(Code, Change)] = &[
    (Code::BusyWithJob, (|domain| domain.other_job = Some("Dump".into()), |_| {})),
    (Code::Snapshots, (|domain| domain.snapshots = 2, |_| {})),
    (Code::Checkpoints, (|domain| domain.checkpoints = 2, |_| {})),
    (Code::BlockJob, (|domain| domain.block_jobs = vec!["vda".into()], |_| {})),
    (Code::HostDevice, (|domain| domain.host_devices = vec!["PCI 0000:03:00.0".into()], |_| {})),
    (Code::HostDevice, (|domain| domain.interfaces = vec![Interface::HostDevice { kind: "vdpa".into() }], |_| {})),
    (Code::SharedMemory, (|domain| domain.shared_memory = vec!["ring".into()], |_| {})),
    (
        Code::SharedFolder,
        (|domain| domain.shared_folders = vec![crate::Folder { name: "home".into(), path: None }], |_| {}),
    ),
    (Code::Invtsc, (|domain| domain.invtsc_without_frequency = true, |_| {})),
    (Code::Architecture, (|_| {}, |survey| survey.machine = MachineFit::NoArchitecture)),
    (Code::Emulator, (|_| {}, |survey| survey.machine = MachineFit::NoEmulator)),
    (Code::MachineType, (|_| {}, |survey| survey.machine = MachineFit::NoMachine)),
    (Code::Firmware, (|domain| domain.firmware = Some("/fw.fd".into()), |survey| survey.firmware = Some(false))),
    (Code::Cpu, (|_| {}, |survey| survey.cpu = CpuFit::Lacks(vec!["avx2".into()]))),
    (Code::Vcpus, (|_| {}, |survey| survey.cpus = 1)),
    (Code::Memory, (|domain| domain.memory_bytes = 1 << 40, |_| {})),
    (Code::Memory, (|_| {}, |survey| survey.memory_free_bytes = 1)),
    (
        Code::HugePages,
        (|domain| domain.huge_page_bytes = Some(2 << 20), |survey| survey.huge_pages_free_bytes = Some(0)),
    ),
    (Code::Network, (network, |_| {})),
    (Code::Network, (network, |survey| survey.networks = lan(false))),
    (Code::Network, (network, |survey| survey.networks = lan(true))),
    (Code::Bridge, (bridge, |_| {})),
    (Code::Bridge, (bridge, |survey| survey.devices = Some(vec!["br0".into()]))),
    (Code::Secret, (secret, |survey| survey.missing_secrets = Some(vec!["vda".into()]))),
    (Code::Definition, (|_| {}, |survey| survey.definition = Some(Err("unsupported configuration".into())))),
];

#[tokio::test(start_paused = true)]
async fn preflight_and_truth_agree_about_vms_that_run_and_vms_that_are_off() {
    for (row, (code, (vm, survey))) in OBSTACLES.iter().enumerate() {
        for (mode, state) in [(Mode::Live, VmState::Running), (Mode::Offline, VmState::ShutOff)] {
            agrees(&format!("row {row}, {code:?}, {mode:?}"), *code, state, *vm, *survey).await;
        }
    }
}

async fn agrees(what: &str, code: Code, state: VmState, made_of: fn(&mut DomainFacts), has: fn(&mut Survey)) {
    let bench = Bench::new().await;
    let vm = bench.vm("web", state, IDLE).await;
    bench.sim.shape_vm(vm, made_of);
    bench.sim.shape_host(&host("beta"), has);
    let preflight = bench.engine.preflight(vm, &host("beta"), &MigrationOptions::default()).await.unwrap();
    let blockers: Vec<Code> = preflight.of(Severity::Blocker).map(|finding| finding.code).collect();
    assert!(blockers.is_empty() || blockers == [code], "{what}: {preflight:?}");
    let migration = bench.engine.migrate_unchecked(request(vm, "beta"), "admin").await.unwrap();
    let phase = bench.ended(migration.id).await.phase;
    let expected = if blockers.is_empty() { Phase::Succeeded } else { Phase::Failed };
    assert_eq!(phase, expected, "{what}: {preflight:?}");
}
