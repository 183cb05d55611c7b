//! What a host says of itself, for the host's page and for programs. Serialized only: the browser gets it as HTML.

use serde::Serialize;

use crate::{HostName, Problem};

/// A host as it is looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostDetails {
    /// The name it is registered under.
    pub name: HostName,
    /// What it has just now; none if it does not say.
    pub resources: Option<HostResources>,
    /// Memory that evacuations have reserved for VMs that come, in bytes.
    pub memory_reserved_bytes: u64,
    /// Why it does not say.
    pub problem: Option<Problem>,
    /// Its certificates, and the console's for it, as far as they can be read; none until they have been.
    pub certificates: Option<Vec<HostCertificate>>,
    /// Bugs of its versions that concern migrations.
    pub known_bugs: Vec<KnownBug>,
    /// Why its connection was lost since the console started, the latest first; at most [`HostDetails::ERRORS`].
    pub errors: Vec<HostConnectionError>,
}

impl HostDetails {
    /// How many errors of its connection are kept.
    pub const ERRORS: usize = 5;
}

/// What a host has. What libvirt does not tell, for lack of permission or of a driver, is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostResources {
    /// CPUs that are busy: 1.5 is one and a half.
    pub cpus_busy: Option<f32>,
    /// Logical CPUs.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Memory that nothing uses, in bytes.
    pub memory_unused_bytes: Option<u64>,
    /// The same with what can be freed at once (buffers, cache).
    pub memory_free_bytes: u64,
    /// Its storage pools, by name.
    pub pools: Option<Vec<HostPool>>,
    /// Its libvirt networks, by name.
    pub networks: Option<Vec<HostNetwork>>,
    /// Its bridges, by name; also those of networks.
    pub bridges: Option<Vec<HostBridge>>,
}

/// A storage pool. libvirt counts its space when it starts or refreshes it, and when it makes or deletes a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostPool {
    /// Its name.
    pub name: String,
    /// libvirt's type: `dir`, `netfs`, `logical`, `rbd`, …
    pub kind: String,
    /// libvirt's word for its state: `inactive`, `building`, `running`, `degraded`, `inaccessible`.
    pub state: &'static str,
    /// Whether its host starts it when it boots.
    pub autostart: Option<bool>,
    /// Where it is.
    pub path: Option<String>,
    /// Its size in bytes; 0 if it is not active.
    pub capacity_bytes: u64,
    /// What its volumes use, in bytes.
    pub allocation_bytes: u64,
    /// What is free, in bytes.
    pub available_bytes: u64,
}

/// A libvirt network.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostNetwork {
    /// Its name.
    pub name: String,
    /// Whether it is started.
    pub active: bool,
    /// Whether its host starts it when it boots.
    pub autostart: Option<bool>,
    /// Where its packets go: `nat`, `route`, `bridge`, …; none of one that is isolated.
    pub forward: Option<String>,
    /// Its bridge.
    pub bridge: Option<String>,
    /// The host's addresses in it, with the prefix: `192.0.2.1/24`.
    pub addresses: Vec<String>,
    /// Whether it gives guests their addresses.
    pub dhcp: bool,
}

/// A bridge of a host.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HostBridge {
    /// Its name.
    pub name: String,
    /// Whether it is up.
    pub active: bool,
    /// What it connects, without the VMs' ends.
    pub ports: Vec<String>,
}

/// A certificate, or why it is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostCertificate {
    /// Whose and what for, e.g. `libvirt on the host`.
    pub of: &'static str,
    /// The names and addresses it is for.
    pub names: Vec<String>,
    /// Until when it can be used, in ms since 1970; none if that is not known.
    pub until_ms: Option<u64>,
    /// What is wrong with it, or why it is not known.
    pub note: Option<String>,
}

/// A bug of a version that is mended in a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KnownBug {
    /// The program and its version, e.g. `libvirt 11.3.0`.
    pub version: String,
    /// What goes wrong.
    pub sentence: &'static str,
    /// The version that mends it.
    pub mended_in: &'static str,
}

/// That a host's connection was lost, or could not be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HostConnectionError {
    /// Since when, in ms since 1970.
    pub at_ms: u64,
    /// Why.
    pub problem: Problem,
}
