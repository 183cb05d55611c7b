//! Hosts: machines whose libvirt the console talks to.

use serde::{Deserialize, Serialize};

use crate::{HostName, HostOrigin, Maintenance, PolicyDefaults, Problem};

/// A registered host as the console sees it now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// The name it is registered under.
    pub name: HostName,
    /// The address the console reaches it at, for people to recognise it by.
    pub address: String,
    /// Where it was registered.
    #[serde(default)]
    pub origin: HostOrigin,
    /// Whether it answers.
    pub connection: ConnectionState,
    /// How long a small question takes to be answered, in ms; none until it was asked.
    #[serde(default)]
    pub latency_ms: Option<u32>,
    /// The CPU's model as libvirt names it, e.g. `Skylake-Server-IBRS`; none until it is known.
    #[serde(default)]
    pub cpu_model: Option<String>,
    /// Logical CPUs; 0 until the host answered once.
    pub cpus: u32,
    /// Memory in bytes; 0 until the host answered once.
    pub memory_bytes: u64,
    /// Memory that is free or can be freed at once, in bytes.
    pub memory_free_bytes: u64,
    /// Memory that evacuations have reserved for VMs that come, in bytes.
    #[serde(default)]
    pub memory_reserved_bytes: u64,
    /// VMs whose active copy is here.
    pub vms: u32,
    /// Those of them that run or are paused.
    pub vms_active: u32,
    /// libvirt's version there, e.g. `11.3.0`.
    pub libvirt_version: Option<String>,
    /// QEMU's version there, e.g. `10.0.2`.
    pub hypervisor_version: Option<String>,
    /// What one migration from here may use of the network, in MiB/s; none is unlimited.
    pub bandwidth_mib_s: Option<u32>,
    /// The policy of migrations from here that choose none.
    #[serde(default, skip_serializing_if = "PolicyDefaults::is_empty")]
    pub policy_defaults: PolicyDefaults,
    /// That it is emptied or worked on; none in ordinary use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
}

/// Whether a host answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionState {
    /// The first attempt is under way.
    Connecting,
    /// It answers, and its VMs are known.
    Connected,
    /// It does not answer; what is shown of it is what was last known.
    Unreachable {
        /// Since when, in ms since 1970.
        since_ms: u64,
        /// Why.
        problem: Problem,
    },
}

impl Host {
    /// Whether the host answers now.
    pub fn is_connected(&self) -> bool {
        self.connection == ConnectionState::Connected
    }
}
