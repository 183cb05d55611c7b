//! What a host says of one VM, for the VM's page and for programs. Serialized only: the browser gets it as HTML.

use serde::Serialize;

use crate::{HostName, VmId, VmState};

/// A VM as its host describes it just now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VmDetails {
    /// Where its active copy is.
    pub host: HostName,
    /// What libvirt says of it.
    #[serde(flatten)]
    pub facts: VmFacts,
    /// What its guest says; none without an agent that answers.
    pub guest: Option<GuestFacts>,
    /// Since when it has a process, wherever that was; none of one that is off.
    pub started: Option<Started>,
}

/// Since when a VM has a process. No call of libvirt tells it: it is what the console has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Started {
    /// In ms since 1970.
    pub at_ms: u64,
    /// Whether the console has seen it start; else it was found running then, and has run at least since.
    pub seen: bool,
}

/// What libvirt says of a VM: the live state and definition of one that runs, else what it would start with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VmFacts {
    /// The UUID.
    #[serde(rename = "uuid")]
    pub id: VmId,
    /// The name.
    pub name: String,
    /// What it does.
    pub state: VmState,
    /// Its title for people.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Words that people have given it.
    pub tags: Vec<String>,
    /// Whether its definition outlives a power-off.
    pub persistent: bool,
    /// Whether its host starts it when it boots; none if that can't be told.
    pub autostart: Option<bool>,
    /// Virtual CPUs that it has now.
    pub vcpus: u32,
    /// The most virtual CPUs that it can have without being shut off.
    pub vcpus_max: u32,
    /// The memory that its balloon leaves it now, in bytes.
    pub memory_now_bytes: u64,
    /// The most memory that it can have without being shut off, in bytes.
    pub memory_bytes: u64,
    /// The CPU: its mode in the definition, and its model if that is named, e.g. `custom, Skylake-Client`.
    pub cpu: Option<String>,
    /// The architecture, e.g. `x86_64`.
    pub arch: String,
    /// The machine type, e.g. `pc-q35-9.2`.
    pub machine: String,
    /// libvirt's domain type: `kvm`, or `qemu` for emulation.
    pub virt_type: String,
    /// The path of its firmware; none if that comes with QEMU (SeaBIOS).
    pub firmware: Option<String>,
    /// Disks and drives.
    pub disks: Vec<VmDisk>,
    /// Network interfaces.
    pub interfaces: Vec<VmInterface>,
    /// What ties it to its host beside disks and networks, in words.
    pub bound_to_host: Vec<String>,
    /// Snapshots that libvirt keeps; none if that can't be told.
    pub snapshots: Option<u32>,
    /// Whether an agent in its guest is connected.
    pub agent_connected: bool,
    /// Whether this is all that can be asked now: while a migration brings it, libvirt would not answer for more.
    pub incomplete: bool,
}

/// A disk or a drive of a VM.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VmDisk {
    /// Its name in the guest, e.g. `vda`.
    pub target: String,
    /// libvirt's word for what it is: `disk`, `cdrom`, `floppy`, `lun`.
    pub device: String,
    /// Where its contents are: a path, or a name on the network; none of an empty drive.
    pub source: Option<String>,
    /// The storage pool that the source is in, if a pool of the host has it.
    pub pool: Option<String>,
    /// The volume of that pool.
    pub volume: Option<String>,
    /// `raw`, `qcow2`, …
    pub format: String,
    /// Its size as the guest sees it, in bytes; none if that can't be told.
    pub capacity_bytes: Option<u64>,
    /// What it takes up, in bytes; none if that can't be told.
    pub allocation_bytes: Option<u64>,
    /// Whether the guest can't write to it.
    pub read_only: bool,
    /// Why other hosts can have it, too, in words; none if nothing says so. Whether a certain host has it, a preflight tells.
    pub shared: Option<String>,
}

/// A network interface of a VM.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct VmInterface {
    /// Its MAC address.
    pub mac: Option<String>,
    /// The device that the guest sees, e.g. `virtio`.
    pub model: Option<String>,
    /// libvirt's type: `network`, `bridge`, `direct`, `user`, …
    pub kind: String,
    /// The network, bridge or device of the host.
    pub source: Option<String>,
    /// The host's end of it, e.g. `vnet3`.
    pub target: Option<String>,
    /// Whether its link is up, as the definition says.
    pub link_up: bool,
    /// Addresses that a network of libvirt has given out to it.
    pub addresses: Vec<String>,
    /// Addresses that its host has seen it use (its ARP table).
    pub seen_addresses: Vec<String>,
}

/// What an agent in a guest says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GuestFacts {
    /// The operating system, for people.
    pub os: Option<String>,
    /// The guest's name for itself.
    pub hostname: Option<String>,
    /// Its addresses but for loopback ones.
    pub addresses: Vec<String>,
}

/// What a VM used of its host within a few seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct UsagePoint {
    /// When they ended, in ms since 1970.
    pub at_ms: u64,
    /// CPUs: 1.5 is one and a half.
    pub cpus: Option<f32>,
    /// The host's memory that its QEMU had then, in bytes.
    pub memory_bytes: Option<u64>,
    /// Read from disks and written to them, in bytes a second.
    pub disk_bytes_s: Option<u64>,
    /// Received and sent, in bytes a second.
    pub network_bytes_s: Option<u64>,
}
