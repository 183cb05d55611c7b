//! Removes what a migration has left on hosts: at its end what can be removed at once, and afterwards whenever a host answers.

use std::{sync::Arc, time::Duration};

use model::{Leftover, LeftoverKind, Migration, MigrationFilter, Mode, Phase};
use tokio::time::{Instant, timeout_at};

use super::{active::ActiveMigration, journal::Journal};
use crate::{
    context::Context,
    error::Error,
    hypervisor::{CopyFacts, HostConnection, HostError, HostErrorKind, Presence, StateReason},
    storage::{self, Removal, StorageJournal as _},
};

/// How long the end of a migration waits for hosts to remove what it has made. A host that takes longer hangs.
const PROMPT: Duration = Duration::from_secs(5);
/// How many later migrations of a VM to a host are looked through.
const LATER: u32 = 50;

/// Writes down what libvirt may leave at the destination, just before it is asked to move the VM. Not where the destination has a copy
/// already, or does not answer: what is there afterwards can't be told apart from what was there before.
///
/// # Errors
/// [`Error::Cancelled`] if a cancel arrives while the store can't be written.
pub(super) async fn expect_copy(active: &mut ActiveMigration) -> Result<(), Error> {
    let Migration { vm, destination, mode, .. } = active.record();
    let (vm, destination, mode) = (*vm, destination.clone(), *mode);
    let Ok(connection) = active.destination() else { return Ok(()) };
    let Ok(None) = connection.copy(vm).await else { return Ok(()) };
    let incoming = (mode == Mode::Live).then_some(LeftoverKind::IncomingCopy);
    active.journal().expect(&destination, incoming.into_iter().chain([LeftoverKind::Definition])).await;
    active.until_written().await
}

/// Removes what can be removed at once, when a migration whose VM stayed is about to end, and names the rest.
pub(super) async fn clean_promptly(context: &Context, journal: &mut Journal) {
    let deadline = Instant::now() + PROMPT;
    pass(context, journal, Some(deadline)).await;
    let waits: Vec<String> =
        journal.record().leftovers.iter().filter(|left| left.problem.is_none()).map(Leftover::name).collect();
    if !waits.is_empty() {
        let text = format!("Still to be removed: {}. vmferry does it when the host answers.", waits.join(", "));
        journal.write(text).await;
    }
}

/// libvirt has said that the VM did not move, or was not asked: if the VM is on its old images now, it will not need the new ones. That
/// can't be seen any more once it has moved on.
pub(super) async fn see_whether_volumes_are_needed(context: &Context, journal: &mut Journal) {
    look_at_disks(context, journal, Some(Instant::now() + PROMPT)).await;
}

/// Looks at all that an ended migration may have left, and removes what can be removed now.
pub(super) async fn clean(context: &Context, journal: &mut Journal) {
    // While it is not certain where the VM is nothing is touched, nor while it moves again.
    let Migration { vm, phase, .. } = journal.record();
    let moves = context.inventory().vm(*vm).is_some_and(|vm| vm.migration.is_some());
    if *phase != Phase::NeedsAttention && !moves {
        pass(context, journal, None).await;
    }
}

async fn pass(context: &Context, journal: &mut Journal, deadline: Option<Instant>) {
    look_at_disks(context, journal, deadline).await;
    // Last things first: a volume may be in use by a copy that is to go, too.
    for leftover in journal.record().leftovers.clone().into_iter().rev() {
        if journal.does_hang(&leftover.what) {
            continue;
        }
        let (host, what) = (&leftover.host, &leftover.what);
        match within(deadline, removal(context, journal.record(), &leftover)).await {
            Ok(Removal::Removed) => {
                let text = format!("Removed {}.", leftover.name());
                journal.forget(host, what, Some(text)).await;
            }
            Ok(Removal::Absent) => journal.forget(host, what, None).await,
            Ok(Removal::Kept(why)) => journal.forget(host, what, Some(why)).await,
            Err(error) if is_no_answer(&error) => {}
            Err(error) => journal.not_removed(&leftover, error.into()).await,
        }
    }
}

async fn look_at_disks(context: &Context, journal: &mut Journal, deadline: Option<Instant>) {
    let is_open = |leftover: &&Leftover| matches!(leftover.what, LeftoverKind::Volume { unused: false, .. });
    let open: Vec<Leftover> = journal.record().leftovers.iter().filter(is_open).cloned().collect();
    for leftover in open {
        let is_its =
            |disk: &&model::DiskMove| leftover.what.volume() == Some((disk.pool.as_str(), disk.volume.as_str()));
        let Some(disk) = journal.record().disks.iter().find(is_its).cloned() else { continue };
        let asked = async { Ok(storage::has_its_old_image(context, journal.record(), &disk).await?) };
        if let Ok(true) = within(deadline, asked).await {
            journal.volume_unused(&disk).await;
        }
    }
}

async fn within<T>(deadline: Option<Instant>, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match deadline {
        Some(deadline) => {
            timeout_at(deadline, asked).await.unwrap_or_else(|_| Err(HostError::too_late("The host").into()))
        }
        None => asked.await,
    }
}

/// Whether the host was not there to be asked. That is no news: it is asked again.
fn is_no_answer(error: &Error) -> bool {
    let Error::Host(HostError { kind, .. }) = error else { return false };
    kind.is_for_a_person() || kind.is_no_answer()
}

async fn removal(context: &Context, migration: &Migration, leftover: &Leftover) -> Result<Removal, Error> {
    if let Some(why) = is_another_machine(context, leftover) {
        return Ok(Removal::Kept(why));
    }
    let connection = context.inventory().connection(&leftover.host)?;
    match leftover.what {
        LeftoverKind::Volume { .. } | LeftoverKind::Token { .. } => {
            storage::remove_volume(context, &*connection, migration, leftover).await
        }
        LeftoverKind::Definition => remove_definition(context, &*connection, migration, leftover).await,
        LeftoverKind::IncomingCopy => {
            let copy = connection.copy(migration.vm).await?;
            match Presence::of(copy.as_ref()) {
                // It may still be told to go on, or be thrown away: libvirt's affair, and the verdict's.
                Presence::Incoming | Presence::Unknown => Err(still_receiving(migration, leftover).into()),
                _ => Ok(Removal::Absent),
            }
        }
    }
}

/// Why the host can't be asked at all: it is not there any more, or is not the machine that it was.
fn is_another_machine(context: &Context, leftover: &Leftover) -> Option<String> {
    let host = &leftover.host;
    let told = |why: &str| Some(format!("{host} {why}. Remove by hand what may be left: {}.", leftover.name()));
    let inventory = context.inventory();
    let Some(entry) = inventory.host(host) else { return told("is not registered any more") };
    let answers = entry.facts.as_ref().map(|facts| facts.uuid);
    if answers.zip(leftover.machine).is_some_and(|(now, then)| now != then) {
        return told("is another machine by now");
    }
    let wants_login = inventory.connection(host).is_err_and(|error| error.kind.is_for_a_person());
    if inventory.is_temporary(host) && wants_login {
        return told("is not registered, and wants a login");
    }
    None
}

/// Removes the definition that the migration has left at a host that had none before: only one that is off, and only while the VM
/// runs elsewhere; or if it is one that never ran, and the VM is defined where it was.
async fn remove_definition(
    context: &Context,
    connection: &dyn HostConnection,
    migration: &Migration,
    leftover: &Leftover,
) -> Result<Removal, Error> {
    let copy = connection.copy(migration.vm).await?;
    let never_ran = copy.as_ref().is_some_and(|copy| copy.reason == StateReason::Failed);
    match Presence::of(copy.as_ref()) {
        Presence::Inactive => {}
        Presence::Absent | Presence::Active => return Ok(Removal::Absent),
        _ => return Err(still_receiving(migration, leftover).into()),
    }
    if has_arrived_since(context, migration, leftover).await? {
        return Ok(Removal::Absent);
    }
    let is_redundant = runs_elsewhere(context, migration, leftover).await
        || (never_ran && is_defined_at_source(context, migration).await);
    if !is_redundant {
        return Err(Error::DefinitionMayBeNeeded { vm: migration.vm_name.clone(), host: leftover.host.clone() });
    }
    connection.undefine(migration.vm).await?;
    Ok(Removal::Removed)
}

/// Whether a later migration has brought the VM to this host: then its definition there is the VM's own.
async fn has_arrived_since(context: &Context, migration: &Migration, leftover: &Leftover) -> Result<bool, Error> {
    let to_here = MigrationFilter {
        vm: Some(migration.vm),
        destination: Some(leftover.host.clone()),
        ..MigrationFilter::newest(LATER)
    };
    let later = context.store().migrations(&to_here.succeeded()).await?;
    Ok(later.iter().any(|later| later.id > migration.id))
}

/// Whether another host says now that it runs the VM.
async fn runs_elsewhere(context: &Context, migration: &Migration, leftover: &Leftover) -> bool {
    let others: Vec<Arc<dyn HostConnection>> = {
        let inventory = context.inventory();
        let names = inventory.hosts().map(|entry| &entry.config.name).filter(|name| **name != leftover.host);
        names.filter_map(|name| inventory.connection(name).ok()).collect()
    };
    for other in others {
        if let Ok(Some(CopyFacts { incoming: false, state, name, .. })) = other.copy(migration.vm).await
            && state.is_active()
            && migration.may_be_called(&name)
        {
            return true;
        }
    }
    false
}

/// Whether the VM is where it was, on or off.
async fn is_defined_at_source(context: &Context, migration: &Migration) -> bool {
    let source = context.inventory().connection(&migration.source);
    match source {
        Ok(source) => source.copy(migration.vm).await.is_ok_and(|copy| copy.is_some_and(|copy| copy.persistent)),
        Err(_) => false,
    }
}

fn still_receiving(migration: &Migration, leftover: &Leftover) -> HostError {
    let text = format!("{} still has a copy that was to receive {}.", leftover.host, migration.vm_name);
    HostError::new(HostErrorKind::WrongState, text)
}
