//! Sampling: four times a second the source is asked for the figures of the job, and commands are acted on.

use tokio::time::{Instant, Interval};

use super::{active::ActiveMigration, follow_policy::follow_policy, steer, waiting};
use crate::{
    clock::every_sample,
    hypervisor::{HostError, HostErrorKind},
    limits,
    storage::StorageJournal as _,
};

/// Whether the source has a migration job for the VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Runs,
    Gone,
    /// The source does not answer.
    Unknown,
}

/// Samples, and aborts when asked to, until the source has no job for the VM any more, or only that of a post-copy that broke off.
pub(super) async fn watch_until_gone(active: &mut ActiveMigration) {
    let mut ticks = every_sample();
    let mut silent_since = Instant::now();
    loop {
        due(active, &mut ticks).await;
        match sample(active).await {
            Job::Gone => return,
            Job::Runs if active.has_broken_off() => return,
            Job::Runs => silent_since = Instant::now(),
            Job::Unknown if silent_since.elapsed() > limits::SOURCE_SILENT => return,
            Job::Unknown => {}
        }
    }
}

/// Waits until a sample is due: at the next tick, or at once if a command has to be acted on. Dropping the future loses no command.
pub(super) async fn due(active: &mut ActiveMigration, ticks: &mut Interval) {
    loop {
        if (active.has_new_cancel() && !active.record().cancel_requested) || active.is_steered() {
            return;
        }
        tokio::select! {
            _ = ticks.tick() => return,
            () = active.receive_command() => {}
        }
    }
}

/// Acts on commands that have arrived, asks libvirt to abort if that is due, and takes one sample.
pub(super) async fn sample(active: &mut ActiveMigration) -> Job {
    if active.has_new_cancel() && !active.record().cancel_requested {
        active.note_cancel().await;
    }
    steer::obey_all(active).await;
    let job = job(active).await;
    let silent = active.source_silent(job == Job::Unknown);
    waiting::name_silent_source(active, silent).await;
    if silent > waiting::NAMED || active.destination().is_err() {
        active.give_places_back();
    }
    job
}

async fn job(active: &mut ActiveMigration) -> Job {
    let Ok(source) = active.source() else { return Job::Unknown };
    let vm = active.record().vm;
    if active.is_abort_due() {
        let aborted = source.abort(vm).await;
        // If there is no job yet, the next sample tries again.
        if !matches!(aborted, Err(HostError { kind: HostErrorKind::WrongState, .. })) {
            active.abort_requested();
        }
        if let Err(error) = aborted {
            tracing::info!(migration = %active.record().id, %error, "abort");
        }
    }
    match source.job(vm).await {
        Ok(Some(figures)) => {
            active.show(&figures).await;
            follow_policy(active).await;
            Job::Runs
        }
        Ok(None) => Job::Gone,
        Err(_) => Job::Unknown,
    }
}
