//! The queue: a migration waits until both hosts answer and have a place for it. A place is held only while data can flow.

use std::{sync::Arc, time::Duration};

use model::{HostName, Migration, Problem};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep},
};

use super::{active::ActiveMigration, waiting};
use crate::{
    error::Error,
    hypervisor::{HostError, HostErrorKind},
    limits,
    storage::StorageJournal as _,
};

/// A place away from the source, and one to the destination.
pub(super) type Places = [OwnedSemaphorePermit; 2];

/// Between two looks whether a host answers, if no host comes back meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Waits for a place at both hosts, and takes it.
///
/// # Errors
/// [`Error::Cancelled`] if a cancel arrives; why a host does not answer, if it stays away for longer than [`limits::QUEUED`].
pub(super) async fn wait(active: &mut ActiveMigration) -> Result<(), Error> {
    loop {
        until_connected(active).await?;
        let Some([outgoing, incoming]) = places(active) else { return Ok(()) };
        let taken = tokio::select! {
            biased;
            () = active.cancelled() => None,
            taken = take(outgoing, incoming) => taken,
        };
        active.unless_cancelled().await?;
        // Hosts may have been lost while the migration waited.
        if unconnected(active).is_none() {
            active.hold_places(taken);
            return Ok(());
        }
    }
}

/// None if a host is not there any more: what is asked of it next says so.
fn places(active: &ActiveMigration) -> Option<[Arc<Semaphore>; 2]> {
    let Migration { source, destination, .. } = active.record();
    let inventory = active.context().inventory();
    Some([Arc::clone(&inventory.host(source)?.outgoing), Arc::clone(&inventory.host(destination)?.incoming)])
}

/// Takes both places at once: a migration that waits for one host keeps no place at the other. None if the engine ends.
async fn take(outgoing: Arc<Semaphore>, incoming: Arc<Semaphore>) -> Option<Places> {
    loop {
        let away = Arc::clone(&outgoing).acquire_owned().await.ok()?;
        if let Ok(here) = Arc::clone(&incoming).try_acquire_owned() {
            return Some([away, here]);
        }
        drop(away);
        let here = Arc::clone(&incoming).acquire_owned().await.ok()?;
        if let Ok(away) = Arc::clone(&outgoing).try_acquire_owned() {
            return Some([away, here]);
        }
    }
}

/// Waits until both hosts answer, and says so meanwhile.
async fn until_connected(active: &mut ActiveMigration) -> Result<(), Error> {
    let mut arrivals = active.context().inventory().arrivals();
    let begun = Instant::now();
    while let Some((host, error)) = unconnected(active) {
        if error.kind == HostErrorKind::UnknownHost || begun.elapsed() > limits::QUEUED {
            return Err(error.into());
        }
        if begun.elapsed() > waiting::NAMED {
            let problem = told(active.record(), &host, error);
            waiting::show(active, Some(problem)).await;
        }
        tokio::select! {
            biased;
            () = active.cancelled() => active.unless_cancelled().await?,
            Ok(()) = arrivals.changed() => {}
            () = sleep(LOOK_AGAIN) => {}
        }
    }
    waiting::show(active, None).await;
    Ok(())
}

/// A host that does not answer, and why.
fn unconnected(active: &ActiveMigration) -> Option<(HostName, HostError)> {
    let Migration { source, destination, .. } = active.record();
    let inventory = active.context().inventory();
    [source, destination].into_iter().find_map(|host| Some((host.clone(), inventory.connection(host).err()?)))
}

fn told(Migration { vm_name, .. }: &Migration, host: &HostName, error: HostError) -> Problem {
    let problem = Problem::from(error);
    let sentence = format!("{} {vm_name} waits for {host}.", problem.sentence);
    let fix = problem.fix.unwrap_or_default();
    let fix = format!("{fix} The migration begins as soon as {host} answers; or cancel it.");
    Problem { sentence, fix: Some(fix.trim_start().to_owned()), ..problem }
}
