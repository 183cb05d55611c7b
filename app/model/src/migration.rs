//! A migration: one move of one VM, kept for ever.
//!
//! Browsers get these types as they are: nothing in them is secret (passwords have no field here), and what a page does not show is
//! small.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::{
    Act, Autostart, Code, Destination, EvacuationId, FindingCode, Host, HostName, HostSettings, Leftover, MigrationId,
    Policy, Prediction, Problem, Progress, Step, Vm, VmId, VmState,
};

/// Where a migration is. Phases are ordered as a migration goes through them; it may skip some.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "kebab-case", try_from = "String")]
#[strum(serialize_all = "kebab-case")]
pub enum Phase {
    /// Written down, not begun.
    Queued,
    /// Looking whether it can work.
    Checking,
    /// The destination is prepared.
    Preparing,
    /// Disks that are not shared are copied.
    CopyingDisks,
    /// The first pass over the memory.
    CopyingMemory,
    /// Further passes over what the guest changed meanwhile.
    Converging,
    /// The VM pauses here and goes on there.
    SwitchingOver,
    /// The VM runs there already; the rest of its memory follows.
    PostCopy,
    /// Both hosts are asked where the VM runs.
    Verifying,
    /// The VM runs at the destination, and only there.
    Succeeded,
    /// The VM stayed at the source.
    Failed,
    /// Stopped on request; the VM stayed at the source.
    Cancelled,
    /// The VM runs somewhere, but not because of this migration: another console or program moved it.
    MovedElsewhere,
    /// It can't be told that exactly one copy runs. Nothing was touched; a person has to look. Settled later, if the hosts agree.
    NeedsAttention,
}

impl Phase {
    /// All phases, in the order a migration goes through them.
    pub const ALL: &[Self] = Self::VARIANTS;

    /// Whether it is over: the VM is free for another migration. Of [`Self::NeedsAttention`] the result may become known later.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::MovedElsewhere | Self::NeedsAttention)
    }

    /// The phase as stored and as in JSON, e.g. `copying-memory`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The phase in words for a person.
    pub fn label(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Checking => "Checking",
            Self::Preparing => "Preparing the destination",
            Self::CopyingDisks => "Copying disks",
            Self::CopyingMemory => "Copying memory",
            Self::Converging => "Copying what changed meanwhile",
            Self::SwitchingOver => "Switching over",
            Self::PostCopy => "Runs there, fetching the rest",
            Self::Verifying => "Verifying",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::MovedElsewhere => "Moved by another console or program",
            Self::NeedsAttention => "Needs attention",
        }
    }
}

/// Whether memory moves, or a definition only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The VM goes on while its memory moves.
    Live,
    /// The VM is shut off; only its definition moves.
    Offline,
}

/// Who drives a migration (libvirt's control flow), and with [`Self::Tunnelled`] also how the memory travels (libvirt's transport).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ControlFlow {
    /// The source's libvirt logs in at the destination and drives it, even if the console dies. Data goes from host to host.
    PeerToPeer,
    /// The console is logged in at both hosts and drives it, so the source needs no login. Data goes from host to host.
    Direct,
    /// Peer-to-peer with libvirt's tunnelled transport: the memory goes through the two daemons. One port, slow, no disks.
    Tunnelled,
}

impl ControlFlow {
    /// Whether a migration may switch to post-copy: not through the daemons, which can't do it, nor while the console drives it, with
    /// which post-copy would break off.
    pub fn allows_post_copy(self) -> bool {
        self == Self::PeerToPeer
    }
}

/// What can be chosen for a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationOptions {
    /// Keep the VM's definition at the source. Off by default, so that the VM is not started a second time there.
    #[serde(default)]
    pub keep_source_definition: bool,
    /// Use at most this much of the network, in MiB/s (1 to 1,000,000); none is the source host's own setting.
    #[serde(default)]
    pub bandwidth_mib_s: Option<u32>,
    /// What the VM shall be called at the destination; none keeps its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_name: Option<String>,
    /// Pools for disks that are copied, by the disk's name in the guest (`vda`); the others go where the preflight says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, String>,
    /// Take media out of the VM's drives first, where the destination does not have them.
    #[serde(default)]
    pub eject_media: bool,
    /// Remove the old images of disks that were copied, after everything else; never on shared storage.
    #[serde(default)]
    pub remove_source_disks: bool,
    /// The control flow; none lets the preflight choose between peer-to-peer and direct. Tunnelled needs consent.
    #[serde(rename = "way", default, skip_serializing_if = "Option::is_none")]
    pub control_flow: Option<ControlFlow>,
    /// Whether memory and disks are encrypted in transit (TLS); none encrypts where both hosts have certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypt: Option<bool>,
    /// Send the memory by RDMA.
    #[serde(default)]
    pub rdma: bool,
    /// How far it may go to finish; none is the default, balanced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// The longest pause that the policy may allow, in ms (1 to 2,000,000); none is the policy's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_pause_ms: Option<u32>,
    /// How long it may go on without converging, in s (1 to 604,800), before gentle or balanced gives up; none is 150 s for each GiB of
    /// memory, and at least 300 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_s: Option<u32>,
    /// Send the memory over so many connections at once (1 to 16); none lets vmferry decide. Not together with a bandwidth limit, which
    /// QEMU does not observe then, nor with the policy certain, whose post-copy QEMU before 10.1 does not do then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u8>,
    /// Compress the memory on its way (zstd). Under the same conditions, and both hosts need libvirt 9.4.
    #[serde(default, skip_serializing_if = "is_false")]
    pub compress: bool,
    /// Make the policy and its limits the VM's defaults.
    #[serde(default, skip_serializing_if = "is_false")]
    pub policy_as_default: bool,
}

/// For fields that are left out then.
fn is_false(field: &bool) -> bool {
    !field
}

/// A migration asked for.
///
/// `D` is what its destination is called by: port and engine take a [`Destination`], which may be an address; pages send, and a
/// migration begins with, the name of a host that the console has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MigrationRequest<D = HostName> {
    /// The VM.
    pub vm: VmId,
    /// Where it shall go.
    pub destination: D,
    /// Live or offline; none lets the VM's state decide.
    #[serde(default)]
    pub mode: Option<Mode>,
    /// What else was chosen.
    #[serde(default)]
    pub options: MigrationOptions,
    /// Warnings that need consent and have it.
    #[serde(default)]
    pub accept: Vec<FindingCode>,
}

impl<D> MigrationRequest<D> {
    /// To move a VM to `destination`, with nothing else chosen.
    pub fn plain(vm: VmId, destination: D) -> Self {
        Self { vm, destination, mode: None, options: MigrationOptions::default(), accept: Vec::new() }
    }
}

impl<A> From<MigrationRequest> for MigrationRequest<Destination<A>> {
    fn from(MigrationRequest { vm, destination, mode, options, accept }: MigrationRequest) -> Self {
        Self { vm, destination: Destination::Registered(destination), mode, options, accept }
    }
}

/// A migration as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migration {
    /// Its id.
    pub id: MigrationId,
    /// The VM.
    pub vm: VmId,
    /// The VM's name when it began.
    pub vm_name: String,
    /// Where the VM was.
    pub source: HostName,
    /// Where it shall go.
    pub destination: HostName,
    /// Live or offline.
    pub mode: Mode,
    /// What was chosen.
    pub options: MigrationOptions,
    /// Its control flow; none until that is decided.
    #[serde(rename = "way", default, skip_serializing_if = "Option::is_none")]
    pub control_flow: Option<ControlFlow>,
    /// Whether memory and disks are encrypted in transit.
    #[serde(default)]
    pub encrypted: bool,
    /// How the destination is reached, where it is not registered: a console that was restarted has to ask it for the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unregistered: Option<HostSettings>,
    /// Disks that are copied, and what became of their copies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<DiskMove>,
    /// Who asked for it: a user's name.
    pub requested_by: String,
    /// Where it is.
    pub phase: Phase,
    /// Whether a user asked to cancel it.
    pub cancel_requested: bool,
    /// When it was asked for, in ms since 1970.
    pub created_at_ms: u64,
    /// When it ended, in ms since 1970.
    pub ended_at_ms: Option<u64>,
    /// How far it is, or was at the end.
    pub progress: Progress,
    /// The figures, once it has ended.
    pub outcome: Option<Outcome>,
    /// Why it failed, what needs attention, or what is to be known of a VM that has moved.
    pub problem: Option<Problem>,
    /// Of a migration that needs attention, the one step that is safe next; none if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// What it has made on hosts, or may have, and what is not yet known to be gone or the VM's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leftovers: Vec<Leftover>,
    /// Whether the VM starts with its host; none if that is not known or can't be so, as of a VM that is not persistent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autostart: Option<Autostart>,
    /// The policy that it follows now.
    #[serde(default)]
    pub policy: Policy,
    /// Whether it can switch to post-copy: it was prepared for that, and both hosts can.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub post_copy: bool,
    /// Whether QEMU slows the guest where it writes too fast.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub slows_guest: bool,
    /// Over how many connections its memory goes; none is the ordinary one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u8>,
    /// What QEMU was told that the network carries during the pause, without the bandwidth limit, in MiB/s; none if it was told nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switchover_mib_s: Option<u32>,
    /// How long it waited in the queue, in ms; 0 while it does.
    #[serde(default)]
    pub waited_ms: u64,
    /// The pause that the guest may take now, in ms; none until data is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_limit_ms: Option<u32>,
    /// What its policy and people have done to it while it ran, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acts: Vec<Act>,
    /// How long it was predicted to take; none where nothing was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// The evacuation that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evacuation: Option<EvacuationId>,
    /// Whether the guest slept (S3) when it moved, and has not been woken up since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asleep: bool,
}

impl Migration {
    /// Whether vmferry has to look after it though it has ended: it has left something, something is still to be set on a host, the VM
    /// sleeps where vmferry sees it, or it is not certain where the VM is.
    pub fn needs_care(&self) -> bool {
        self.phase.has_ended()
            && (self.phase == Phase::NeedsAttention
                || !self.leftovers.is_empty()
                || !self.autostart_pending().is_empty()
                || (self.phase == Phase::Succeeded && self.asleep && self.unregistered.is_none()))
    }

    /// The hosts on which a VM that has moved is still to be set to start with its host, or not to.
    pub fn autostart_pending(&self) -> &[HostName] {
        match &self.autostart {
            Some(autostart) if self.phase == Phase::Succeeded => &autostart.pending,
            _ => &[],
        }
    }

    /// Whether a copy of this name, on another host than its two, may be the VM: any other VM may have its UUID.
    pub fn may_be_called(&self, name: &str) -> bool {
        self.vm_name == name || self.options.new_name.as_deref() == Some(name)
    }

    /// What the VM is called on this host: it may get a new name at the destination.
    pub fn name_on(&self, host: &HostName) -> &str {
        match &self.options.new_name {
            Some(name) if *host == self.destination => name,
            _ => &self.vm_name,
        }
    }
}

/// A disk that is copied. Kept with the migration, so that what was created is known after a restart, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskMove {
    /// Its name in the guest, e.g. `vda`.
    pub target: String,
    /// Where it was: a path on the source.
    pub source: String,
    /// The destination pool.
    pub pool: String,
    /// The new volume's name.
    pub volume: String,
    /// The new volume's path; none until it is created.
    pub path: Option<String>,
    /// Whether this migration created the volume, so that it may remove it.
    pub created: bool,
    /// Whether the copy was proven to be the same as the disk. Without that the old image is not removed.
    #[serde(default)]
    pub proven: bool,
}

/// The figures of a migration that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// From the request to the verdict, in ms.
    pub total_ms: u64,
    /// How long the VM did not execute, in ms, as QEMU measured it; none if it never paused or that was not measured.
    pub downtime_ms: Option<u64>,
    /// What was sent, in bytes.
    pub bytes: u64,
    /// What was sent by the time it took to send it, in bytes a second.
    pub average_bytes_s: u64,
}

/// An entry in a migration's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationEvent {
    /// When, in ms since 1970.
    pub at_ms: u64,
    /// The phase it was in from then on.
    pub phase: Phase,
    /// What happened, in a sentence.
    pub text: String,
}

/// Why a VM can't be moved to a host, and the check of a preflight that this belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The check.
    pub check: FindingCode,
    /// Why not.
    pub problem: Problem,
}

/// Why `vm` can't be moved to `destination`, as far as the console can tell without asking a host.
///
/// The engine refuses by it, and the pages grey out cards by it, so that both say the same.
pub fn refusal(vm: &Vm, destination: &Host, mode: Option<Mode>) -> Option<Refusal> {
    let (name, host, state) = (&vm.name, &destination.name, vm.state.as_str());
    let refused = |check, code, sentence: String, fix: &str| {
        Some(Refusal { check, problem: Problem::new(code, sentence).with_fix(fix) })
    };
    if let Some(migration) = vm.migration {
        let sentence = format!("{name} is already being migrated (migration {migration}).");
        let problem = Problem::new(Code::AlreadyMigrating, sentence)
            .with_fix("Wait for it to end, or cancel it.")
            .with_migration(migration);
        return Some(Refusal { check: FindingCode::AlreadyMigrating, problem });
    }
    if let Some(problem) = vm.shares_uuid().filter(|_| vm.is_mistakable()) {
        return Some(Refusal { check: FindingCode::UuidTaken, problem });
    }
    if vm.host == destination.name {
        let sentence = match vm.state {
            VmState::Running => format!("{name} already runs on {host}."),
            VmState::ShutOff => format!("{name} is already defined on {host}."),
            _ => format!("{name} is already on {host}."),
        };
        return refused(FindingCode::SameHost, Code::SameHost, sentence, "Choose another host.");
    }
    if mode == Some(Mode::Live) && !vm.state.is_active() {
        let sentence = format!("{name} is {state}, so it can't move live.");
        let fix = "Start it first, or move its definition only (offline).";
        return refused(FindingCode::VmState, Code::WrongState, sentence, fix);
    }
    if mode == Some(Mode::Offline) && vm.state.is_active() {
        let sentence = format!("{name} is {state}, so it can't move offline.");
        return refused(FindingCode::VmState, Code::WrongState, sentence, "Shut it down first, or move it live.");
    }
    if vm.state == VmState::Unknown {
        let sentence = format!("{} does not say what {name} does now.", vm.host);
        let fix = "See that the host answers, then try again.";
        return refused(FindingCode::VmState, Code::HostUnreachable, sentence, fix);
    }
    if vm.state == VmState::Crashed {
        let sentence = format!("{name} has crashed, and its memory may still be held.");
        let fix = "Force it off, and start it or move it then. To keep its memory for a look, dump it first (virsh dump --memory-only).";
        return refused(FindingCode::VmState, Code::WrongState, sentence, fix);
    }
    if vm.runs_twice() {
        let sentence = format!("{name} runs on more than one host.");
        let fix = "To pause one of the copies stops further damage to its disks, and can be undone. Only one may run before it can move.";
        return refused(FindingCode::RunsThere, Code::NeedsAttention, sentence, fix);
    }
    if !destination.is_connected() {
        let sentence = format!("{host} does not answer.");
        let fix = "Check that the host is up and its libvirt daemon runs, or choose another host.";
        return refused(FindingCode::DestinationReachable, Code::HostUnreachable, sentence, fix);
    }
    let there = vm.other_copies.iter().find(|copy| &copy.host == host && copy.state.has_process())?;
    let sentence = format!("{host} already has a copy of {name}; it is {}.", there.state.as_str());
    let fix = "Only one copy may run. Find out what this one is for before anything else.";
    refused(FindingCode::RunsThere, Code::AlreadyThere, sentence, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ConnectionState, Copy,
        examples::{self, host},
    };
    use uuid::Uuid;

    fn vm(state: VmState) -> Vm {
        Vm { state, ..examples::vm(1, "web", "alpha") }
    }

    fn code(vm: &Vm, host: &Host, mode: Option<Mode>) -> Option<Code> {
        refusal(vm, host, mode).map(|refusal| refusal.problem.code)
    }

    #[test]
    fn what_can_go() {
        assert_eq!(code(&vm(VmState::Running), &host("beta"), None), None);
        assert_eq!(code(&vm(VmState::Paused), &host("beta"), Some(Mode::Live)), None);
        assert_eq!(code(&vm(VmState::ShutOff), &host("beta"), None), None);
        let mut left_behind = vm(VmState::Running);
        left_behind.other_copies.push(Copy { host: "beta".parse().unwrap(), state: VmState::ShutOff });
        assert_eq!(code(&left_behind, &host("beta"), None), None);
    }

    #[test]
    fn only_a_running_vm_is_said_to_run() {
        let sentence = |state| refusal(&vm(state), &host("alpha"), None).unwrap().problem.sentence;
        assert_eq!(sentence(VmState::Running), "web already runs on alpha.");
        assert_eq!(sentence(VmState::ShutOff), "web is already defined on alpha.");
        assert_eq!(sentence(VmState::Paused), "web is already on alpha.");
    }

    #[test]
    fn what_can_not_go() {
        assert_eq!(code(&vm(VmState::Running), &host("alpha"), None), Some(Code::SameHost));
        assert_eq!(code(&vm(VmState::ShutOff), &host("beta"), Some(Mode::Live)), Some(Code::WrongState));
        assert_eq!(code(&vm(VmState::Running), &host("beta"), Some(Mode::Offline)), Some(Code::WrongState));
        let mut gone = host("beta");
        gone.connection = ConnectionState::Connecting;
        assert_eq!(code(&vm(VmState::Running), &gone, None), Some(Code::HostUnreachable));
        let mut migrating = vm(VmState::Running);
        let id = MigrationId(Uuid::from_u128(7));
        migrating.migration = Some(id);
        let Refusal { problem, .. } = refusal(&migrating, &host("beta"), None).unwrap();
        assert_eq!((problem.code, problem.migration), (Code::AlreadyMigrating, Some(id)));
        let mut twice = vm(VmState::Running);
        twice.other_copies.push(Copy { host: "gamma".parse().unwrap(), state: VmState::Running });
        assert_eq!(code(&twice, &host("beta"), None), Some(Code::NeedsAttention));
        let mut there = vm(VmState::ShutOff);
        there.other_copies.push(Copy { host: "beta".parse().unwrap(), state: VmState::Paused });
        assert_eq!(code(&there, &host("beta"), None), Some(Code::AlreadyThere));
        let mut crashed = vm(VmState::Running);
        crashed.other_copies.push(Copy { host: "beta".parse().unwrap(), state: VmState::Crashed });
        assert_eq!(code(&crashed, &host("beta"), None), Some(Code::AlreadyThere), "its QEMU is still there");
    }
}
