//! One row a finding: what both hosts said, and how much it weighs.

use std::collections::BTreeSet;

use model::{ControlFlow, EvacuationId, FindingCode as Code, Maintenance, MaintenanceStage, Severity::*};
use uuid::Uuid;

use super::*;
use crate::hypervisor::{
    CopyFacts, DhcpNetwork, Folder, Interface, KeptFile, KeptIn, Network, SecretUse, StateReason, Tpm,
};

pub(super) type Row = (Code, Severity, fn(&mut PreflightInput));

fn networks(input: &mut PreflightInput, known: &[(&str, bool)]) {
    of(input).interfaces = vec![Interface::Network { name: "lan".into() }];
    let network = |(name, active): &(&str, bool)| Network { name: (*name).into(), active: *active };
    on_destination(input).networks = Some(known.iter().map(network).collect());
}

fn bridge(input: &mut PreflightInput, devices: Option<&[&str]>) {
    of(input).interfaces = vec![Interface::Bridge { name: "br0".into() }];
    on_destination(input).devices = devices.map(|devices| devices.iter().map(|name| (*name).into()).collect());
}

/// The source's network gives the VM this address, or any; the destination's would give it that one.
fn dhcp(input: &mut PreflightInput, here: Option<&str>, there: &str) {
    let mac = "52:54:00:ab:cd:ef";
    of(input).interfaces = vec![Interface::Network { name: "lan".into() }];
    of(input).references.macs = [mac.to_owned()].into();
    let network = |address: Option<&str>| {
        let fixed = address.map(|address| (mac.to_owned(), address.to_owned())).into_iter().collect();
        Some(vec![DhcpNetwork { name: "lan".into(), fixed }])
    };
    Arc::make_mut(&mut input.source.survey).dhcp = network(here);
    on_destination(input).dhcp = network(Some(there));
}

fn secret(input: &mut PreflightInput, missing: Option<&[&str]>) {
    of(input).secrets = vec![SecretUse { target: "vda".into(), uuid: None, usage: Some("ceph".into()) }];
    on_destination(input).missing_secrets = missing.map(|disks| disks.iter().map(|disk| (*disk).into()).collect());
}

fn huge_pages(input: &mut PreflightInput, free: Option<u64>) {
    of(input).huge_page_bytes = Some(2 << 20);
    on_destination(input).huge_pages_free_bytes = free;
}

fn firmware(input: &mut PreflightInput, there_is: Option<bool>) {
    of(input).firmware = Some("/usr/share/OVMF/OVMF_CODE_4M.fd".into());
    on_destination(input).firmware = there_is;
}

fn folder(path: &str) -> Folder {
    Folder { name: "folder".into(), path: Some(path.into()) }
}

fn keep(domain: &mut DomainFacts, kind: KeptIn, path: &str) {
    domain.kept_files = vec![KeptFile { path: path.into(), kind }];
}

/// Both hosts share /shared.
pub(super) fn shared(input: &mut PreflightInput, change: fn(&mut DomainFacts)) {
    for party in [&mut input.source, &mut input.destination] {
        party.config.shared_directories = vec!["/shared".into()];
    }
    change(of(input));
}

fn emptied() -> Maintenance {
    Maintenance {
        stage: MaintenanceStage::Empty,
        since_ms: 0,
        reason: "kernel update".into(),
        by: "ada".into(),
        evacuation: EvacuationId(Uuid::nil()),
        home: None,
        told: Vec::new(),
    }
}

fn copy_there(input: &mut PreflightInput, name: &str) {
    input.copy_there = Some(CopyFacts {
        vm: input.vm.id,
        name: name.into(),
        title: None,
        tags: Vec::new(),
        state: VmState::ShutOff,
        reason: StateReason::Shutdown,
        incoming: false,
        outgoing: false,
        abandoned: false,
        persistent: true,
        vcpus: 2,
        vcpus_max: 2,
        memory_bytes: GIB,
        memory_now_bytes: GIB,
        disks: None,
        macs: Vec::new(),
        cpu_time_ns: None,
    });
}

fn address(party: &mut Party, address: &str) {
    party.config.peer_address = address.parse().unwrap();
}

#[test]
fn there_is_no_blocker_without_a_reason() {
    let findings = conclude(&input()).findings;
    let others: Vec<_> = findings.iter().filter(|finding| finding.severity != Ok).collect();
    assert_eq!(others.len(), 1, "{others:?}");
    assert_eq!((others[0].code, others[0].severity), (Code::PeerLogin, Unknown));
    let mut off = input();
    offline(&mut off);
    assert!(conclude(&off).findings.iter().all(|finding| finding.severity <= Unknown));
}

#[test]
fn findings_are_told_from_worst_to_best_each_with_what_to_do() {
    let mut input = input();
    of(&mut input).snapshots = 1;
    on_destination(&mut input).cpus = 1;
    networks(&mut input, &[]);
    let findings = conclude(&input).findings;
    assert!(findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
    assert!(findings.iter().filter(|finding| finding.severity == Blocker).all(|finding| finding.fix.is_some()));
    assert_eq!(findings.iter().filter(|finding| finding.severity == Blocker).count(), 2);
}

/// Of a VM that runs.
const LIVE: &[Row] = &[
    (Code::DestinationReachable, Ok, |_| {}),
    (Code::SameHost, Ok, |_| {}),
    (Code::DestinationWritable, Ok, |_| {}),
    (Code::DestinationWritable, Blocker, |input| on_destination(input).writable = false),
    (Code::BusyWithJob, Ok, |_| {}),
    (Code::BusyWithJob, Blocker, |input| of(input).other_job = Some("Dump".into())),
    (Code::VmState, Ok, |_| {}),
    (Code::VmState, Ok, |input| input.vm.state = VmState::Paused),
    (Code::VmState, Warning, |input| input.vm.state = VmState::ShuttingDown),
    (Code::IoError, Warning, |input| of(input).io_error = true),
    (Code::StaleDefinition, Warning, |input| copy_there(input, "web")),
    (Code::StaleDefinition, Warning, |input| {
        copy_there(input, "web");
        input.may_be_another_there = true;
    }),
    (Code::UuidTaken, Blocker, |input| copy_there(input, "other")),
    (Code::NameTaken, Ok, |_| {}),
    (Code::NameTaken, Blocker, |input| on_destination(input).name_taken_by = Some(VmId(Uuid::from_u128(2)))),
    (Code::Architecture, Ok, |_| {}),
    (Code::Architecture, Blocker, |input| on_destination(input).machine = MachineFit::NoArchitecture),
    (Code::Emulator, Ok, |_| {}),
    (Code::Emulator, Blocker, |input| on_destination(input).machine = MachineFit::NoEmulator),
    (Code::MachineType, Ok, |_| {}),
    (Code::MachineType, Unknown, |input| on_destination(input).machine = MachineFit::Unknown),
    (Code::MachineType, Blocker, |input| on_destination(input).machine = MachineFit::NoMachine),
    (Code::Firmware, Ok, |input| firmware(input, Some(true))),
    (Code::Firmware, Unknown, |input| firmware(input, None)),
    (Code::Firmware, Blocker, |input| firmware(input, Some(false))),
    (Code::Nvram, Unknown, |input| of(input).nvram = Some("/var/lib/libvirt/qemu/nvram/web.fd".into())),
    (Code::Nvram, Ok, |input| {
        of(input).nvram = Some("/var/lib/libvirt/qemu/nvram/web.fd".into());
        of(input).nvram_has_template = true;
    }),
    (Code::Cpu, Ok, |_| {}),
    (Code::Cpu, Unknown, |input| on_destination(input).cpu = CpuFit::Unknown),
    (Code::Cpu, Warning, |input| of(input).cpu_passthrough = true),
    (Code::Cpu, Blocker, |input| on_destination(input).cpu = CpuFit::Lacks(vec!["avx512f".into()])),
    (Code::Cpu, Blocker, |input| on_destination(input).cpu = CpuFit::Lacks(Vec::new())),
    (Code::Invtsc, Blocker, |input| of(input).invtsc_without_frequency = true),
    (Code::Maintenance, Ok, |_| {}),
    (Code::Maintenance, Warning, |input| input.destination.maintenance = Some(emptied())),
    (Code::Vcpus, Ok, |_| {}),
    (Code::Vcpus, Unknown, |input| on_destination(input).cpus = 0),
    (Code::Vcpus, Warning, |input| of(input).vcpus = 5),
    (Code::Memory, Ok, |_| {}),
    (Code::Memory, Unknown, |input| on_destination(input).memory_free_bytes = 0),
    (Code::Memory, Warning, |input| on_destination(input).memory_free_bytes = GIB),
    (Code::Memory, Warning, |input| input.reserved_bytes = 3 * GIB),
    (Code::Memory, Ok, |input| input.reserved_bytes = 2 * GIB),
    (Code::Memory, Blocker, |input| of(input).memory_bytes = 9 * GIB),
    (Code::HugePages, Ok, |input| huge_pages(input, Some(GIB))),
    (Code::HugePages, Unknown, |input| huge_pages(input, None)),
    (Code::HugePages, Blocker, |input| huge_pages(input, Some(GIB - 1))),
    (Code::Network, Ok, |input| networks(input, &[("lan", true)])),
    (Code::Network, Blocker, |input| networks(input, &[("lan", false)])),
    (Code::Network, Blocker, |input| networks(input, &[("other", true)])),
    (Code::Network, Unknown, |input| {
        networks(input, &[]);
        on_destination(input).networks = None;
    }),
    (Code::Bridge, Ok, |input| bridge(input, Some(&["lo", "br0"]))),
    (Code::Bridge, Unknown, |input| bridge(input, None)),
    (Code::Bridge, Blocker, |input| bridge(input, Some(&["lo"]))),
    (Code::Bridge, Blocker, |input| of(input).interfaces = vec![Interface::Direct { device: "eth7".into() }]),
    (Code::HostDevice, Blocker, |input| of(input).host_devices = vec!["PCI 0000:03:00.0".into()]),
    (Code::HostDevice, Blocker, |input| of(input).interfaces = vec![Interface::HostDevice { kind: "vdpa".into() }]),
    (Code::HostDevice, Unknown, |input| of(input).usb_devices = vec!["USB 046d:c077".into()]),
    (Code::SharedFolder, Warning, |input| of(input).plan9_folders = vec![folder("/local/old")]),
    (Code::SharedFolder, Unknown, |input| shared(input, |domain| domain.plan9_folders = vec![folder("/shared")])),
    (Code::SharedMemory, Blocker, |input| of(input).shared_memory = vec!["ring".into()]),
    (Code::SharedFolder, Blocker, |input| of(input).shared_folders = vec![folder("/local/home")]),
    (Code::PersistentMemory, Unknown, |input| keep(of(input), KeptIn::Nvdimm, "/local/pm")),
    (Code::PersistentMemory, Warning, |input| shared(input, |domain| keep(domain, KeptIn::Nvdimm, "/shared/pm"))),
    (Code::PersistentMemory, Warning, |input| keep(of(input), KeptIn::PrivateNvdimm, "/local/pm")),
    (Code::PersistentMemory, Ok, |input| shared(input, |domain| keep(domain, KeptIn::PrivateNvdimm, "/shared/pm"))),
    (Code::PersistentMemory, Warning, |input| keep(of(input), KeptIn::VirtioPmem, "/local/pm")),
    (Code::PersistentMemory, Ok, |input| shared(input, |domain| keep(domain, KeptIn::VirtioPmem, "/shared/pm"))),
    (Code::PersistentMemory, Unknown, |input| keep(of(input), KeptIn::Pstore, "/local/pm")),
    (Code::PersistentMemory, Warning, |input| shared(input, |domain| keep(domain, KeptIn::Pstore, "/shared/pm"))),
    (Code::Tpm, Unknown, |input| of(input).tpm = Some(Tpm::Emulator)),
    (Code::Tpm, Unknown, |input| of(input).tpm = Some(Tpm::External)),
    (Code::Tpm, Warning, |input| of(input).tpm = Some(Tpm::Passthrough)),
    (Code::Secret, Ok, |input| secret(input, Some(&[]))),
    (Code::Secret, Unknown, |input| secret(input, None)),
    (Code::Secret, Blocker, |input| secret(input, Some(&["vda"]))),
    (Code::VmState, Warning, |input| input.vm.state = VmState::Suspended),
    (Code::Autostart, Ok, |input| of(input).autostart = Some(true)),
    (Code::SavedMemory, Blocker, |input| on_destination(input).saved_memory = true),
    (Code::DhcpAddress, Ok, |input| dhcp(input, Some("10.0.0.7"), "10.0.0.7")),
    (Code::DhcpAddress, Warning, |input| dhcp(input, Some("10.0.0.7"), "10.0.0.8")),
    (Code::DhcpAddress, Unknown, |input| dhcp(input, None, "10.0.0.7")),
    (Code::Autostart, Unknown, |input| of(input).autostart = None),
    (Code::Snapshots, Ok, |_| {}),
    (Code::Snapshots, Blocker, |input| of(input).snapshots = 2),
    (Code::Checkpoints, Warning, |input| of(input).checkpoints = 1),
    (Code::BlockJob, Ok, |_| {}),
    (Code::BlockJob, Blocker, |input| of(input).block_jobs = vec!["vda".into()]),
    (Code::LibvirtVersion, Ok, |_| {}),
    (Code::LibvirtVersion, Unknown, |input| on_destination(input).libvirt_version = 0),
    (Code::LibvirtVersion, Warning, |input| on_destination(input).libvirt_version = 9_000_000),
    (Code::QemuVersion, Ok, |_| {}),
    (Code::QemuVersion, Unknown, |input| on_destination(input).hypervisor_version = 0),
    (Code::QemuVersion, Warning, |input| on_destination(input).hypervisor_version = 7_002_000),
    (Code::PostCopyWindow, Ok, |input| on_destination(input).libvirt_version = 11_003_000),
    (Code::PostCopyWindow, Warning, |input| {
        on_destination(input).libvirt_version = 11_003_000;
        input.options.policy = Some(model::Policy::Certain);
    }),
    (Code::DataAddress, Ok, |_| {}),
    (Code::DataAddress, Blocker, |input| address(&mut input.destination, "127.0.0.3")),
    (Code::DataAddress, Blocker, |input| address(&mut input.destination, "localhost")),
    (Code::DataAddress, Blocker, |input| address(&mut input.destination, "0.0.0.0")),
    (Code::DataAddress, Ok, |input| {
        address(&mut input.source, "127.0.0.2");
        address(&mut input.destination, "127.0.0.3");
    }),
    (Code::DataPort, Ok, |_| {}),
    (Code::DataPort, Unknown, |input| input.probe = Some(Probe::Silent("no route to host".into()))),
    (Code::PeerLogin, Unknown, |_| {}),
    (Code::PeerLogin, Ok, |input| input.earlier = vec![prediction::move_at(100 << 20)]),
    (Code::PeerLogin, Ok, |input| input.refused_login_ms = Some(input.now_ms)),
    (Code::Tunnelled, Warning, |input| input.options.control_flow = Some(ControlFlow::Tunnelled)),
    (Code::Encryption, Ok, |_| {}),
    (Code::Encryption, Warning, |input| on_destination(input).certificates = None),
    (Code::Encryption, Blocker, |input| {
        (on_destination(input).certificates, input.options.encrypt) = (None, Some(true));
    }),
    (Code::Rdma, Warning, |input| input.options.rdma = true),
    (Code::Definition, Ok, |input| on_destination(input).definition = Some(std::result::Result::Ok(()))),
    (Code::Definition, Blocker, |input| {
        on_destination(input).definition = Some(Err("unsupported configuration".into()));
    }),
];

/// Of a VM that is off: what it lacks there keeps it from starting, not from moving.
const OFFLINE: &[Row] = &[
    (Code::VmState, Ok, |_| {}),
    (Code::SavedMemory, Blocker, |input| of(input).saved_memory = true),
    (Code::NameTaken, Blocker, |input| on_destination(input).name_taken_by = Some(VmId(Uuid::from_u128(2)))),
    (Code::Autostart, Ok, |input| of(input).autostart = Some(true)),
    (Code::Snapshots, Blocker, |input| of(input).snapshots = 2),
    (Code::Architecture, Blocker, |input| on_destination(input).machine = MachineFit::NoArchitecture),
    (Code::Emulator, Blocker, |input| on_destination(input).machine = MachineFit::NoEmulator),
    (Code::MachineType, Warning, |input| on_destination(input).machine = MachineFit::NoMachine),
    (Code::Firmware, Warning, |input| firmware(input, Some(false))),
    (Code::Nvram, Warning, |input| of(input).nvram = Some("/var/lib/libvirt/qemu/nvram/web.fd".into())),
    (Code::Nvram, Ok, |input| shared(input, |domain| domain.nvram = Some("/shared/web.fd".into()))),
    (Code::Tpm, Warning, |input| of(input).tpm = Some(Tpm::Emulator)),
    (Code::Tpm, Ok, |input| {
        shared(input, |domain| (domain.tpm, domain.tpm_state) = (Some(Tpm::Emulator), Some("/shared/tpm".into())));
    }),
    (Code::PersistentMemory, Warning, |input| keep(of(input), KeptIn::Nvdimm, "/local/pm")),
    (Code::PersistentMemory, Warning, |input| keep(of(input), KeptIn::PrivateNvdimm, "/local/pm")),
    (Code::PersistentMemory, Warning, |input| keep(of(input), KeptIn::VirtioPmem, "/local/pm")),
    (Code::PersistentMemory, Warning, |input| keep(of(input), KeptIn::Pstore, "/local/pm")),
    (Code::PersistentMemory, Ok, |input| shared(input, |domain| keep(domain, KeptIn::Nvdimm, "/shared/pm"))),
    (Code::SharedMemory, Warning, |input| keep(of(input), KeptIn::SharedMemory, "/dev/shm/ring")),
    (Code::SharedFolder, Warning, |input| of(input).shared_folders = vec![folder("/local/home")]),
    (Code::SharedFolder, Warning, |input| of(input).shared_folders = vec![Folder { path: None, ..folder("") }]),
    (Code::SharedFolder, Warning, |input| of(input).plan9_folders = vec![folder("/local/home")]),
    (Code::Cpu, Warning, |input| on_destination(input).cpu = CpuFit::Lacks(Vec::new())),
    (Code::Network, Warning, |input| networks(input, &[])),
    (Code::Bridge, Warning, |input| bridge(input, Some(&[]))),
    (Code::Secret, Warning, |input| secret(input, Some(&["vda"]))),
    (Code::Definition, Warning, |input| {
        on_destination(input).definition = Some(Err("unsupported configuration".into()));
    }),
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
            |input| {
                offline(input);
                change(input);
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
        Code::QemuVersion,
    ];
    for code in not_asked {
        let found = severity(
            |input| {
                offline(input);
                huge_pages(input, Some(0));
                let domain = of(input);
                (domain.invtsc_without_frequency, domain.io_error) = (true, true);
                domain.block_jobs = vec!["vda".into()];
                domain.host_devices = vec!["PCI 0000:03:00.0".into()];
                domain.interfaces = vec![Interface::HostDevice { kind: "hostdev".into() }];
                domain.shared_memory = vec!["ring".into()];
            },
            code,
        );
        assert_eq!(found, None, "{code:?}");
    }
}

#[test]
fn every_code_has_a_row_here_with_the_disks_or_is_refused_before() {
    let rows: BTreeSet<Code> = LIVE.iter().chain(OFFLINE).chain(references::LIVE).map(|(code, ..)| *code).collect();
    let of_disks = [
        Code::Medium,
        Code::DiskShared,
        Code::DiskCopied,
        Code::DiskExists,
        Code::DiskSpace,
        Code::DiskKind,
        Code::BackingChain,
        Code::InternalSnapshots,
        Code::Bitmaps,
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
    let kept = [Code::PersistentMemory; 4];
    assert_eq!(
        live,
        [&[Code::StaleDefinition, Code::Maintenance, Code::SharedFolder][..], &kept, &[Code::Tpm, Code::Tunnelled]]
            .concat()
    );
    let consent = |row: &&Row| {
        let change = |input: &mut PreflightInput| {
            offline(input);
            row.2(input);
        };
        found(change, row.0).is_some_and(|finding| finding.consent)
    };
    let off: Vec<Code> = OFFLINE.iter().filter(consent).map(|row| row.0).collect();
    let folders = [Code::SharedFolder; 3];
    let before = [Code::Nvram, Code::Tpm];
    assert_eq!(off, [&before[..], &kept, &[Code::SharedMemory], &folders].concat());
}

#[test]
fn a_guest_that_sleeps_may_be_lost_with_an_old_qemu() {
    let asleep = |qemu| {
        let change = |input: &mut PreflightInput| {
            input.vm.state = VmState::Suspended;
            on_destination(input).hypervisor_version = qemu;
        };
        found(change, Code::VmState).unwrap().consent
    };
    assert!(asleep(8_002_000));
    assert!(!asleep(10_000_002));
}

#[test]
fn what_is_missing_is_named() {
    let cpu =
        found(|input| on_destination(input).cpu = CpuFit::Lacks(vec!["avx2".into(), "fma".into()]), Code::Cpu).unwrap();
    assert!(cpu.text.contains("avx2, fma"), "{}", cpu.text);
    let memory = found(|input| of(input).memory_bytes = 9 * GIB, Code::Memory).unwrap();
    assert!(memory.text.contains("9.1 GiB") && memory.text.contains("8 GiB"), "{}", memory.text);
}

#[test]
fn a_new_name_is_what_the_destination_is_asked_about() {
    let renamed = |input: &mut PreflightInput| {
        input.options.new_name = Some("web-2".into());
        copy_there(input, "web");
    };
    assert_eq!(severity(renamed, Code::UuidTaken), Some(Blocker), "libvirt knows the UUID by one name only");
    let text = found(renamed, Code::NameTaken).unwrap().text;
    assert!(text.contains("web-2"), "{text}");
}
