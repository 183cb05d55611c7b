//! A VM whose post-copy broke off: what is said of its two halves, and whether the rest of its memory can still follow.

use model::{ControlFlow, HostName, Migration, Step};

use super::{
    Found, Reason,
    sentences::{BY_ITSELF, Sentences},
};
use crate::{
    hypervisor::NoRecovery,
    migration::situation::{Answer, Doing, Seen, Situation},
};

/// What holds for both halves of a VM, whatever else is so.
const NEITHER: &str = "Neither copy may be destroyed: each has memory that the other lacks.";

/// Post-copy broke off, and `host` has a part of the VM's memory. Nothing is ever done to it but to let the rest follow, where both hosts
/// have what they had then.
pub(super) fn broken_post_copy(
    say: &Sentences<'_>,
    record: &Migration,
    situation: &Situation,
    host: &HostName,
) -> Found {
    let has_half = |host: &HostName, half: Doing| matches!(situation.at(host), Answer::Copy(Seen { doing, reason: Reason::PostCopyFailed, .. }) if *doing == half);
    let are_halves = has_half(&record.source, Doing::Paused) && has_half(&record.destination, Doing::Running);
    let waits_there = matches!(
        situation.at(&record.destination),
        Answer::Copy(Seen { doing: Doing::Running, reason: Reason::PostCopy, .. })
    );
    let in_memory = [Doing::Running, Doing::Paused, Doing::Moving].map(|doing| situation.doing(doing).len());
    match situation.no_recovery() {
        // A link that is cut is noticed by the source's libvirt only (seen with 9.0).
        _ if has_half(&record.source, Doing::Paused) && waits_there => say.still_waits(),
        _ if !are_halves || in_memory.iter().sum::<usize>() > 2 => say.post_copy(host),
        // Another control flow has post-copy only where another program began it.
        _ if record.control_flow.is_some_and(|flow| flow != ControlFlow::PeerToPeer) => say.begun_otherwise(),
        Some(why) => say.no_recovery(why),
        None => say.halved(Step::Recover { host: record.source.clone() }),
    }
}

impl Sentences<'_> {
    pub(super) fn post_copy(&self, host: &HostName) -> Found {
        self.only_said(
            format!("A part of the memory of {} is on {host}, another part elsewhere: its migration by post-copy broke off.", self.record.vm_name),
            format!("{NEITHER} See that both hosts answer. {BY_ITSELF}"),
        )
    }

    pub(super) fn still_waits(&self) -> Found {
        let Migration { source, destination, .. } = self.record;
        let fix = format!(
            "{NEITHER} {destination} still waits for the rest. Once {source} and {destination} reach each other again, it follows by itself, or \
             vmferry offers to go on."
        );
        self.only_said(self.in_halves(), fix)
    }

    pub(super) fn halved(&self, step: Step) -> Found {
        let Migration { source, destination, .. } = self.record;
        let fix = format!("{NEITHER} See that {source} and {destination} reach each other. Then: {}.", step.label());
        Found { sentence: self.in_halves(), fix, step: Some(step) }
    }

    pub(super) fn no_recovery(&self, why: NoRecovery) -> Found {
        let Migration { source, destination, .. } = self.record;
        let update = |host, version| {
            format!(
                "Update libvirt on {host} to {version} or newer: its VMs run on meanwhile, and vmferry then offers to go on."
            )
        };
        let (because, cure) = match why {
            NoRecovery::Crashes => (
                format!("The libvirt of {destination} (11.2 or 11.3) crashes when the rest of the memory follows."),
                update(destination, "11.4"),
            ),
            NoRecovery::SourceTooOld => {
                (format!("The libvirt of {source} is too old to send the rest of the memory."), update(source, "8.5"))
            }
            NoRecovery::DestinationTooOld => (
                format!("The libvirt of {destination} is too old to receive the rest of the memory."),
                update(destination, "8.5"),
            ),
            NoRecovery::Unknown => (
                format!("{source} and {destination} have not told which libvirt they have."),
                "Log in at both, so that vmferry can look whether the rest of the memory can follow.".to_owned(),
            ),
        };
        let fix = format!("{NEITHER} {because} {cure}");
        self.only_said(self.in_halves(), fix)
    }

    pub(super) fn begun_otherwise(&self) -> Found {
        let fix = format!(
            "{NEITHER} vmferry goes on only with migrations that the source's libvirt drives (peer-to-peer). Repeat the call that began this \
             one, with VIR_MIGRATE_POSTCOPY_RESUME (virsh: --postcopy-resume)."
        );
        self.only_said(self.in_halves(), fix)
    }

    fn in_halves(&self) -> String {
        let Migration { vm_name, source, destination, .. } = self.record;
        format!(
            "The migration of {vm_name} by post-copy broke off: it runs on {destination} with a part of its memory, and {source} has the rest."
        )
    }
}
