//! What a definition names of its host: each finding, and how much it weighs.

use std::collections::BTreeSet;

use model::{FindingCode as Code, Severity::*};

use super::{
    findings::{Row, shared},
    *,
};
use crate::hypervisor::{
    Disk, DiskDevice, DiskSource, FileReference, FileUsage, HostReferences, ListenProtocol, Listener, Neighbour,
    Provided,
};

fn named(input: &mut PreflightInput) -> &mut HostReferences {
    &mut of(input).references
}

fn provided(input: &mut PreflightInput) -> &mut Provided {
    &mut on_destination(input).provided
}

fn set<T: Ord + Clone>(items: &[T]) -> BTreeSet<T> {
    items.iter().cloned().collect()
}

fn names(items: &[&str]) -> BTreeSet<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// The VM has a file, and whether the path that it requires is at the destination.
fn file(input: &mut PreflightInput, path: &str, usage: FileUsage, is_there: Option<bool>) {
    let file = FileReference { purpose: "serial".into(), path: path.into(), usage };
    let required = file.required_path().to_owned();
    named(input).files = vec![file];
    provided(input).files = is_there.map(|is_there| (required, is_there)).into_iter().collect();
}

/// The VM has a template for its UEFI variables that the destination lacks, and whether their own file is there.
fn template(input: &mut PreflightInput, nvram_is_there: Option<bool>) {
    file(input, "/usr/share/vars.fd", FileUsage::Template, Some(false));
    of(input).nvram = Some("/nvram/web.fd".into());
    provided(input).files.extend(nvram_is_there.map(|is_there| ("/nvram/web.fd".into(), is_there)));
}

fn listener(address: &str, port: Option<u16>) -> Listener {
    let protocol = ListenProtocol::Graphics;
    Listener { purpose: "vnc".into(), address: Some(address.into()), port, is_automatic: false, protocol }
}

fn neighbour(input: &mut PreflightInput, active: bool, change: impl FnOnce(&mut HostReferences)) {
    let mut references = HostReferences::default();
    change(&mut references);
    provided(input).neighbours = Some(vec![Neighbour { name: "other".into(), active, references }]);
}

/// The VM listens on a fixed port, and so does another at the destination.
fn port_taken(input: &mut PreflightInput, active: bool) {
    named(input).listeners = vec![listener("127.0.0.1", Some(5950))];
    neighbour(input, active, |other| other.listeners = vec![listener("0.0.0.0", Some(5950))]);
}

fn disk(input: &mut PreflightInput, format: &str, read_only: bool) {
    of(input).disks = vec![Disk {
        target: "vda".into(),
        device: DiskDevice::Disk,
        source: DiskSource::File { path: "/images/a".into() },
        format: format.into(),
        read_only,
        shareable: false,
        transient: false,
        capacity_bytes: 1,
        allocation_bytes: 1,
        has_backing: false,
        has_data_file_or_slice: false,
        extras: None,
        optional: false,
    }];
}

/// Of a VM that runs.
pub(super) const LIVE: &[Row] = &[
    (Code::PinnedCpus, Unknown, |input| named(input).cpu_sets = vec![set(&[1])]),
    (Code::PinnedCpus, Ok, |input| {
        named(input).cpu_sets = vec![set(&[1])];
        provided(input).cpus = Some(set(&[0, 1]));
    }),
    (Code::PinnedCpus, Unknown, |input| {
        named(input).cpu_sets = vec![set(&[1, 7])];
        provided(input).cpus = Some(set(&[0, 1]));
    }),
    (Code::PinnedCpus, Blocker, |input| {
        named(input).cpu_sets = vec![set(&[0]), set(&[7])];
        provided(input).cpus = Some(set(&[0, 1]));
    }),
    (Code::NumaNodes, Unknown, |input| named(input).numa_nodes = set(&[1])),
    (Code::NumaNodes, Ok, |input| {
        named(input).numa_nodes = set(&[0]);
        provided(input).numa_nodes = Some(set(&[0]));
    }),
    (Code::NumaNodes, Blocker, |input| {
        named(input).numa_nodes = set(&[0, 1]);
        provided(input).numa_nodes = Some(set(&[0]));
    }),
    (Code::NetworkFilter, Unknown, |input| named(input).network_filters = names(&["clean-traffic"])),
    (Code::NetworkFilter, Ok, |input| {
        named(input).network_filters = names(&["clean-traffic"]);
        provided(input).network_filters = Some(names(&["clean-traffic"]));
    }),
    (Code::NetworkFilter, Blocker, |input| {
        named(input).network_filters = names(&["clean-traffic"]);
        provided(input).network_filters = Some(BTreeSet::new());
    }),
    (Code::InterfaceName, Unknown, |input| named(input).taps = names(&["web0"])),
    (Code::InterfaceName, Blocker, |input| {
        named(input).taps = names(&["web0"]);
        on_destination(input).devices = Some(vec!["web0".into()]);
    }),
    (Code::InterfaceName, Blocker, |input| {
        named(input).taps = names(&["web0"]);
        neighbour(input, true, |other| other.taps = names(&["web0"]));
    }),
    (Code::InterfaceName, Unknown, |input| {
        named(input).taps = names(&["web0"]);
        neighbour(input, false, |other| other.taps = names(&["web0"]));
    }),
    (Code::MacAddress, Unknown, |input| named(input).macs = names(&["52:54:00:00:00:01"])),
    (Code::MacAddress, Ok, |input| {
        named(input).macs = names(&["52:54:00:00:00:01"]);
        provided(input).neighbours = Some(Vec::new());
    }),
    (Code::MacAddress, Warning, |input| {
        named(input).macs = names(&["52:54:00:00:00:01"]);
        neighbour(input, false, |other| other.macs = names(&["52:54:00:00:00:01"]));
    }),
    (Code::ListenAddress, Ok, |input| named(input).listeners = vec![listener("beta.example.org", None)]),
    (Code::ListenAddress, Unknown, |input| named(input).listeners = vec![listener("192.0.2.9", None)]),
    (Code::ListenAddress, Blocker, |input| named(input).listeners = vec![listener("alpha.example.org", None)]),
    (Code::ListenPort, Unknown, |input| named(input).listeners = vec![listener("0.0.0.0", Some(5950))]),
    (Code::ListenPort, Blocker, |input| port_taken(input, true)),
    (Code::ListenPort, Unknown, |input| port_taken(input, false)),
    (Code::VsockCid, Unknown, |input| named(input).vsock_cid = Some(7)),
    (Code::VsockCid, Ok, |input| {
        named(input).vsock_cid = Some(7);
        provided(input).neighbours = Some(Vec::new());
    }),
    (Code::VsockCid, Blocker, |input| {
        named(input).vsock_cid = Some(7);
        neighbour(input, true, |other| other.vsock_cid = Some(7));
    }),
    (Code::HostFile, Ok, |input| file(input, "/srv/kernel", FileUsage::Read, Some(true))),
    (Code::HostFile, Blocker, |input| file(input, "/srv/kernel", FileUsage::Read, Some(false))),
    (Code::HostFile, Unknown, |input| file(input, "/srv/kernel", FileUsage::Read, None)),
    (Code::HostFile, Ok, |input| file(input, "/srv/log", FileUsage::Made, Some(true))),
    (Code::HostFile, Blocker, |input| file(input, "/srv/log", FileUsage::Made, Some(false))),
    (Code::HostFile, Unknown, |input| file(input, "/srv/log", FileUsage::Made, None)),
    (Code::HostFile, Ok, |input| file(input, "/srv", FileUsage::Directory, Some(true))),
    (Code::HostFile, Blocker, |input| file(input, "/srv", FileUsage::Directory, Some(false))),
    (Code::HostFile, Blocker, |input| template(input, Some(false))),
    (Code::HostFile, Blocker, |input| template(input, None)),
    (Code::HostSocket, Unknown, |input| file(input, "/srv/agent", FileUsage::Served, Some(true))),
    (Code::HostSocket, Blocker, |input| file(input, "/srv/agent", FileUsage::Served, Some(false))),
    (Code::DeviceFile, Unknown, |input| file(input, "/dev/hwrng", FileUsage::Device, None)),
    (Code::DeviceFile, Ok, |input| file(input, "/dev/urandom", FileUsage::Device, None)),
    (Code::DiskFormat, Blocker, |input| disk(input, "vmdk", true)),
    (Code::DiskFormat, Blocker, |input| disk(input, "vpc", false)),
    (Code::DiskFormat, Blocker, |input| of(input).backing_formats = vec![("vda".into(), "vmdk".into())]),
    (Code::QemuDriver, Unknown, |input| named(input).qemu_drivers = names(&["disks by http"])),
    (Code::QemuDriver, Ok, |input| {
        named(input).qemu_drivers = names(&["disks by http"]);
        neighbour(input, true, |other| other.qemu_drivers = names(&["disks by http"]));
    }),
    (Code::QemuArguments, Unknown, |input| named(input).qemu_arguments = true),
    (Code::SecurityLabel, Unknown, |input| named(input).security_models = names(&["selinux"])),
    (Code::SecurityLabel, Ok, |input| {
        named(input).security_models = names(&["selinux"]);
        provided(input).security_models = Some(names(&["selinux"]));
    }),
    (Code::SecurityLabel, Blocker, |input| {
        named(input).security_models = names(&["selinux"]);
        provided(input).security_models = Some(names(&["apparmor"]));
    }),
];

#[test]
fn what_a_definition_names_of_its_host() {
    for (row, (code, expected, change)) in LIVE.iter().enumerate() {
        assert_eq!(severity(change, *code), Some(*expected), "row {row}: {code:?}");
    }
}

/// What a VM that is off lacks there keeps it from starting, not from moving; its format does not matter.
#[test]
fn a_vm_that_is_off_can_move_without_what_it_names() {
    for (row, (code, expected, change)) in LIVE.iter().enumerate() {
        let of_one_that_is_off = |input: &mut PreflightInput| {
            offline(input);
            change(input);
        };
        let right = match (code, expected) {
            (Code::DiskFormat, _) => None,
            (_, Blocker) => Some(Warning),
            (_, other) => Some(*other),
        };
        assert_eq!(severity(of_one_that_is_off, *code), right, "row {row}: {code:?}");
    }
}

#[test]
fn no_template_is_needed_where_the_uefi_variables_are() {
    assert_eq!(severity(|input| template(input, Some(true)), Code::HostFile), None);
    let on_shared_storage = |input: &mut PreflightInput| {
        template(input, None);
        shared(input, |domain| domain.nvram = Some("/shared/web.fd".into()));
    };
    assert_eq!(severity(on_shared_storage, Code::HostFile), None);
}

#[test]
fn formats_that_qemu_can_move_are_not_mentioned() {
    for (format, read_only) in [("qcow2", false), ("raw", false), ("qed", false), ("vpc", true)] {
        assert_eq!(severity(|input| disk(input, format, read_only), Code::DiskFormat), None, "{format}");
    }
}
