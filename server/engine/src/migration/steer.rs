//! What users, and its evacuation, ask of a migration that runs: whether that is possible, and what is done about it. `Migrations::steer` sends what passes.

use model::{Acted, Migration, Policy, Steering};

use super::{active::ActiveMigration, begin_again::BeginAgain, tune::tune};
use crate::{
    error::Error,
    hypervisor::{InvalidInput, Tuning, check_bandwidth, check_pause},
    storage::StorageJournal as _,
};

/// Checks the numbers, which need no migration to be looked at.
///
/// # Errors
/// One is out of range.
pub(super) fn check_range(steering: Steering) -> Result<(), InvalidInput> {
    match steering {
        Steering::Bandwidth { mib_s } => check_bandwidth(mib_s).map_err(|why| why.with_field("mib_s")),
        Steering::LongestPause { ms } => check_pause(ms).map_err(|why| why.with_field("ms")),
        Steering::SlowGuest | Steering::PostCopy | Steering::PauseGuest | Steering::Policy { .. } => Ok(()),
    }
}

/// Checks that it is possible where the migration is now.
///
/// # Errors
/// `already-ended`; `wrong-state` with the reason.
pub(super) fn check_possible(steering: Steering, migration: &Migration) -> Result<(), Error> {
    if migration.phase.has_ended() {
        return Err(Error::AlreadyEnded(Box::new(migration.clone())));
    }
    match steering.refusal(migration) {
        Some(problem) => Err(Error::Known(Box::new(problem))),
        None => Ok(()),
    }
}

/// Does what users and evacuations have asked for since this was last done.
pub(super) async fn obey_all(active: &mut ActiveMigration) {
    for (steering, by) in active.take_steerings() {
        obey(active, steering, by).await;
    }
}

/// Does what a user asks for, if that is possible now.
async fn obey(active: &mut ActiveMigration, steering: Steering, by: Option<String>) {
    let Some(by) = by else { return obey_evacuation(active, steering).await };
    if let Some(problem) = steering.refusal(active.record()) {
        return active.write(format!("{by} asked {}. {}", steering.asked(), problem.sentence)).await;
    }
    let begin_again = match steering {
        Steering::SlowGuest => Some(BeginAgain::ToSlowGuest),
        Steering::PostCopy if !active.record().post_copy => Some(BeginAgain::ForPostCopy),
        _ => None,
    };
    if let Some(why) = begin_again {
        let text = format!("{by} asked {}. The migration begins again for that.", steering.asked());
        *active.begin_again() = Some((why, by));
        return active.write(text).await;
    }
    let (tuning, acted) = match steering {
        Steering::Bandwidth { mib_s } => (Tuning::Bandwidth { mib_s }, Acted::Bandwidth { mib_s }),
        Steering::LongestPause { ms } => (Tuning::PauseLimit { ms }, Acted::Pause { ms }),
        Steering::PauseGuest => (Tuning::PauseGuest, Acted::GuestPaused),
        Steering::PostCopy | Steering::SlowGuest => (Tuning::PostCopy, Acted::PostCopy),
        Steering::Policy { policy } => return change_policy(active, policy, by).await,
    };
    let text = format!("{by} asked {}.", steering.asked());
    tune(active, tuning, acted, Some(by), text).await;
}

/// Its evacuation only ever gives it more of the links, and does not go against a limit that a person has set.
async fn obey_evacuation(active: &mut ActiveMigration, steering: Steering) {
    let Steering::Bandwidth { mib_s } = steering else { return };
    if steering.refusal(active.record()).is_some() || active.record().bandwidth_asked_for().is_some() {
        return;
    }
    let text = format!("It may use {mib_s} MiB/s from now on: other moves of the evacuation have ended.");
    tune(active, Tuning::Bandwidth { mib_s }, Acted::Bandwidth { mib_s }, None, text).await;
}

async fn change_policy(active: &mut ActiveMigration, policy: Policy, by: String) {
    let text = format!("{by} asked for the policy {}.", policy.as_str());
    active.journal().follow_policy(policy);
    active.journal().act(Acted::Policy { policy }, Some(by), text).await;
}
