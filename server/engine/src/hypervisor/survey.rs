//! What a host has for a VM, as a preflight needs it.

use std::collections::{BTreeMap, BTreeSet};

use model::VmId;

use super::{Neighbour, Volume};

/// What a host has for a VM. What could not be asked (no permission, no driver) is none: unknown, not missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// libvirt's version as a number: major × 1,000,000 + minor × 1,000 + release.
    pub libvirt_version: u64,
    /// QEMU's, likewise.
    pub hypervisor_version: u64,
    /// Whether the connection may change anything.
    pub writable: bool,
    /// Another VM of this VM's name there: its UUID.
    pub name_taken_by: Option<VmId>,
    /// Whether it keeps saved memory of this VM (managed save). Known only where it has a definition of it.
    pub saved_memory: bool,
    /// What the host's QEMU makes of emulator, architecture, machine type and virtualization type.
    pub machine: MachineFit,
    /// Whether the firmware is there; none if that can't be told or the VM needs none.
    pub firmware: Option<bool>,
    /// Whether its CPU does.
    pub cpu: CpuFit,
    /// CPUs that may be used.
    pub cpus: u32,
    /// Memory that is free or can be freed at once, in bytes.
    pub memory_free_bytes: u64,
    /// Free huge pages of the size that the VM uses, in bytes; none if it uses none or that can't be told.
    pub huge_pages_free_bytes: Option<u64>,
    /// All networks, with their state.
    pub networks: Option<Vec<Network>>,
    /// Those of them that give out addresses.
    pub dhcp: Option<Vec<DhcpNetwork>>,
    /// All network devices of the host (bridges too), by name.
    pub devices: Option<Vec<String>>,
    /// What it has of what the definition names beside those.
    pub provided: Provided,
    /// All storage pools.
    pub pools: Option<Vec<Pool>>,
    /// Of the VM's secrets, the disks whose secret is missing.
    pub missing_secrets: Option<Vec<String>>,
    /// What it has to encrypt migrations with; none if that can't be told.
    pub certificates: Option<Certificates>,
    /// Whether a network device of it offers RDMA; none if that can't be told.
    pub rdma: Option<bool>,
    /// What libvirt said when it was given the definition without starting anything; none if it can't be tried.
    pub definition: Option<Result<(), String>>,
}

/// What a host has of what a definition names ([`HostReferences`](super::HostReferences)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provided {
    /// Its CPUs that are online, by number.
    pub cpus: Option<BTreeSet<u32>>,
    /// Its NUMA nodes, by number.
    pub numa_nodes: Option<BTreeSet<u32>>,
    /// Its network filters, by name.
    pub network_filters: Option<BTreeSet<String>>,
    /// Its security drivers.
    pub security_models: Option<BTreeSet<String>>,
    /// Whether the paths that the VM's files require exist. A path that could not be looked at is not in it.
    pub files: BTreeMap<String, bool>,
    /// Its other VMs.
    pub neighbours: Option<Vec<Neighbour>>,
}

/// What a host has to encrypt migrations with (QEMU's files for TLS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificates {
    /// These files are missing.
    Missing(Vec<String>),
    /// They are there, and can't be used: why, in a sentence.
    Unusable(String),
    /// They can be used.
    Usable {
        /// The authority's certificate, as its SHA-256 fingerprint: hosts with the same one trust each other.
        authority: String,
        /// The names and IP addresses that its own certificate is for.
        names: Vec<String>,
        /// Until when they can be used, in ms since 1970.
        until_ms: u64,
    },
}

/// Whether a host can run a machine like the VM's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MachineFit {
    /// Not known.
    #[default]
    Unknown,
    /// It can.
    Fits,
    /// It has not the architecture, or not by the virtualization wanted (KVM).
    NoArchitecture,
    /// It has not the emulator at that path.
    NoEmulator,
    /// Its QEMU does not know the machine type.
    NoMachine,
}

/// Whether a host's CPU has what the VM uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CpuFit {
    /// Not known.
    #[default]
    Unknown,
    /// It has (or the CPU is emulated).
    Fits,
    /// It lacks these features; empty if libvirt did not name them.
    Lacks(Vec<String>),
}

/// A libvirt network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Whether it is started.
    pub active: bool,
}

/// A libvirt network that gives guests their addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpNetwork {
    /// Its name.
    pub name: String,
    /// The addresses that it keeps for certain guests, by MAC address (in lower case).
    pub fixed: BTreeMap<String, String>,
}

/// A storage pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// libvirt's type: `dir`, `netfs`, `logical`, `rbd`, …
    pub kind: String,
    /// Whether it is started.
    pub active: bool,
    /// Where it is: a path without a slash at the end; none of pools that have none.
    pub path: Option<String>,
    /// Where it comes from, in a form that is equal on two hosts exactly if it is the same place (server and directory of
    /// `netfs`, monitors and name of `rbd`); none of a pool that is the host's own (`dir`, `fs`, `logical`).
    pub source: Option<String>,
    /// Free space in bytes; 0 if it is not active.
    pub available_bytes: u64,
    /// Its volumes that have the name of one of the VM's files.
    pub volumes: Vec<Volume>,
}
