//! Whether a migration that runs can be told to go on otherwise. `Migrations::steer` sends what passes.

use model::{Migration, Steering};

use crate::{
    error::Error,
    hypervisor::{InvalidInput, check_bandwidth, check_pause},
};

/// Checks the numbers, which need no migration to be looked at.
///
/// # Errors
/// One is out of range.
pub(super) fn check_range(steering: Steering) -> Result<(), InvalidInput> {
    match steering {
        Steering::Bandwidth { mib_s } => check_bandwidth(mib_s),
        Steering::LongestPause { ms } => check_pause(ms),
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
