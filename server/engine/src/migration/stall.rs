//! Notices that a migration makes no progress, says so, and stops it after a while.

use std::time::Duration;

use model::{Code, Migration, Phase, Problem};
use tokio::time::Instant;

use super::{Reported, Setback, active::ActiveMigration, waiting};
use crate::{
    hypervisor::{HostError, HostErrorKind, Statistics},
    limits,
    storage::StorageJournal as _,
};

/// Since when the figures of a migration are the same.
#[derive(Default)]
pub(super) struct Stall {
    seen: Option<(Figures, Instant)>,
    /// Why the migration is to be stopped, if it is.
    given_up: Option<HostError>,
}

/// What changes while anything is sent: bytes sent, bytes left, passes.
type Figures = [u64; 3];

impl Stall {
    /// Figures of a job that runs. Returns for how long they have been the same.
    pub(super) fn see(&mut self, figures: &Statistics) -> Duration {
        let now = [figures.data_processed, figures.data_remaining, figures.memory_pass];
        match self.seen {
            Some((before, since)) if before == now => since.elapsed(),
            _ => {
                self.seen = Some((now, Instant::now()));
                Duration::ZERO
            }
        }
    }

    /// Whether that is told.
    pub(super) fn is_told(&self) -> bool {
        self.seen.is_some_and(|(_, since)| since.elapsed() > limits::NO_PROGRESS_TOLD)
    }

    /// Whether the migration is to be stopped.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.is_some()
    }

    /// Why the migration is to be stopped, if it is.
    pub(super) fn given_up(&self) -> Option<&HostError> {
        self.given_up.as_ref()
    }

    /// The migration is to be stopped.
    pub(super) fn give_up(&mut self, why: HostError) {
        self.given_up = Some(why);
    }
}

/// The figures have been the same for so long.
pub(super) async fn judge(active: &mut ActiveMigration, lasts: Duration) {
    let Migration { phase, cancel_requested, .. } = active.record();
    // Once the hosts switch over, to stop would be a risk for the VM.
    if lasts > limits::NO_PROGRESS
        && *phase < Phase::SwitchingOver
        && !cancel_requested
        && !active.stall().is_given_up()
    {
        active.stall().give_up(no_progress());
        active.write(format!("No data has moved for {} min: the migration is stopped.", minutes())).await;
    }
    if lasts > limits::NO_PROGRESS_TOLD {
        let problem = told(active.record());
        waiting::show(active, Some(problem)).await;
    } else if lasts.is_zero() {
        waiting::show(active, None).await;
    }
}

fn told(Migration { vm_name, source, destination, phase, .. }: &Migration) -> Problem {
    let sentence = format!("No data of {vm_name} moves, although {source} says that the migration goes on.");
    if *phase == Phase::PostCopy {
        let fix = format!(
            "{vm_name} runs on {destination}, and waits for what is still on {source}: destroy neither copy. Look at the network between the \
             two hosts. If no data moves once it works again, break the migration off (virsh domjobabort {vm_name} --postcopy on {source}): \
             vmferry then offers to recover it."
        );
        return Problem::new(Code::TimedOut, sentence).with_fix(fix);
    }
    let fix = format!(
        "Look at the network between {source} and {destination}, and at the storage of {destination}. If no data moves for {} min, \
         vmferry stops the migration, and {vm_name} stays on {source}.",
        minutes()
    );
    Problem::new(Code::TimedOut, sentence).with_fix(fix)
}

/// Why a migration is stopped that makes no progress.
fn no_progress() -> HostError {
    let sentence = format!("No data had moved for {} min, so vmferry stopped the migration.", minutes());
    HostError::new(HostErrorKind::TimedOut, sentence)
        .with_fix("Look at the network between the hosts, and at the storage of the destination. Then try again.")
}

/// What is reported of a migration that this console stopped sounds as if a person had cancelled it.
pub(super) fn explained(active: &mut ActiveMigration, reported: Reported) -> Reported {
    match (reported, active.stall().given_up()) {
        (Err(setback), Some(why)) if setback.is_cancelled() || setback.is_lost() => Err(Setback::Failed(why.clone())),
        (other, _) => other,
    }
}

fn minutes() -> u64 {
    limits::NO_PROGRESS.as_secs() / 60
}
