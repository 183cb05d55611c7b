//! VMs: libvirt domains, wherever their active copy is.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{Code, Host, HostName, MigrationId, PolicyDefaults, Problem, VmId};

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

    /// Whether there is a QEMU process to force off: also that of a VM which has crashed and was kept (`on_crash` preserve).
    pub fn has_process(self) -> bool {
        self.is_active() || self == Self::Crashed
    }

    /// Whether its guest may write to its disks: it runs, or sleeps and can wake up by itself.
    pub fn may_write(self) -> bool {
        matches!(self, Self::Running | Self::Suspended)
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

    /// The action as it stands in addresses, forms and JSON, e.g. `force-off`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::ShutDown => "shut-down",
            Self::ForceOff => "force-off",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::WakeUp => "wake-up",
        }
    }

    /// Whether it makes sense for a VM in this state.
    pub fn is_possible(self, state: VmState) -> bool {
        match self {
            // What has crashed is still in its QEMU, so that libvirt says that it runs already.
            Self::Start => state == VmState::ShutOff,
            Self::ShutDown => matches!(state, VmState::Running | VmState::ShuttingDown),
            Self::ForceOff => state.has_process(),
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
    /// The title that its definition has for people (libvirt's `<title>`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Words that people have given it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Where the active copy is.
    pub host: HostName,
    /// What the active copy does.
    pub state: VmState,
    /// Virtual CPUs that it has now.
    pub vcpus: u32,
    /// The most virtual CPUs that it can have without being shut off.
    pub vcpus_max: u32,
    /// The most memory that it can have without being shut off, in bytes. This is what a migration has to move.
    pub memory_bytes: u64,
    /// The memory that its balloon leaves it now, in bytes.
    pub memory_now_bytes: u64,
    /// Whether its definition outlives a power-off.
    pub persistent: bool,
    /// Copies on other hosts: definitions left behind, for instance.
    pub other_copies: Vec<Copy>,
    /// Other VMs that have the same UUID: their definitions were copied without giving them one of their own. These have no twins.
    pub twins: Vec<Vm>,
    /// Its migration that has not ended.
    pub migration: Option<MigrationId>,
    /// The policy of its migrations that choose none, if it has one of its own.
    #[serde(default, skip_serializing_if = "PolicyDefaults::is_empty")]
    pub policy_defaults: PolicyDefaults,
}

impl Vm {
    /// This VM and those that have its UUID, each with the others as its twins.
    pub fn each(&self) -> Vec<Self> {
        let alone: Vec<Self> =
            std::iter::once(Self { twins: Vec::new(), ..self.clone() }).chain(self.twins.clone()).collect();
        let with_twins = |(index, vm): (usize, &Self)| {
            let others = alone.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, twin)| twin.clone());
            Self { twins: others.collect(), ..vm.clone() }
        };
        alone.iter().enumerate().map(with_twins).collect()
    }

    /// What its migrations follow that choose no policy: its own, or that of its host.
    pub fn effective_policy_defaults(&self, host: Option<&Host>) -> PolicyDefaults {
        self.policy_defaults.or(host.map(|host| host.policy_defaults).unwrap_or_default())
    }

    /// Whether it can be taken for a VM with the same UUID: all calls to hosts name the VM by it. Not while it has a process and the
    /// others are certainly off.
    pub fn is_mistakable(&self) -> bool {
        let are_off = self.twins.iter().all(|twin| twin.state == VmState::ShutOff);
        let is_the_only_process = self.state.has_process() && are_off;
        !(self.twins.is_empty() || is_the_only_process)
    }

    /// That several VMs have its UUID, and what to do about it; none if it is the only one.
    pub fn shares_uuid(&self) -> Option<Problem> {
        if self.twins.is_empty() {
            return None;
        }
        let all = std::iter::once(self).chain(&self.twins);
        let all: Vec<String> = all.map(|vm| format!("{} on {} ({})", vm.name, vm.host, vm.state.as_str())).collect();
        let count = if all.len() == 2 { "Two" } else { "Several" };
        let sentence = format!("{count} VMs have one UUID: {}.", all.join(", "));
        let fix = "Give all but one a new UUID: shut it down in the guest, save its definition (virsh dumpxml --inactive), undefine it \
                   (virsh undefine --keep-nvram --keep-tpm), delete the line <uuid> and define it again (virsh define). Let the one \
                   with a TPM keep the UUID: the TPM's keys are stored under it. One that is only what a move left behind can be \
                   undefined. vmferry starts, stops and migrates none of them unless exactly one is active, \
                   and then only that one.";
        Some(Problem::new(Code::UuidTwin, sentence).with_fix(fix).with_details(self.id.to_string()))
    }

    /// Whether more than one copy runs, or sleeps and can wake up: its disks are in danger.
    pub fn runs_twice(&self) -> bool {
        self.state.may_write() && self.running_elsewhere().next().is_some()
    }

    /// The other copies that run, or sleep and can wake up.
    pub fn running_elsewhere(&self) -> impl Iterator<Item = &Copy> {
        self.other_copies.iter().filter(|copy| copy.state.may_write())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples;

    fn twins(states: [VmState; 2]) -> Vm {
        let [state, other] = states;
        let twin = Vm { state: other, ..examples::vm(1, "shop-copy", "blue") };
        Vm { state, twins: vec![twin], ..examples::vm(1, "shop", "red") }
    }

    #[test]
    fn each_of_two_vms_with_one_uuid_knows_the_other() {
        let each = twins([VmState::Running; 2]).each();
        let told: Vec<_> = each.iter().map(|vm| (vm.name.as_str(), vm.twins[0].name.as_str())).collect();
        assert_eq!(told, [("shop", "shop-copy"), ("shop-copy", "shop")]);
        assert_eq!(examples::vm(1, "shop", "red").each(), [examples::vm(1, "shop", "red")]);
    }

    #[test]
    fn only_the_one_that_is_active_is_not_mistaken() {
        use VmState::{Crashed, Paused, Running, ShutOff, Unknown};
        let mistakable = |states| twins(states).is_mistakable();
        assert!(mistakable([Running, Running]) && mistakable([Paused, Running]) && mistakable([ShutOff, ShutOff]));
        assert!(mistakable([Running, Unknown]) && mistakable([ShutOff, Running]));
        assert!(!mistakable([Crashed, ShutOff]) && mistakable([Crashed, Running]) && mistakable([Running, Crashed]));
        assert!(!mistakable([Running, ShutOff]) && !examples::vm(1, "shop", "red").is_mistakable());
        let problem = twins([Running, ShutOff]).shares_uuid().unwrap();
        assert_eq!(problem.sentence, "Two VMs have one UUID: shop on red (running), shop-copy on blue (shut off).");
        let fix = problem.fix.unwrap();
        assert!(fix.contains("--keep-tpm") && fix.contains("TPM keep the UUID"), "{fix}");
    }

    #[test]
    fn a_copy_that_sleeps_beside_one_that_runs_is_one_that_can_write() {
        use VmState::{Paused, Running, ShutOff, Suspended};
        let runs_twice = |here, there| {
            let other_copies = vec![Copy { host: examples::host("blue").name, state: there }];
            Vm { state: here, other_copies, ..examples::vm(1, "shop", "red") }.runs_twice()
        };
        assert!(runs_twice(Running, Running) && runs_twice(Running, Suspended) && runs_twice(Suspended, Running));
        assert!(!runs_twice(Running, Paused) && !runs_twice(Paused, Suspended) && !runs_twice(ShutOff, Running));
    }
}
