//! Preflight's pure half: from facts to findings.

mod control_flow;
mod findings;
mod history;
mod prediction;
mod references;

use std::sync::Arc;

use model::{Finding, FindingCode, HostOrigin, MigrationOptions, Mode, Severity, Vm, VmId, VmState, examples};
use uuid::Uuid;

use super::{
    conclude,
    input::{Party, PreflightInput},
};
use crate::hypervisor::{
    Address, Certificates, CpuFit, Daemon, DomainFacts, HostConfig, MachineFit, Probe, Survey, Transport,
};

const GIB: u64 = 1 << 30;

/// A VM that could go: every finding is ok, but for the login, which is unknown.
fn input() -> PreflightInput {
    let id = VmId(Uuid::from_u128(1));
    PreflightInput {
        vm: Vm { vcpus: 2, memory_bytes: GIB, ..examples::vm(1, "web", "alpha") },
        mode: Mode::Live,
        options: MigrationOptions::default(),
        domain: Arc::new(domain(id)),
        source: party("alpha"),
        destination: party("beta"),
        copy_there: None,
        may_be_another_there: false,
        probe: Some(Probe::Answers),
        earlier: Vec::new(),
        refused_login_ms: None,
        own: Vec::new(),
        reserved_bytes: 0,
        curve: None,
        now_ms: 1_000_000,
    }
}

fn domain(vm: VmId) -> DomainFacts {
    DomainFacts {
        vm,
        name: "web".into(),
        arch: "x86_64".into(),
        virt_type: "kvm".into(),
        emulator: "/usr/bin/qemu-system-x86_64".into(),
        machine: "pc-q35-10.0".into(),
        memory_bytes: GIB,
        vcpus: 2,
        autostart: Some(false),
        ..DomainFacts::default()
    }
}

/// Those of a host under its address, good for an hour.
fn certificates(name: &str) -> Certificates {
    let names = vec![format!("{name}.example.org")];
    Certificates::Usable { authority: "5ca1ab1e".into(), names, until_ms: 1_000_000 + 3_600_000 }
}

fn party(name: &str) -> Party {
    let address: Address = format!("{name}.example.org").parse().unwrap();
    let transport = Transport::Tcp { address: address.clone(), port: 16509, daemon: Daemon::System };
    Party {
        config: HostConfig {
            name: name.parse().unwrap(),
            transport: transport.clone(),
            peer_address: address,
            peer_transport: transport,
            bandwidth_mib_s: None,
            policy_defaults: model::PolicyDefaults::default(),
            shared_directories: Vec::new(),
            budget: model::HostBudget::default(),
        },
        origin: HostOrigin::Configured,
        memory_bytes: 8 * GIB,
        survey: Arc::new(Survey {
            libvirt_version: 11_005_000,
            hypervisor_version: 10_000_002,
            writable: true,
            machine: MachineFit::Fits,
            cpu: CpuFit::Fits,
            cpus: 4,
            memory_free_bytes: 4 * GIB,
            networks: Some(Vec::new()),
            devices: Some(Vec::new()),
            pools: Some(Vec::new()),
            missing_secrets: Some(Vec::new()),
            certificates: Some(certificates(name)),
            rdma: Some(false),
            ..Survey::default()
        }),
        left_volumes: Vec::new(),
        maintenance: None,
    }
}

/// What is found about this, once the input was changed.
fn found(change: impl FnOnce(&mut PreflightInput), code: FindingCode) -> Option<Finding> {
    let mut input = input();
    change(&mut input);
    conclude(&input).findings.into_iter().find(|finding| finding.code == code)
}

fn severity(change: impl FnOnce(&mut PreflightInput), code: FindingCode) -> Option<Severity> {
    found(change, code).map(|finding| finding.severity)
}

fn on_destination(input: &mut PreflightInput) -> &mut Survey {
    Arc::make_mut(&mut input.destination.survey)
}

fn of(input: &mut PreflightInput) -> &mut DomainFacts {
    Arc::make_mut(&mut input.domain)
}

fn offline(input: &mut PreflightInput) {
    (input.mode, input.vm.state) = (Mode::Offline, VmState::ShutOff);
}
