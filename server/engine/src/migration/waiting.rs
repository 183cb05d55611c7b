//! What a migration waits for before it is known where its VM is: named within seconds, with what a person can do.

use std::time::Duration;

use model::{Code, HostName, Migration, Problem};

use super::{
    active::ActiveMigration,
    inquiry::first_that,
    verdict::{Evidence, Others, Verdict},
};
use crate::{
    hypervisor::{HostError, Presence},
    storage::StorageJournal as _,
};

/// How long nothing is said: most waits are over by then.
pub(super) const NAMED: Duration = Duration::from_secs(5);
/// The same for a job at the source: libvirt may take a while to clear its own away (measured: 1.5 s after a cancel).
const TAIL: Duration = Duration::from_secs(8);

/// How the wait may end.
pub(super) struct Wait {
    /// Whether it has no limit: the VM is paused, and stays so until the destination or a third host has said whether it runs there; or
    /// only a person can bring the answer about.
    pub(super) is_endless: bool,
    /// What it comes to if a person does not want to wait; none where nothing is waited for, or a cancel means something else.
    gives_up: Option<Verdict>,
}

impl Wait {
    /// What is known when a person gives up. A cancel that came before asked for something else.
    pub(super) async fn given_up(&self, active: &mut ActiveMigration) -> Option<Verdict> {
        let verdict = self.gives_up.filter(|_| active.has_new_cancel())?;
        active.note_cancel().await;
        Some(verdict)
    }
}

/// Shows what is waited for, for as long as that is so. The hosts have answered like this for so long.
pub(super) async fn wait(
    active: &mut ActiveMigration,
    evidence: &Evidence,
    others: &[(HostName, Presence)],
    lasts: Duration,
) -> Wait {
    let (source, destination) = (evidence.source.presence, evidence.destination.presence);
    let is_paused = matches!((source, destination), (Presence::Abandoned { .. }, Presence::Unknown));
    let refusal = refusal(active, evidence, is_paused);
    let is_endless = is_paused || refusal.is_some() || may_have_moved_on(evidence);
    let shown = refusal
        .map(|error| told(active, error))
        .or_else(|| silence(active, evidence, others).filter(|_| lasts > NAMED))
        .or_else(|| job(active, evidence, others, lasts));
    let gives_up = match (source, destination) {
        _ if shown.is_none() && !is_endless => None,
        (Presence::Sending, _) => Some(Verdict::Stayed),
        (Presence::Abandoned { .. }, Presence::Absent) => Some(Verdict::LeftPaused),
        // It may be moving the VM, and is told to stop as soon as it answers.
        (Presence::Unknown, _) if !is_endless => None,
        _ => Some(Verdict::Undecided),
    };
    show(active, shown).await;
    Wait { is_endless, gives_up }
}

/// Shows that the source, which moves the VM, does not answer the questions how far it is; or that it does again.
pub(super) async fn name_silent_source(active: &mut ActiveMigration, silent: Duration) {
    if silent > NAMED {
        let Migration { vm_name, source, .. } = active.record();
        let sentence = format!("{source} does not answer. How far {vm_name} has moved is not known before.");
        let fix = format!(
            "See that {source} is up and its libvirt daemon runs. The migration may go on meanwhile, and is shown again as soon as it \
             answers."
        );
        show(active, Some(Problem::new(Code::HostUnreachable, sentence).with_fix(fix))).await;
    } else if silent.is_zero() && !active.stall().is_told() {
        show(active, None).await;
    }
}

/// Shows what is waited for, or that nothing is.
pub(super) async fn show(active: &mut ActiveMigration, shown: Option<Problem>) {
    if active.record().problem == shown {
        return;
    }
    let text = match &shown {
        Some(Problem { sentence, fix: Some(fix), .. }) => format!("{sentence} {fix}"),
        Some(Problem { sentence, .. }) => sentence.clone(),
        None => "That is not waited for any more.".to_owned(),
    };
    active.journal().set_problem(shown, text).await;
}

/// Whether the VM, which the source has paused and the destination does not have, may run on a third host that does not answer.
fn may_have_moved_on(evidence: &Evidence) -> bool {
    let is_left = matches!(
        (evidence.source.presence, evidence.destination.presence),
        (Presence::Abandoned { persistent: true }, Presence::Absent)
    );
    is_left && !evidence.prompt && evidence.others == Others::Silent
}

/// Why a host that has to be asked can't be, where only a person can change that, or while the VM is paused.
fn refusal(active: &ActiveMigration, evidence: &Evidence, is_paused: bool) -> Option<HostError> {
    let Migration { source, destination, .. } = active.record();
    let inventory = active.context().inventory();
    let refusal = |host: &HostName| inventory.connection(host).err();
    let of_person = |host| refusal(host).filter(|error| error.kind.is_for_a_person());
    let of_any_kind = || refusal(destination).filter(|_| is_paused && inventory.is_ready());
    let of_others = || {
        let mut others = inventory.hosts().map(|entry| &entry.config.name).filter(|_| may_have_moved_on(evidence));
        others.find_map(refusal).filter(|_| inventory.is_ready())
    };
    of_person(destination).or_else(|| of_person(source)).or_else(of_any_kind).or_else(of_others)
}

fn told(active: &ActiveMigration, error: HostError) -> Problem {
    let problem = Problem::from(error);
    let sentence = format!("{} Where {} runs is not known before.", problem.sentence, active.record().vm_name);
    let fix = problem.fix.unwrap_or_default();
    let fix = format!("{fix} If that is impossible, cancel the migration, and look after the VM yourself.");
    Problem { sentence, fix: Some(fix.trim_start().to_owned()), ..problem }
}

/// A host that does not answer, whatever the reason.
fn silence(active: &ActiveMigration, evidence: &Evidence, others: &[(HostName, Presence)]) -> Option<Problem> {
    let Migration { vm_name, source, destination, .. } = active.record();
    let third = first_that(others, Others::Silent).filter(|_| may_have_moved_on(evidence));
    let host = match (evidence.source.presence, evidence.destination.presence) {
        (Presence::Unknown, _) => source,
        (_, Presence::Unknown) => destination,
        _ => third?,
    };
    let sentence = format!("{host} does not answer. Where {vm_name} runs is not known before.");
    let fix =
        format!("See that {host} is up and its libvirt daemon runs. The migration goes on as soon as it answers.");
    Some(Problem::new(Code::HostUnreachable, sentence).with_fix(fix))
}

/// Work of libvirt's that has not ended: another program's, or the last of this migration's own.
fn job(
    active: &ActiveMigration,
    evidence: &Evidence,
    others: &[(HostName, Presence)],
    lasts: Duration,
) -> Option<Problem> {
    let Migration { vm_name, source, destination, .. } = active.record();
    let anothers = |sentence| {
        let fix = "What becomes of it is known when that has ended. To wait no longer, cancel this migration: the other goes on.";
        Some(Problem::new(Code::AlreadyMigrating, sentence).with_fix(fix))
    };
    match (evidence.source.presence, evidence.destination.presence) {
        (Presence::Sending, _) if lasts > TAIL => {
            anothers(format!("Another console or program moves {vm_name} away from {source}."))
        }
        _ if lasts <= NAMED => None,
        (Presence::Outgoing | Presence::Abandoned { .. }, Presence::Incoming) | (Presence::Outgoing, _) => {
            let sentence = format!("libvirt has not finished to move {vm_name} from {source} to {destination}.");
            Some(Problem::new(Code::Hypervisor, sentence).with_fix("This goes on by itself."))
        }
        (Presence::Incoming, _) => {
            anothers(format!("Another console or program moves {vm_name} to {source}, or starts it."))
        }
        (_, Presence::Incoming) if first_that(others, Others::Moving).is_none() => {
            let sentence = format!("{destination} still waits to receive {vm_name}, or starts it.");
            Some(Problem::new(Code::Hypervisor, sentence).with_fix("This ends by itself."))
        }
        _ => {
            let third = first_that(others, Others::Moving)?;
            anothers(format!("Another console or program moves {vm_name} to or from {third}."))
        }
    }
}
