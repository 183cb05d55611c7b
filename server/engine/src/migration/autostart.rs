//! Whether a VM starts when its host boots: libvirt keeps that beside the definition, and no migration takes it along.
//!
//! The source is asked before anything moves, and the answer is in the record. Once the VM has moved, its source no longer starts it, so
//! that it never runs on both after a power cut; its destination does what the source did.

use std::time::Duration;

use model::{Autostart, HostName, Migration, MigrationFilter, Mode};
use tokio::time::timeout;

use super::{active::ActiveMigration, journal::Journal};
use crate::{
    context::Context,
    error::Error,
    hypervisor::{HostError, HostErrorKind, Presence},
    storage::StorageJournal as _,
};

/// How long the end of a migration waits for a host to do it. One that takes longer is asked again afterwards.
const PROMPT: Duration = Duration::from_secs(5);

/// Asks the source, and enters the answer into the record. A VM that is not persistent can't start with its host.
pub(super) async fn note(active: &mut ActiveMigration, persistent: bool) {
    let Migration { vm, source, destination, mode, .. } = active.record();
    if !persistent && *mode == Mode::Live {
        return;
    }
    let (vm, source, destination) = (*vm, source.clone(), destination.clone());
    let asked = match active.source() {
        Ok(connection) => connection.autostart(vm).await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(enabled) => active.journal().note_autostart(Autostart { enabled, pending: vec![source, destination] }),
        Err(error) => {
            let name = active.record().vm_name.clone();
            let text = format!(
                "{source} does not say whether it starts {name} when it boots, so {destination} is not told to: {error}"
            );
            active.write(text).await;
        }
    }
}

/// Sets it on both hosts, once the VM has moved: what is not done at once is done when the host answers.
pub(super) async fn carry(context: &Context, journal: &mut Journal) {
    let Some(Autostart { enabled, pending }) = journal.record().autostart.clone() else { return };
    for host in pending {
        let done = timeout(PROMPT, set(context, journal.record(), &host, enabled)).await;
        match done.unwrap_or_else(|_| Err(HostError::too_late(host.as_str()))) {
            Ok(text) => journal.autostart_set(&host, text).await,
            Err(error) if may_answer_later(context, &host, error.kind) => {}
            Err(error) => {
                let name = journal.record().name_on(&host).to_owned();
                let text = format!(
                    "Whether {host} starts {name} when it boots could not be set: {error} Set it by hand (virsh autostart)."
                );
                journal.autostart_set(&host, Some(text)).await;
            }
        }
    }
}

/// Goes on with it after the end of the migration, unless the VM has been moved again: then that migration sees to it.
pub(super) async fn go_on(context: &Context, journal: &mut Journal) {
    if journal.record().autostart_pending().is_empty() {
        return;
    }
    match has_moved_again(context, journal.record()).await {
        Ok(false) => carry(context, journal).await,
        Ok(true) => journal.forget_autostart().await,
        Err(_) => {}
    }
}

async fn has_moved_again(context: &Context, record: &Migration) -> Result<bool, Error> {
    let newest = MigrationFilter { vm: Some(record.vm), ..MigrationFilter::newest(1) };
    let migrations = context.store().migrations(&newest).await?;
    Ok(migrations.iter().any(|newest| newest.id > record.id))
}

/// Sets it on one host; returns what was changed, in a sentence.
async fn set(
    context: &Context,
    record: &Migration,
    host: &HostName,
    enabled: bool,
) -> Result<Option<String>, HostError> {
    let connection = context.inventory().connection(host)?;
    let Some(copy) = connection.copy(record.vm).await?.filter(|copy| copy.persistent) else { return Ok(None) };
    let arrived_here = *host == record.destination;
    if !arrived_here && Presence::of(Some(&copy)) != Presence::Inactive {
        return Ok(None);
    }
    let wanted = enabled && arrived_here;
    if connection.autostart(record.vm).await? == wanted {
        return Ok(None);
    }
    connection.set_autostart(record.vm, wanted).await?;
    let (name, source) = (record.name_on(host), &record.source);
    Ok(Some(match wanted {
        true => format!("{host} starts {name} when it boots, as {source} did."),
        false => format!("{host} does not start {name} any more when it boots."),
    }))
}

/// Whether the host may yet do it. One that is here for the migration only, and wants a login, will not.
fn may_answer_later(context: &Context, host: &HostName, kind: HostErrorKind) -> bool {
    kind.is_no_answer() || (kind.is_for_a_person() && !context.inventory().is_temporary(host))
}
