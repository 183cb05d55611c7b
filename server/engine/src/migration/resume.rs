//! Goes on with a migration that an earlier run of the console left open.

use model::{Code, Migration, Mode, Phase, Problem};

use super::{
    Setback,
    active::ActiveMigration,
    finalize::{finalize, not_begun},
    sample::watch_until_gone,
};
use crate::storage::StorageJournal as _;

/// Runs it to its end: watches it if it still moves, and asks both hosts where the VM is.
pub(super) async fn resume(active: &mut ActiveMigration) {
    let Migration { id, mode, phase, .. } = *active.record();
    let began = phase > Phase::Checking;
    // Of what can't be read nothing was heard for a long time.
    let events = active.context().store().events(id).await.unwrap_or_default();
    active.last_heard_at(events.last().map_or(0, |event| event.at_ms));
    active.write("The console was restarted and looks after this migration again.".to_owned()).await;
    active.expect_memory();
    let problem = if !began {
        Problem::new(Code::ReasonLost, "The console was restarted before it began.")
            .with_fix("Start the migration again.")
    } else if active.is_direct() {
        Problem::new(Code::ReasonLost, "The console that drove it has stopped.")
            .with_fix("Start the migration again. Peer-to-peer it would go on without a console, if the source may log in at the destination.")
    } else {
        Problem::new(Code::ReasonLost, "It ended while the console was not running, so the reason is lost.")
            .with_fix("Look at libvirt's log on the source and the destination, then try again.")
    };
    let lost = Setback::Lost(problem);
    if !began || (mode == Mode::Offline && phase < Phase::SwitchingOver) {
        return not_begun(active, lost).await;
    }
    if !active.is_direct() {
        watch_until_gone(active).await;
    }
    finalize(active, Err(lost)).await;
}
