//! `/plugins/kimchi/tasks`: migrations, as Kimchi's programs know them.

use std::borrow::Cow;

use axum::{Extension, Json, extract::State, http::StatusCode};
use model::{Code, ControlFlow, Leftover, Migration, MigrationFilter, MigrationId, Phase, Problem, text};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use port::Principal;
use serde::{Deserialize, Serialize};

use super::{
    super::{Doors, Refused, named::Named},
    vms::{Asked, query},
};

/// How many tasks are listed, the newest.
const LISTED: u32 = 1_000;

/// A migration as a task.
#[derive(Serialize)]
pub(super) struct Task {
    id: MigrationId,
    status: Status,
    message: String,
    target_uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "way")]
    control_flow: Option<ControlFlow>,
    encrypted: bool,
    /// What it has made on hosts, or may have, and what is not known to be gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    leftovers: Vec<Leftover>,
}

/// The status of a task, in wok's words.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Running,
    Finished,
    Failed,
    Killed,
}

impl From<Phase> for Status {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Succeeded => Self::Finished,
            Phase::Failed | Phase::MovedElsewhere | Phase::NeedsAttention => Self::Failed,
            Phase::Cancelled => Self::Killed,
            _ => Self::Running,
        }
    }
}

impl Status {
    /// The phases of tasks with this status.
    fn phases(self) -> Vec<Phase> {
        Phase::ALL.iter().copied().filter(|phase| Self::from(*phase) == self).collect()
    }
}

impl From<&Migration> for Task {
    fn from(migration: &Migration) -> Self {
        Self {
            id: migration.id,
            status: migration.phase.into(),
            message: message(migration),
            target_uri: target_uri(&migration.vm_name),
            control_flow: migration.control_flow,
            encrypted: migration.encrypted,
            leftovers: migration.leftovers.clone(),
        }
    }
}

/// What may stand in an address as it is.
const UNRESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The address that starts a migration of this VM.
fn target_uri(vm_name: &str) -> String {
    format!("/plugins/kimchi/vms/{}/migrate", utf8_percent_encode(vm_name, UNRESERVED))
}

/// Phase, percent and time left, and that it will not finish at this rate; or the result; of a failure the reason in libvirt's words, too;
/// and what is left on hosts.
fn message(migration: &Migration) -> String {
    let mut message = text::summary(migration);
    if let Some(left) = migration.progress.time_left.filter(|_| !migration.phase.has_ended()) {
        message.push_str(&format!(", {} left", text::span(left.low_ms, left.high_ms)));
    }
    if let Some(endless) = text::convergence(migration) {
        message.push_str(". ");
        message.push_str(&endless);
    }
    if let Some(problem) = &migration.problem {
        for more in [Some(&problem.sentence), problem.fix.as_ref(), problem.details.as_ref()].into_iter().flatten() {
            message.push(' ');
            message.push_str(more);
        }
    }
    for left in text::leftovers(migration) {
        message.push(' ');
        message.push_str(&left);
    }
    message
}

/// Which tasks are wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    status: Option<Status>,
    /// A part of it. Kimchi takes a regular expression, of which all known uses are plain text.
    target_uri: Option<String>,
}

impl Wanted {
    /// As the database searches for it.
    fn filter(&self) -> MigrationFilter {
        MigrationFilter {
            phases: self.status.map(Status::phases),
            vm_name: self.target_uri.as_deref().and_then(vm_name),
            ..MigrationFilter::newest(LISTED)
        }
    }
}

/// The VM that a part of a task's `target_uri` names, as `vms/web/migrate` does. `vms/web` may be a part of other VMs' addresses, too.
fn vm_name(part: &str) -> Option<String> {
    let (_, after) = part.split_once("vms/")?;
    let (name, _) = after.split_once('/')?;
    percent_decode_str(name).decode_utf8().ok().map(Cow::into_owned)
}

/// `GET /tasks`.
pub(super) async fn list(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    asked: Asked<Wanted>,
) -> Result<Json<Vec<Task>>, Refused> {
    let wanted = query(asked)?;
    let migrations = doors.console.migrations(&who, &wanted.filter()).await?;
    // The database knows whole names only. A part that holds none is compared with the newest tasks.
    let mut tasks: Vec<Task> = migrations.iter().map(Task::from).collect();
    tasks.retain(|task| wanted.target_uri.as_ref().is_none_or(|part| task.target_uri.contains(part)));
    Ok(Json(tasks))
}

/// `GET /tasks/<id>`.
pub(super) async fn one(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Named(id): Named,
) -> Result<Json<Task>, Refused> {
    let (migration, _) = doors.console.migration(&who, parse(&id)?).await?;
    Ok(Json(Task::from(&migration)))
}

/// `DELETE /tasks/<id>`: asks to cancel. The task's status says when it has ended.
pub(super) async fn cancel(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Named(id): Named,
) -> Result<(StatusCode, Json<Task>), Refused> {
    let migration = doors.console.cancel(&who, parse(&id)?).await?;
    Ok((StatusCode::ACCEPTED, Json(Task::from(&migration))))
}

/// A text that can't be an id is answered like the id of an unknown task.
fn parse(id: &str) -> Result<MigrationId, Problem> {
    id.parse().map_err(|_| {
        Problem::new(Code::UnknownMigration, "There is no task of this id.")
            .with_fix("GET /plugins/kimchi/tasks lists them.")
    })
}

#[cfg(test)]
mod tests {
    use model::{Convergence, TimeLeft, examples};

    use super::*;

    #[test]
    fn every_phase_is_found_by_its_status() {
        for &phase in Phase::ALL {
            assert!(Status::from(phase).phases().contains(&phase), "{phase:?}");
        }
        assert_eq!(Status::Failed.phases(), [Phase::Failed, Phase::MovedElsewhere, Phase::NeedsAttention]);
        assert!(Status::Running.phases().iter().all(|phase| !phase.has_ended()));
    }

    #[test]
    fn a_task_that_runs_says_how_long_it_still_takes() {
        let mut migration = examples::migration(1);
        migration.phase = Phase::CopyingMemory;
        migration.progress.percent = 43.9;
        assert_eq!(message(&migration), "Copying memory, 43 %");
        migration.progress.time_left = Some(TimeLeft { low_ms: 12_000, likely_ms: 15_000, high_ms: 20_000 });
        assert_eq!(message(&migration), "Copying memory, 43 %, 12 s to 20 s left");
        migration.progress.time_left = None;
        migration.progress.convergence = Convergence::NotConverging { needed_downtime_ms: 4_000 };
        (migration.progress.dirty_bytes_s, migration.progress.throughput_bytes_s) = (64 << 20, 32 << 20);
        assert_eq!(
            message(&migration),
            "Copying memory, 43 %. This will not finish at this rate: the guest changes 64 MiB/s, the link carries 32 MiB/s. \
             It would take a pause of 4.0 s."
        );
        migration.phase = Phase::Cancelled;
        migration.progress.time_left = Some(TimeLeft { low_ms: 1, likely_ms: 1, high_ms: 2 });
        assert_eq!(message(&migration), "The migration was cancelled after 0 ms; web stayed on alpha.");
    }

    /// The database must not leave out what the comparison of the address would let through.
    #[test]
    fn a_part_of_an_address_names_no_other_vm() {
        for name in ["web", "vms", "migrate", "my-vms", "two words", "größe", "a/vms/b", "100%", "%77eb"] {
            let address = target_uri(name);
            for (from, to) in (0..=address.len()).flat_map(|to| (0..to).map(move |from| (from, to))) {
                let part = &address[from..to];
                assert!(vm_name(part).is_none_or(|named| named == name), "{part} of {address}");
            }
            assert_eq!(vm_name(&address).as_deref(), Some(name));
            assert_eq!(vm_name(address.trim_end_matches("/migrate")), None, "a longer name may begin with it");
        }
    }
}
