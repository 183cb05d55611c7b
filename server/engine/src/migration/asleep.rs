//! A guest that slept (S3) when it was moved: it is looked after until it is awake, because libvirt says that it runs
//! (`inventory/sleep.rs`).

use model::{Migration, Phase};

use super::{active::ActiveMigration, journal::Journal};
use crate::{context::Context, storage::StorageJournal as _};

/// Notes whether it sleeps at the source: once the VM has moved nothing says so any more.
pub(super) fn note(active: &mut ActiveMigration) {
    let Migration { source, vm, .. } = active.record();
    let sleeps = active.context().inventory().sleeps(source, *vm);
    if let Some(sleeps) = sleeps {
        active.journal().note_sleep(sleeps);
    }
}

/// Looks whether it still sleeps.
pub(super) async fn look(context: &Context, journal: &mut Journal) {
    let record = journal.record();
    let Migration { phase: Phase::Succeeded, asleep: true, .. } = record else { return };
    let host = &record.destination;
    let (sleeps, is_there) = {
        let inventory = context.inventory();
        (inventory.is_still_asleep(record), inventory.copy(host, record.vm).is_some_and(|copy| copy.state.is_active()))
    };
    if !sleeps {
        // It may also have moved on, or be off.
        let text = is_there.then(|| format!("{} sleeps no longer on {host}.", record.name_on(host)));
        journal.woke_up(text).await;
    }
}
