//! Goes on with a migration that an earlier run of the console left open.

use model::{Migration, MigrationEvent, Mode, Phase};

use super::{
    Setback,
    active::ActiveMigration,
    finalize::{finalize, not_begun},
    sample::watch_until_gone,
};
use crate::{error::Error, storage::StorageJournal as _};

/// Runs it to its end: watches it if it still moves, and asks both hosts where the VM is.
pub(super) async fn resume(active: &mut ActiveMigration) {
    let Migration { id, mode, phase, .. } = *active.record();
    let began = phase > Phase::Checking;
    // Of what can't be read nothing was heard for a long time.
    let events = active.context().store().events(id).await.unwrap_or_default();
    active.last_heard_at(moved_last(&events));
    active.write("The console was restarted and looks after this migration again.".to_owned()).await;
    active.journal().complete_ledger();
    active.expect_memory();
    let reason = if !began {
        Error::NeverBegun
    } else if active.is_direct() {
        Error::DriverStopped
    } else {
        Error::EndedUnwatched
    };
    let lost = Setback::Lost(reason);
    if !began || (mode == Mode::Offline && phase < Phase::SwitchingOver) {
        return not_begun(active, lost).await;
    }
    if !active.is_direct() {
        watch_until_gone(active).await;
    }
    finalize(active, Err(lost), &[]).await;
}

/// When it was last known to move, in ms since 1970: when it entered the last phase in which it does. What is written later may be
/// of a console that has only asked where the VM is.
fn moved_last(events: &[MigrationEvent]) -> u64 {
    let before = [None].into_iter().chain(events.iter().map(|event| Some(event.phase)));
    let entered = before.zip(events).filter(|(before, event)| *before != Some(event.phase));
    entered.filter(|(_, event)| event.phase < Phase::Verifying).last().map_or(0, |(_, event)| event.at_ms)
}
