//! Whether a VM starts when its host boots: libvirt keeps that beside the definition, and no migration takes it along.
//!
//! The source is asked before anything moves, and the answer is in the record. Once the VM has moved, its source no longer starts it, so
//! that it never runs on both after a power cut; its destination does what the source did.

use std::time::Duration;

use model::{Autostart, HostName, Migration, MigrationFilter, Mode, Phase};
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

/// How many later migrations of a VM are looked through.
const LATER: u32 = 50;

/// Asks the source, and enters the answer into the record. A VM that is not persistent can't start with its host.
///
/// A source that has not been told yet, after the migration that brought the VM there, is not asked: it would say what was before.
pub(super) async fn note(active: &mut ActiveMigration, persistent: bool) {
    let Migration { vm, source, destination, mode, .. } = active.record();
    if !persistent && *mode == Mode::Live {
        return;
    }
    let (vm, source, destination) = (*vm, source.clone(), destination.clone());
    let asked = match (still_wanted(active.context(), active.record()).await, active.source()) {
        (Some(enabled), _) => Ok(enabled),
        (None, Ok(connection)) => connection.autostart(vm).await,
        (None, Err(error)) => Err(error),
    };
    match asked {
        Ok(enabled) => active.journal().note_autostart(Autostart { enabled, pending: vec![source, destination] }),
        Err(error) => {
            let name = active.record().vm_name.clone();
            if active.record().options.keep_source_definition {
                // Whatever it would have said: two hosts that start the VM are worse than none.
                active.journal().note_autostart(Autostart { enabled: false, pending: vec![source.clone()] });
            }
            let text = format!(
                "{source} does not say whether it starts {name} when it boots, so {destination} is not told to: {error}"
            );
            active.write(text).await;
        }
    }
}

/// What the source is still to be told, if the last migration of the VM has brought it there.
async fn still_wanted(context: &Context, record: &Migration) -> Option<bool> {
    let last = MigrationFilter { vm: Some(record.vm), ..MigrationFilter::newest(1) };
    let migrations = context.store().migrations(&last.succeeded()).await.ok()?;
    let last = migrations.first().filter(|last| last.destination == record.source)?;
    last.autostart_pending().contains(&record.source).then_some(last.autostart.as_ref()?.enabled)
}

/// Sets it on both hosts, once the VM has moved: what is not done at once is done when the host answers.
pub(super) async fn carry(context: &Context, journal: &mut Journal) {
    let pending = journal.record().autostart.as_ref().map(|autostart| autostart.pending.clone());
    set_on(context, journal, pending.unwrap_or_default()).await;
}

/// Goes on with it after the end of the migration. The hosts of a later one that has moved the VM are that one's affair.
pub(super) async fn go_on(context: &Context, journal: &mut Journal) {
    if journal.record().autostart_pending().is_empty() {
        return;
    }
    let Ok(later) = later(context, journal.record()).await else { return };
    journal.leave_autostart(|host| later.iter().any(|later| has_moved(later) && is_host_of(later, host))).await;
    let mut hosts = journal.record().autostart_pending().to_vec();
    hosts.retain(|host| !later.iter().any(|later| may_move(later) && is_host_of(later, host)));
    set_on(context, journal, hosts).await;
}

async fn set_on(context: &Context, journal: &mut Journal, hosts: Vec<HostName>) {
    let Some(Autostart { enabled, .. }) = journal.record().autostart else { return };
    for host in hosts {
        let done = timeout(PROMPT, set(context, journal.record(), &host, enabled)).await;
        match done.unwrap_or_else(|_| Err(HostError::too_late(host.as_str()))) {
            Ok(Done::Yes(text)) => journal.autostart_set(&host, text).await,
            Ok(Done::NotYet) => {}
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

/// The later migrations of the VM.
async fn later(context: &Context, record: &Migration) -> Result<Vec<Migration>, Error> {
    let newest = MigrationFilter { vm: Some(record.vm), ..MigrationFilter::newest(LATER) };
    let mut migrations = context.store().migrations(&newest).await?;
    migrations.retain(|later| later.id > record.id);
    Ok(migrations)
}

fn is_host_of(later: &Migration, host: &HostName) -> bool {
    [&later.source, &later.destination].contains(&host)
}

fn has_moved(later: &Migration) -> bool {
    matches!(later.phase, Phase::Succeeded | Phase::MovedElsewhere)
}

/// Whether it may be moving the VM now, or may have moved it. Until it is about to begin, the VM may yet stay for long.
fn may_move(later: &Migration) -> bool {
    !matches!(later.phase, Phase::Queued | Phase::Checking | Phase::Failed | Phase::Cancelled)
}

/// Whether it is set as it is to be.
enum Done {
    /// It is; what was changed, in a sentence.
    Yes(Option<String>),
    /// The source has not let the VM go yet, and may keep the definition.
    NotYet,
}

/// Sets it on one host.
async fn set(context: &Context, record: &Migration, host: &HostName, enabled: bool) -> Result<Done, HostError> {
    let connection = context.inventory().connection(host)?;
    let Some(copy) = connection.copy(record.vm).await?.filter(|copy| copy.persistent) else {
        return Ok(Done::Yes(None));
    };
    let arrived_here = *host == record.destination;
    if !arrived_here && Presence::of(Some(&copy)) != Presence::Inactive {
        return Ok(if is_gone_from_destination(context, record).await { Done::Yes(None) } else { Done::NotYet });
    }
    let wanted = enabled && arrived_here;
    if connection.autostart(record.vm).await? == wanted {
        return Ok(Done::Yes(None));
    }
    connection.set_autostart(record.vm, wanted).await?;
    let (name, source) = (record.name_on(host), &record.source);
    Ok(Done::Yes(Some(match wanted {
        true => format!("{host} starts {name} when it boots, as {source} did."),
        false => format!("{host} does not start {name} any more when it boots."),
    })))
}

/// Whether others have moved the VM back: the source's copy is the only one, and its setting is the VM's.
async fn is_gone_from_destination(context: &Context, record: &Migration) -> bool {
    let Ok(connection) = context.inventory().connection(&record.destination) else { return false };
    matches!(connection.copy(record.vm).await, Ok(None))
}

/// Whether the host may yet do it. One that is here for the migration only, and wants a login, will not.
fn may_answer_later(context: &Context, host: &HostName, kind: HostErrorKind) -> bool {
    kind.is_no_answer() || (kind.is_for_a_person() && !context.inventory().is_temporary(host))
}
