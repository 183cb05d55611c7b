//! Where a VM is: all hosts are asked until they agree, and a copy that was left paused is resumed or turned off.

use std::time::Duration;

use model::{HostName, LeftoverKind, Migration, Mode, VmAction};
use tokio::time::sleep;

use super::{
    Reported, Setback,
    active::ActiveMigration,
    elsewhere,
    inquiry::{Inquiry, Look, all_that, ask_both, ask_others, first_that, worst},
    sample::watch_until_gone,
    verdict::{Evidence, Others, Verdict, is_fresh, verdict},
    waiting,
};
use crate::{
    hypervisor::{HostError, Presence, StateReason},
    storage::StorageJournal as _,
};

/// Between two questions where the VM is.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How soon after the last that was heard of a migration the VM can't have been moved on yet, from the destination to a third
/// host. Later all hosts have to say that they do not have it before an abandoned copy is resumed.
const PROMPT: Duration = Duration::from_mins(2);

/// Where the VM is, and on which other host if that is where.
pub(super) struct Found {
    pub(super) verdict: Verdict,
    pub(super) elsewhere: Option<HostName>,
    /// What source and destination said last.
    pub(super) looks: [Look; 2],
    /// Other hosts that did not answer.
    pub(super) silent: Vec<HostName>,
}

/// Asks all hosts until they agree, or for too long.
pub(super) async fn reconcile(active: &mut ActiveMigration, reported: &Reported) -> Found {
    let mut inquiry = Inquiry::begin();
    loop {
        let looks = ask_both(active).await;
        let [source, destination] = looks.map(Look::presence);
        if source == Presence::Sending && matches!(reported, Err(Setback::Lost(_))) {
            // It goes on without us, or does not know yet that it has lost us; so the verdict has to wait.
            watch_until_gone(active).await;
            inquiry = Inquiry::begin();
            continue;
        }
        inquiry.heard(looks);
        let others = if others_matter(reported, source, destination) { ask_others(active).await } else { Vec::new() };
        let evidence = evidence(active, reported, looks, worst(&others), &inquiry);
        let verdict = verdict(&evidence);
        inquiry.judged(verdict);
        let wait = waiting::wait(active, &evidence, &others, inquiry.lasts()).await;
        if wait.is_endless {
            inquiry.extend();
        }
        let found = |verdict| Found {
            verdict,
            elsewhere: first_that(&others, Others::Have).or_else(|| first_that(&others, Others::Moving)).cloned(),
            looks,
            silent: all_that(&others, Others::Silent),
        };
        match verdict {
            Verdict::Moved | Verdict::Stayed => return found(verdict),
            Verdict::Both
            | Verdict::Neither
            | Verdict::LeftPaused
            | Verdict::Halved
            | Verdict::Ended
            | Verdict::EndedThere
            | Verdict::MovedElsewhere
                if inquiry.is_certain(looks) =>
            {
                return found(verdict);
            }
            Verdict::ToResume | Verdict::ToDrop | Verdict::ToRemove
                if inquiry.is_certain(looks) && active.context().inventory().is_ready() =>
            {
                if inquiry.is_over(looks) {
                    return found(verdict);
                }
                act(active, verdict, looks).await;
                inquiry.judged(Verdict::Undecided);
            }
            _ if inquiry.is_over(looks) && evidence.others != Others::Moving => return found(verdict),
            _ => {}
        }
        if let Some(verdict) = wait.given_up(active).await {
            return found(verdict);
        }
        sleep(ASK_AGAIN).await;
    }
}

/// Whether the verdict depends on what other hosts say. Where libvirt and both hosts say the same no other host is waited for, and
/// before both hosts have said something none is asked.
fn others_matter(reported: &Reported, source: Presence, destination: Presence) -> bool {
    let has_arrived = reported.is_ok() && source != Presence::Active && destination == Presence::Active;
    let is_open = matches!(source, Presence::Unknown | Presence::Sending | Presence::Outgoing);
    !has_arrived && !is_open && destination != Presence::Unknown
}

fn evidence(
    active: &ActiveMigration,
    reported: &Reported,
    looks: [Look; 2],
    others: Others,
    inquiry: &Inquiry,
) -> Evidence {
    let Migration { mode, options, destination, leftovers, .. } = active.record();
    let [source, there] = looks;
    let made_copy = leftovers.iter().any(|left| left.host == *destination && left.what == LeftoverKind::IncomingCopy);
    Evidence {
        mode: *mode,
        source: source.answer,
        destination: there.answer,
        others,
        succeeded: reported.is_ok(),
        kept: options.keep_source_definition && reported.is_ok(),
        made: made_copy && !inquiry.may_execute(there),
        refused: matches!(reported, Err(Setback::Failed(error)) if elsewhere::is_gone_or_busy(error.kind)),
        prompt: active.since_last_heard() <= PROMPT,
    }
}

/// Does what was found to be left to do, if both hosts still say what they said.
async fn act(active: &mut ActiveMigration, verdict: Verdict, looks: [Look; 2]) {
    let again = ask_both(active).await;
    if again.map(|look| look.answer) != looks.map(|look| look.answer) {
        return;
    }
    let Migration { vm, vm_name, source, destination, .. } = active.record();
    let there = active.record().name_on(destination);
    let (host, action, text) = match verdict {
        // As libvirt would have done if it had been told that the migration failed.
        Verdict::ToResume => (
            source,
            VmAction::Resume,
            format!(
                "{source} had {vm_name} paused for the migration, and it has never run on {destination}: it goes on there."
            ),
        ),
        // As libvirt would have done if it had been told that the VM arrived.
        Verdict::ToDrop => (
            source,
            VmAction::ForceOff,
            format!(
                "{there} runs on {destination}: the copy that {source} had paused for the migration was turned off."
            ),
        ),
        _ => (
            destination,
            VmAction::ForceOff,
            format!(
                "{vm_name} is on {source}: the copy that the migration had made on {destination}, and that has never run, was removed."
            ),
        ),
    };
    let (vm, host) = (*vm, host.clone());
    let connection = active.context().inventory().connection(&host);
    let done = match connection {
        Ok(connection) => connection.act(vm, action).await,
        Err(error) => Err(error),
    };
    write_result(active, &host, done, text).await;
}

/// What a source's daemon that died in the middle of it has not done: its definition is to go with the VM.
pub(super) async fn undefine_at_source(active: &mut ActiveMigration, reported: &Reported, there: Look) {
    let Migration { vm, vm_name, source, destination, mode, options, .. } = active.record();
    let is_kept_there = active.context().inventory().copy(destination, *vm).is_some_and(|copy| copy.persistent);
    if *mode == Mode::Offline || options.keep_source_definition || !is_kept_there {
        return;
    }
    let Ok(connection) = active.source() else { return };
    if let Ok(Some(copy)) = connection.copy(*vm).await
        && Presence::of(Some(&copy)) == Presence::Inactive
        // Else the destination's may have been started, and not have come from here.
        && (reported.is_ok() || copy.reason == StateReason::Migrated || !is_fresh(there.answer.reason))
    {
        let text = format!("{source} still had the definition of {vm_name}: it was removed.");
        let (host, removed) = (source.clone(), connection.undefine(*vm).await);
        write_result(active, &host, removed, text).await;
    }
}

/// Writes down what was done, or why it could not be. It is tried again.
async fn write_result(active: &mut ActiveMigration, host: &HostName, done: Result<(), HostError>, text: String) {
    match done {
        Ok(()) => active.write(text).await,
        Err(problem) => {
            tracing::warn!(migration = %active.record().id, %problem, "could not clear up");
            active.write(format!("{host} could not do what is left to do: {problem}")).await;
        }
    }
}
