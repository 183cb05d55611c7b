//! Changes a migration at its source while it runs, and writes each change down.

use model::{Acted, Migration, Phase};

use super::active::ActiveMigration;
use crate::{
    hypervisor::{HostError, Tuning},
    precopy::{DOWNTIME_LIMIT_MS, qemu_limit_ms},
    storage::StorageJournal as _,
};

/// Changes the migration, and writes down that it was done or why not.
pub(super) async fn tune(active: &mut ActiveMigration, tuning: Tuning, acted: Acted, by: Option<String>, text: String) {
    let tuned = tell(active, tuning).await;
    if let Err(HostError { sentence, .. }) = tuned {
        return active.write(format!("{text} That was not possible: {sentence}")).await;
    }
    match tuning {
        Tuning::PauseLimit { ms } => active.tracker().allow_pause(ms),
        Tuning::PostCopy => active.tracker().enter_post_copy(),
        Tuning::PauseGuest => active.tracker().pause_guest(),
        Tuning::Bandwidth { .. } => {}
    }
    active.journal().act(acted, by, text).await;
    if tuning == Tuning::PostCopy {
        active.journal().enter(Phase::PostCopy).await;
    }
}

/// Tells the source. QEMU's limit of the pause is less than what the guest may take.
async fn tell(active: &ActiveMigration, tuning: Tuning) -> Result<(), HostError> {
    let tuning = match tuning {
        Tuning::PauseLimit { ms } => Tuning::PauseLimit { ms: qemu_limit_ms(ms.into()) as u32 },
        other => other,
    };
    active.source()?.tune(active.record().vm, tuning).await
}

/// What holds for the whole migration, once there is a job: QEMU begins each with its own limits, or with those of the VM's last one.
pub(super) async fn tune_from_the_beginning(active: &mut ActiveMigration) {
    if active.is_tuned(true) {
        return;
    }
    let Migration { acts, options, pause_limit_ms, .. } = active.record();
    let first = options.longest_pause_ms.map_or(DOWNTIME_LIMIT_MS as u32, |ms| ms.min(DOWNTIME_LIMIT_MS as u32));
    let pause = Tuning::PauseLimit { ms: pause_limit_ms.unwrap_or(first) };
    let bandwidth = acts.iter().rev().find_map(|act| match act.what {
        Acted::Bandwidth { mib_s } => Some(Tuning::Bandwidth { mib_s }),
        _ => None,
    });
    for tuning in [pause].into_iter().chain(bandwidth) {
        let tuned = tell(active, tuning).await;
        match (tuned, tuning) {
            (Ok(()), Tuning::PauseLimit { ms }) => {
                active.journal().limit_pause(ms);
                active.tracker().allow_pause(ms);
            }
            (Ok(()), _) => {}
            (Err(HostError { sentence, .. }), _) => {
                active.write(format!("A limit of this migration could not be set: {sentence}")).await;
            }
        }
    }
}
