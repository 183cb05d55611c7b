//! A VM that was not where it was when its migration was about to begin: another console or program may have moved it.

use std::time::Duration;

use model::{HostName, Migration, Mode, Phase, Problem};
use tokio::time::{Instant, sleep};

use super::{
    Setback,
    active::ActiveMigration,
    inquiry::{Look, ask_both, ask_others, first_that, worst},
    verdict::{Evidence, Others},
    waiting,
};
use crate::{
    error::Error,
    hypervisor::{HostErrorKind, Presence},
    storage::StorageJournal as _,
};

/// Between two questions.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How long a console that has just started waits for its hosts.
const READY: Duration = Duration::from_secs(15);

/// Whether the VM may have been moved by others, going by why its migration has not begun.
pub(super) fn may_be_why(setback: &Setback) -> bool {
    match setback {
        Setback::NotBegun(
            Error::MigratedFromOutside { .. }
            | Error::StateChanged { .. }
            | Error::StartedMeanwhile { .. }
            | Error::WrittenMeanwhile { .. },
        )
        // What happened meanwhile nobody watched.
        | Setback::Lost(_) => true,
        Setback::NotBegun(Error::Host(error)) | Setback::Failed(error) => is_gone_or_busy(error.kind),
        Setback::NotBegun(_) => false,
    }
}

/// Whether libvirt refused to move the VM because it was not there, or was being moved already: whatever moved it was not this.
pub(super) fn is_gone_or_busy(kind: HostErrorKind) -> bool {
    matches!(
        kind,
        HostErrorKind::AlreadyMigrating
            | HostErrorKind::WrongState
            | HostErrorKind::UnknownVm
            | HostErrorKind::AlreadyThere
    )
}

/// Where others have moved the VM; none if it is not known to be anywhere but at its source. While it is being moved that is waited for.
pub(super) async fn moved_to(active: &mut ActiveMigration) -> Option<HostName> {
    let begun = Instant::now();
    loop {
        if !active.context().inventory().is_ready() && begun.elapsed() < READY {
            sleep(ASK_AGAIN).await;
            continue;
        }
        let looks = ask_both(active).await;
        let others = ask_others(active).await;
        let [source, destination] = looks.map(Look::presence);
        let is_moving = |presence| matches!(presence, Presence::Sending | Presence::Outgoing | Presence::Incoming);
        if !is_moving(source) && !is_moving(destination) && worst(&others) != Others::Moving {
            let is_gone = matches!(source, Presence::Absent | Presence::Inactive);
            let is_there =
                destination == Presence::Active || (source, destination) == (Presence::Absent, Presence::Inactive);
            return match is_there {
                _ if !is_gone => None,
                true => Some(active.record().destination.clone()),
                false => first_that(&others, Others::Have).or_else(|| definition(active, source, &others)).cloned(),
            };
        }
        let evidence = Evidence {
            mode: active.record().mode,
            source: looks[0].answer,
            destination: looks[1].answer,
            others: worst(&others),
            succeeded: false,
            kept: false,
            made: false,
            refused: true,
            prompt: true,
        };
        let wait = waiting::wait(active, &evidence, &others, begun.elapsed()).await;
        if wait.given_up(active).await.is_some() {
            return None;
        }
        sleep(ASK_AGAIN).await;
    }
}

/// The other host that has a definition of a VM that was shut off and has left its source: there is nothing else that shows where it
/// went.
fn definition<'a>(
    active: &ActiveMigration,
    source: Presence,
    others: &'a [(HostName, Presence)],
) -> Option<&'a HostName> {
    let has_left = active.record().mode == Mode::Offline && source == Presence::Absent;
    let defined = |(_, presence): &&(HostName, Presence)| *presence == Presence::Inactive;
    others.iter().find(|other| has_left && defined(other)).map(|(host, _)| host)
}

/// The end of a migration whose VM was moved by others.
pub(super) fn end(migration: &Migration, host: &HostName) -> (Phase, Option<Problem>) {
    let error = Error::MovedFromOutside { vm: migration.vm_name.clone(), host: host.clone() };
    (Phase::MovedElsewhere, Some(error.into()))
}
