//! One row a finding: what both hosts said, and how much it weighs.

use std::collections::BTreeSet;

use model::{ControlFlow, FindingCode as Code, Severity::*};

use super::*;
use crate::{CopyFacts, Interface, Network, SecretUse, Tpm};

type Row = (Code, Severity, fn(&mut Case));

fn networks(case: &mut Case, known: &[(&str, bool)]) {
    of(case).interfaces = vec![Interface::Network { name: "lan".into() }];
    let network = |(name, active): &(&str, bool)| Network { name: (*name).into(), active: *active };
    there(case).networks = Some(known.iter().map(network).collect());
}

fn bridge(case: &mut Case, devices: Option<&[&str]>) {
    of(case).interfaces = vec![Interface::Bridge { name: "br0".into() }];
    there(case).devices = devices.map(|devices| devices.iter().map(|name| (*name).into()).collect());
}

fn secret(case: &mut Case, missing: Option<&[&str]>) {
    of(case).secrets = vec![SecretUse { target: "vda".into(), uuid: None, usage: Some("ceph".into()) }];
    there(case).missing_secrets = missing.map(|disks| disks.iter().map(|disk| (*disk).into()).collect());
}

fn huge_pages(case: &mut Case, free: Option<u64>) {
    of(case).huge_page_bytes = Some(2 << 20);
    there(case).huge_pages_free_bytes = free;
}

fn firmware(case: &mut Case, there_is: Option<bool>) {
    of(case).firmware = Some("/usr/share/OVMF/OVMF_CODE_4M.fd".into());
    there(case).firmware = there_is;
}

fn copy_there(case: &mut Case, name: &str) {
    case.copy_there = Some(CopyFacts {
        vm: case.vm.id,
        name: name.into(),
        state: VmState::ShutOff,
        incoming: false,
        outgoing: false,
        abandoned: false,
        persistent: true,
        vcpus: 2,
        memory_bytes: GIB,
    });
}

fn address(party: &mut Party, address: &str) {
    party.config.peer_address = address.parse().unwrap();
}

#[test]
fn there_is_no_blocker_without_a_reason() {
    let findings = conclude(&case()).findings;
    let others: Vec<_> = findings.iter().filter(|finding| finding.severity != Ok).collect();
    assert_eq!(others.len(), 1, "{others:?}");
    assert_eq!((others[0].code, others[0].severity), (Code::PeerLogin, Unknown));
    let mut off = case();
    offline(&mut off);
    assert!(conclude(&off).findings.iter().all(|finding| finding.severity <= Unknown));
}

#[test]
fn findings_are_told_from_worst_to_best_each_with_what_to_do() {
    let mut case = case();
    of(&mut case).snapshots = 1;
    there(&mut case).cpus = 1;
    networks(&mut case, &[]);
    let findings = conclude(&case).findings;
    assert!(findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
    assert!(findings.iter().filter(|finding| finding.severity == Blocker).all(|finding| finding.fix.is_some()));
    assert_eq!(findings.iter().filter(|finding| finding.severity == Blocker).count(), 2);
}

/// Of a VM that runs.
const LIVE: &[Row] = &[
    (Code::DestinationReachable, Ok, |_| {}),
    (Code::SameHost, Ok, |_| {}),
    (Code::DestinationWritable, Ok, |_| {}),
    (Code::DestinationWritable, Blocker, |case| there(case).writable = false),
    (Code::BusyWithJob, Ok, |_| {}),
    (Code::BusyWithJob, Blocker, |case| of(case).other_job = Some("Dump".into())),
    (Code::VmState, Ok, |_| {}),
    (Code::VmState, Ok, |case| case.vm.state = VmState::Paused),
    (Code::VmState, Warning, |case| case.vm.state = VmState::ShuttingDown),
    (Code::IoError, Warning, |case| of(case).io_error = true),
    (Code::StaleDefinition, Warning, |case| copy_there(case, "web")),
    (Code::UuidTaken, Blocker, |case| copy_there(case, "other")),
    (Code::NameTaken, Ok, |_| {}),
    (Code::NameTaken, Blocker, |case| there(case).name_taken_by = Some(VmId(Uuid::from_u128(2)))),
    (Code::Architecture, Ok, |_| {}),
    (Code::Architecture, Blocker, |case| there(case).machine = MachineFit::NoArchitecture),
    (Code::Emulator, Ok, |_| {}),
    (Code::Emulator, Blocker, |case| there(case).machine = MachineFit::NoEmulator),
    (Code::MachineType, Ok, |_| {}),
    (Code::MachineType, Unknown, |case| there(case).machine = MachineFit::Unknown),
    (Code::MachineType, Blocker, |case| there(case).machine = MachineFit::NoMachine),
    (Code::Firmware, Ok, |case| firmware(case, Some(true))),
    (Code::Firmware, Unknown, |case| firmware(case, None)),
    (Code::Firmware, Blocker, |case| firmware(case, Some(false))),
    (Code::Nvram, Ok, |case| of(case).nvram = Some("/var/lib/libvirt/qemu/nvram/web.fd".into())),
    (Code::Cpu, Ok, |_| {}),
    (Code::Cpu, Unknown, |case| there(case).cpu = CpuFit::Unknown),
    (Code::Cpu, Warning, |case| of(case).cpu_passthrough = true),
    (Code::Cpu, Blocker, |case| there(case).cpu = CpuFit::Lacks(vec!["avx512f".into()])),
    (Code::Cpu, Blocker, |case| there(case).cpu = CpuFit::Lacks(Vec::new())),
    (Code::Invtsc, Blocker, |case| of(case).invtsc_without_frequency = true),
    (Code::Vcpus, Ok, |_| {}),
    (Code::Vcpus, Unknown, |case| there(case).cpus = 0),
    (Code::Vcpus, Warning, |case| of(case).vcpus = 5),
    (Code::Memory, Ok, |_| {}),
    (Code::Memory, Unknown, |case| there(case).memory_free_bytes = 0),
    (Code::Memory, Warning, |case| there(case).memory_free_bytes = GIB),
    (Code::Memory, Blocker, |case| of(case).memory_bytes = 9 * GIB),
    (Code::HugePages, Ok, |case| huge_pages(case, Some(GIB))),
    (Code::HugePages, Unknown, |case| huge_pages(case, None)),
    (Code::HugePages, Blocker, |case| huge_pages(case, Some(GIB - 1))),
    (Code::Network, Ok, |case| networks(case, &[("lan", true)])),
    (Code::Network, Blocker, |case| networks(case, &[("lan", false)])),
    (Code::Network, Blocker, |case| networks(case, &[("other", true)])),
    (Code::Network, Unknown, |case| {
        networks(case, &[]);
        there(case).networks = None;
    }),
    (Code::Bridge, Ok, |case| bridge(case, Some(&["lo", "br0"]))),
    (Code::Bridge, Unknown, |case| bridge(case, None)),
    (Code::Bridge, Blocker, |case| bridge(case, Some(&["lo"]))),
    (Code::Bridge, Blocker, |case| of(case).interfaces = vec![Interface::Direct { device: "eth7".into() }]),
    (Code::HostDevice, Blocker, |case| of(case).host_devices = vec!["PCI 0000:03:00.0".into()]),
    (Code::HostDevice, Blocker, |case| of(case).interfaces = vec![Interface::HostDevice { kind: "vdpa".into() }]),
    (Code::HostDevice, Unknown, |case| of(case).usb_devices = vec!["USB 046d:c077".into()]),
    (Code::SharedFolder, Unknown, |case| of(case).plan9_folders = vec!["old".into()]),
    (Code::SharedMemory, Blocker, |case| of(case).shared_memory = vec!["ring".into()]),
    (Code::SharedFolder, Blocker, |case| of(case).shared_folders = vec!["home".into()]),
    (Code::Tpm, Unknown, |case| of(case).tpm = Some(Tpm::Emulator)),
    (Code::Tpm, Unknown, |case| of(case).tpm = Some(Tpm::External)),
    (Code::Tpm, Warning, |case| of(case).tpm = Some(Tpm::Passthrough)),
    (Code::Secret, Ok, |case| secret(case, Some(&[]))),
    (Code::Secret, Unknown, |case| secret(case, None)),
    (Code::Secret, Blocker, |case| secret(case, Some(&["vda"]))),
    (Code::Snapshots, Ok, |_| {}),
    (Code::Snapshots, Blocker, |case| of(case).snapshots = 2),
    (Code::Checkpoints, Warning, |case| of(case).checkpoints = 1),
    (Code::BlockJob, Ok, |_| {}),
    (Code::BlockJob, Blocker, |case| of(case).block_jobs = vec!["vda".into()]),
    (Code::LibvirtVersion, Ok, |_| {}),
    (Code::LibvirtVersion, Unknown, |case| there(case).libvirt_version = 0),
    (Code::LibvirtVersion, Warning, |case| there(case).libvirt_version = 9_000_000),
    (Code::QemuVersion, Ok, |_| {}),
    (Code::QemuVersion, Unknown, |case| there(case).hypervisor_version = 0),
    (Code::QemuVersion, Warning, |case| there(case).hypervisor_version = 7_002_000),
    (Code::PostCopyWindow, Ok, |case| there(case).libvirt_version = 11_003_000),
    (Code::DataAddress, Ok, |_| {}),
    (Code::DataAddress, Blocker, |case| address(&mut case.destination, "127.0.0.3")),
    (Code::DataAddress, Blocker, |case| address(&mut case.destination, "localhost")),
    (Code::DataAddress, Blocker, |case| address(&mut case.destination, "0.0.0.0")),
    (Code::DataAddress, Ok, |case| {
        address(&mut case.source, "127.0.0.2");
        address(&mut case.destination, "127.0.0.3");
    }),
    (Code::DataPort, Ok, |_| {}),
    (Code::DataPort, Unknown, |case| case.probe = Some(Probe::Silent("no route to host".into()))),
    (Code::PeerLogin, Unknown, |_| {}),
    (Code::PeerLogin, Ok, |case| case.earlier = vec![prediction::move_at(100 << 20)]),
    (Code::PeerLogin, Ok, |case| case.refused_login_ms = Some(case.now_ms)),
    (Code::Tunnelled, Warning, |case| case.options.control_flow = Some(ControlFlow::Tunnelled)),
    (Code::Encryption, Ok, |_| {}),
    (Code::Encryption, Warning, |case| there(case).certificates = None),
    (Code::Encryption, Blocker, |case| (there(case).certificates, case.options.encrypt) = (None, Some(true))),
    (Code::Rdma, Warning, |case| case.options.rdma = true),
    (Code::Definition, Ok, |case| there(case).definition = Some(std::result::Result::Ok(()))),
    (Code::Definition, Blocker, |case| there(case).definition = Some(Err("unsupported configuration".into()))),
];

/// Of a VM that is off: what it lacks there keeps it from starting, not from moving.
const OFFLINE: &[Row] = &[
    (Code::VmState, Ok, |_| {}),
    (Code::VmState, Warning, |case| of(case).saved_memory = true),
    (Code::NameTaken, Blocker, |case| there(case).name_taken_by = Some(VmId(Uuid::from_u128(2)))),
    (Code::Snapshots, Blocker, |case| of(case).snapshots = 2),
    (Code::Architecture, Blocker, |case| there(case).machine = MachineFit::NoArchitecture),
    (Code::Emulator, Blocker, |case| there(case).machine = MachineFit::NoEmulator),
    (Code::MachineType, Warning, |case| there(case).machine = MachineFit::NoMachine),
    (Code::Firmware, Warning, |case| firmware(case, Some(false))),
    (Code::Nvram, Warning, |case| of(case).nvram = Some("/var/lib/libvirt/qemu/nvram/web.fd".into())),
    (Code::Tpm, Warning, |case| of(case).tpm = Some(Tpm::Emulator)),
    (Code::Cpu, Warning, |case| there(case).cpu = CpuFit::Lacks(Vec::new())),
    (Code::Network, Warning, |case| networks(case, &[])),
    (Code::Bridge, Warning, |case| bridge(case, Some(&[]))),
    (Code::Secret, Warning, |case| secret(case, Some(&["vda"]))),
    (Code::Definition, Warning, |case| there(case).definition = Some(Err("unsupported configuration".into()))),
];

#[test]
fn what_is_found_of_a_vm_that_runs() {
    for (row, (code, expected, change)) in LIVE.iter().enumerate() {
        assert_eq!(severity(change, *code), Some(*expected), "row {row}: {code:?}");
    }
}

#[test]
fn what_is_found_of_a_vm_that_is_off() {
    for (row, (code, expected, change)) in OFFLINE.iter().enumerate() {
        let found = severity(
            |case| {
                offline(case);
                change(case);
            },
            *code,
        );
        assert_eq!(found, Some(*expected), "row {row}: {code:?}");
    }
}

#[test]
fn a_vm_that_is_off_needs_no_memory_no_cpus_and_no_port() {
    let not_asked = [
        Code::Memory,
        Code::Vcpus,
        Code::HugePages,
        Code::Invtsc,
        Code::BlockJob,
        Code::IoError,
        Code::HostDevice,
        Code::SharedMemory,
        Code::SharedFolder,
        Code::QemuVersion,
    ];
    for code in not_asked {
        let found = severity(
            |case| {
                offline(case);
                huge_pages(case, Some(0));
                let domain = of(case);
                (domain.invtsc_without_frequency, domain.io_error) = (true, true);
                domain.block_jobs = vec!["vda".into()];
                domain.host_devices = vec!["PCI 0000:03:00.0".into()];
                domain.interfaces = vec![Interface::HostDevice { kind: "hostdev".into() }];
                domain.shared_memory = vec!["ring".into()];
                domain.shared_folders = vec!["home".into()];
            },
            code,
        );
        assert_eq!(found, None, "{code:?}");
    }
}

#[test]
fn every_code_has_a_row_here_with_the_disks_or_is_refused_before() {
    let rows: BTreeSet<Code> = LIVE.iter().chain(OFFLINE).map(|(code, ..)| *code).collect();
    let of_disks = [
        Code::Medium,
        Code::DiskShared,
        Code::DiskCopied,
        Code::DiskExists,
        Code::DiskSpace,
        Code::DiskKind,
        Code::BackingChain,
        Code::LaterDisks,
        Code::Pool,
    ];
    let refused_before = [Code::AlreadyMigrating, Code::RunsThere];
    let without: Vec<&Code> = Code::ALL
        .iter()
        .filter(|code| !rows.contains(code) && !of_disks.contains(code) && !refused_before.contains(code))
        .collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn only_what_may_be_lost_needs_consent() {
    let consent = |row: &&Row| found(row.2, row.0).is_some_and(|finding| finding.consent);
    let live: Vec<Code> = LIVE.iter().filter(consent).map(|row| row.0).collect();
    assert_eq!(live, [Code::Tpm, Code::Tunnelled]);
    let consent = |row: &&Row| {
        let change = |case: &mut Case| {
            offline(case);
            row.2(case);
        };
        found(change, row.0).is_some_and(|finding| finding.consent)
    };
    let off: Vec<Code> = OFFLINE.iter().filter(consent).map(|row| row.0).collect();
    assert_eq!(off, [Code::VmState, Code::Nvram, Code::Tpm]);
}

#[test]
fn what_is_missing_is_named() {
    let cpu = found(|case| there(case).cpu = CpuFit::Lacks(vec!["avx2".into(), "fma".into()]), Code::Cpu).unwrap();
    assert!(cpu.text.contains("avx2, fma"), "{}", cpu.text);
    let memory = found(|case| of(case).memory_bytes = 9 * GIB, Code::Memory).unwrap();
    assert!(memory.text.contains("9.1 GiB") && memory.text.contains("8 GiB"), "{}", memory.text);
}

#[test]
fn a_new_name_is_what_the_destination_is_asked_about() {
    let renamed = |case: &mut Case| {
        case.options.new_name = Some("web-2".into());
        copy_there(case, "web");
    };
    assert_eq!(severity(renamed, Code::UuidTaken), Some(Blocker), "libvirt knows the UUID by one name only");
    let text = found(renamed, Code::NameTaken).unwrap().text;
    assert!(text.contains("web-2"), "{text}");
}
