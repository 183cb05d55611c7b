//! Goes on with a migration that an earlier run of the console left open.

use model::{Migration, Mode, Phase};

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
    active.last_heard_at(events.last().map_or(0, |event| event.at_ms));
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
    finalize(active, Err(lost)).await;
}
