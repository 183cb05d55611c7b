//! VMs: libvirt domains, wherever their active copy is.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{HostName, MigrationId, VmId};

/// What a VM does; libvirt's `virDomainState` in the words of its tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "lowercase")]
pub enum VmState {
    /// It runs.
    Running,
    /// It is paused: in memory, not executing.
    Paused,
    /// It is shutting down.
    #[strum(serialize = "shutting down")]
    ShuttingDown,
    /// It is off.
    #[strum(serialize = "shut off")]
    ShutOff,
    /// It crashed.
    Crashed,
    /// Its guest put itself to sleep (ACPI S3; libvirt's `pmsuspended`).
    #[strum(serialize = "asleep")]
    Suspended,
    /// The host does not say.
    Unknown,
}

impl VmState {
    /// All of them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The state in words, e.g. `shut off`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether a QEMU process holds the VM's memory, so that moving it means moving memory.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::ShuttingDown | Self::Suspended)
    }
}

/// What a person can do to a VM where it is, in the order menus show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
pub enum VmAction {
    /// Power on.
    Start,
    /// Go on after a pause.
    Resume,
    /// Wake a guest that sleeps.
    #[strum(serialize = "Wake up")]
    WakeUp,
    /// Stop executing, keep in memory.
    Pause,
    /// Ask the guest to power off (the ACPI power button).
    #[strum(serialize = "Shut down")]
    ShutDown,
    /// Forces the VM off, like pulling the power cord: the guest loses what it has not written.
    #[strum(serialize = "Force off")]
    ForceOff,
}

impl VmAction {
    /// All of them, in the order menus show them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The action as a button says it.
    pub fn label(self) -> &'static str {
        self.into()
    }

    /// Whether it makes sense for a VM in this state.
    pub fn is_possible(self, state: VmState) -> bool {
        match self {
            // What has crashed is still in its QEMU, so that libvirt says that it runs already.
            Self::Start => state == VmState::ShutOff,
            Self::ShutDown => matches!(state, VmState::Running | VmState::ShuttingDown),
            Self::ForceOff => state.is_active() || state == VmState::Crashed,
            Self::Pause => state == VmState::Running,
            Self::Resume => state == VmState::Paused,
            Self::WakeUp => state == VmState::Suspended,
        }
    }

    /// Whether a person has to confirm it, because it interrupts what the guest does.
    pub fn needs_confirmation(self) -> bool {
        matches!(self, Self::ShutDown | Self::ForceOff)
    }
}

/// One copy of a VM on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Copy {
    /// Where it is.
    pub host: HostName,
    /// What it does.
    pub state: VmState,
}

/// A VM: the active copy, and where else there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vm {
    /// The UUID.
    pub id: VmId,
    /// libvirt's name of it; not unique over hosts.
    pub name: String,
    /// Where the active copy is.
    pub host: HostName,
    /// What the active copy does.
    pub state: VmState,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Its memory in bytes.
    pub memory_bytes: u64,
    /// Whether its definition outlives a power-off.
    pub persistent: bool,
    /// Copies on other hosts: definitions left behind, for instance.
    pub other_copies: Vec<Copy>,
    /// Its migration that has not ended.
    pub migration: Option<MigrationId>,
}

impl Vm {
    /// Whether more than one copy runs: its disks are in danger.
    pub fn runs_twice(&self) -> bool {
        self.state == VmState::Running && self.running_elsewhere().next().is_some()
    }

    /// The other copies that run.
    pub fn running_elsewhere(&self) -> impl Iterator<Item = &Copy> {
        self.other_copies.iter().filter(|copy| copy.state == VmState::Running)
    }
}
