//! A migration: one move of one VM, kept for ever.
//!
//! Browsers get these types as they are: nothing in them is secret (passwords have no field here), and what a page does not show is
//! small.

use serde::{Deserialize, Serialize};

use crate::{
    Act, Acted, Autostart, ControlFlow, EvacuationId, HostName, HostSettings, Leftover, MigrationId, MigrationOptions,
    Mode, Phase, Policy, Prediction, Problem, Progress, Step, VmId,
};

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
    /// The limit of the bandwidth now, in MiB/s: the last one that it was told, or the one that it began with; none if it has none of its own.
    pub fn bandwidth_now(&self) -> Option<u32> {
        self.bandwidth_told(|_| true).or(self.options.bandwidth_mib_s)
    }

    /// The limit that a person has set since it began, in MiB/s.
    pub fn bandwidth_asked_for(&self) -> Option<u32> {
        self.bandwidth_told(|act| act.by.is_some())
    }

    fn bandwidth_told(&self, counts: impl Fn(&Act) -> bool) -> Option<u32> {
        self.acts.iter().rev().filter(|act| counts(act)).find_map(|act| match act.what {
            Acted::Bandwidth { mib_s } => Some(mib_s),
            _ => None,
        })
    }

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
