//! What is removed at the end: the copies of a VM that stayed, or the old images of one that moved.

use std::time::Duration;

use model::{Code, DiskMove, Migration, Phase, Problem};
use tokio::time::{Instant, sleep};

use super::shared;
use crate::{
    DiskSource, Statistics,
    migration::lifecycle::{Claim, Runner},
    migration::verdict::Presence,
};

/// How long a destination that does not answer is waited for.
const LIMIT: Duration = Duration::from_secs(60);
/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);

impl Runner<'_> {
    /// Ends a migration whose VM stayed: first removes what the migration made at the destination, and only that.
    pub(crate) async fn end_where_it_was(
        &mut self,
        phase: Phase,
        problem: Option<Problem>,
        figures: Option<Statistics>,
    ) {
        let left = self.remove_copies().await;
        let problem = if left.is_empty() { problem } else { Some(with_the_rest(problem, &left)) };
        self.end(phase, problem, figures).await;
    }

    /// Removes the volumes this migration made; returns what could not be removed, in words.
    async fn remove_copies(&mut self) -> Vec<String> {
        let (begun, mut left) = (Instant::now(), Vec::new());
        for index in 0..self.migration.disks.len() {
            let DiskMove { pool, volume, created, .. } = self.migration.disks[index].clone();
            let what = format!("the volume {volume} of the pool {pool} on {}", self.migration.destination);
            if !created {
                self.tell_of_a_namesake(&pool, &volume, &what, begun).await;
                continue;
            }
            if self.still_written.as_ref().is_some_and(|(at, name)| (at, name) == (&pool, &volume)) {
                self.write(format!("Could not remove {what}: it is still being written to.")).await;
                left.push(format!("{what} (once its storage answers)"));
                continue;
            }
            match patiently(begun, || self.remove_copy(&self.migration.disks[index])).await {
                Ok(()) => {
                    let disk = &mut self.migration.disks[index];
                    (disk.path, disk.created) = (None, false);
                    self.write(format!("Removed {what}.")).await;
                }
                Err(problem) => {
                    self.write(format!("Could not remove {what}: {problem}")).await;
                    left.push(what);
                }
            }
        }
        left
    }

    async fn remove_copy(&self, disk: &DiskMove) -> Result<(), Problem> {
        let destination = self.destination()?;
        let copy = destination.copy(self.migration.vm).await?;
        // The verdict said so; nothing is deleted that a VM might have open all the same.
        if !matches!(Presence::of(copy.as_ref()), Presence::Absent | Presence::Inactive) {
            let host = &self.migration.destination;
            return Err(Problem::new(Code::WrongState, format!("{host} has an active copy of the VM.")));
        }
        if !self.has_its_old_image(disk).await? {
            let Migration { vm_name, source, .. } = &self.migration;
            let sentence = format!("{vm_name} has not the image {} any more on {source}.", disk.source);
            return Err(Problem::new(Code::NeedsAttention, sentence)
                .with_fix("Look whether what the VM has now is the copy: then it must stay."));
        }
        destination.delete_volume(&disk.pool, &disk.volume).await
    }

    /// Whether the VM at the source is on the image that was copied. It may have arrived, and come back with the copy while nobody looked:
    /// storage that both hosts reach may have another path at each.
    async fn has_its_old_image(&self, copied: &DiskMove) -> Result<bool, Problem> {
        let source = self.source()?;
        let domain = source.domain(self.migration.vm).await?;
        let now = domain.disks.iter().find(|disk| disk.target == copied.target).map(|disk| &disk.source);
        Ok(match now {
            Some(DiskSource::File { path } | DiskSource::Block { path }) => *path == copied.source,
            Some(DiskSource::Volume { pool, volume }) => {
                let old = source.volume_at(&copied.source).await?;
                old.is_some_and(|(of, old)| of == *pool && old.name == *volume)
            }
            _ => false,
        })
    }

    /// A volume that is there without this migration knowing that it made it is not touched. It may have: a host can die between
    /// making a volume and saying so, and so can the console between hearing of it and writing it down.
    async fn tell_of_a_namesake(&mut self, pool: &str, volume: &str, what: &str, begun: Instant) {
        let found = patiently(begun, || self.is_there(pool, volume)).await;
        if let Ok(true) = found {
            let text =
                format!("There is {what}. Whether this migration made it is not certain, so it was not touched.");
            self.write(text).await;
        }
    }

    async fn is_there(&self, pool: &str, volume: &str) -> Result<bool, Problem> {
        Ok(self.destination()?.volume(pool, volume).await?.is_some())
    }

    /// Removes the old images of the disks that were copied, if that was asked for: last of all, when the VM is known to be at
    /// the destination and only there, and libvirt said so, too: where it runs says nothing of what is on its disks. Not if
    /// somebody cancelled, though too late: who does so had a reason. That it fails does not make the migration a failure.
    pub(crate) async fn remove_source_disks(&mut self, claim: &Claim) {
        let copied: Vec<DiskMove> = self.migration.disks.iter().filter(|disk| disk.created).cloned().collect();
        if !self.migration.options.remove_source_disks || copied.is_empty() {
            return;
        }
        let why_not = match claim {
            _ if self.unless_cancelled().await.is_err() => {
                Some("somebody asked to cancel, and it was too late for that")
            }
            Err(_) => Some("libvirt did not say that all went well"),
            Ok(()) => None,
        };
        if let Some(why) = why_not {
            return self.write(format!("The old images stay on {}: {why}.", self.migration.source)).await;
        }
        for DiskMove { source: path, .. } in copied {
            let text = self.remove_source_disk(&path).await.unwrap_or_else(|problem| {
                format!("Could not remove the old image {path} from {}: {problem}", self.migration.source)
            });
            self.write(text).await;
        }
    }

    /// Removes an image that nothing needs any more; returns what came of it, in words.
    async fn remove_source_disk(&self, path: &str) -> Result<String, Problem> {
        let (host, source) = (&self.migration.source, self.source()?);
        if shared::directory(&self.configs()?.0, path).is_some() {
            return Ok(format!("The old image {path} is on shared storage, so it was not removed from {host}."));
        }
        let Some((pool, volume)) = source.volume_at(path).await? else {
            return Ok(format!("The old image {path} is in no active pool of {host}, so it was not removed."));
        };
        let users = source.users_of_image(path, self.migration.vm).await?;
        if !users.is_empty() {
            let users = users.join(", ");
            return Ok(format!("The old image {path} is still needed on {host} ({users}), so it was not removed."));
        }
        source.delete_volume(&pool, &volume.name).await?;
        Ok(format!("Removed the old image {path} from {host}."))
    }
}

/// Asks the destination until it is there and at rest, or for too long.
async fn patiently<T, F>(begun: Instant, ask: impl Fn() -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    loop {
        let answer = ask().await;
        let away =
            matches!(answer, Err(Problem { code: Code::HostUnreachable | Code::TimedOut | Code::WrongState, .. }));
        if !away || begun.elapsed() > LIMIT {
            return answer;
        }
        sleep(AGAIN).await;
    }
}

/// The problem, with what a person has to remove by hand.
fn with_the_rest(problem: Option<Problem>, left: &[String]) -> Problem {
    let by_hand = format!("Remove {} by hand.", left.join(" and "));
    let problem = problem.unwrap_or_else(|| {
        Problem::new(Code::Cancelled, "It was cancelled, but not all that it had made could be removed.")
    });
    let fix = match &problem.fix {
        Some(fix) => format!("{fix} {by_hand}"),
        None => by_hand,
    };
    problem.with_fix(fix)
}
