//! `/plugins/kimchi/tasks`: migrations, as Kimchi's programs know them.

use axum::{Extension, Json, extract::State, http::StatusCode};
use model::{Code, ControlFlow, Migration, MigrationId, Phase, Problem, text};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
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

impl From<&Migration> for Task {
    fn from(migration: &Migration) -> Self {
        let name = utf8_percent_encode(&migration.vm_name, UNRESERVED);
        Self {
            id: migration.id,
            status: match migration.phase {
                Phase::Succeeded => Status::Finished,
                Phase::Failed | Phase::NeedsAttention => Status::Failed,
                Phase::Cancelled => Status::Killed,
                _ => Status::Running,
            },
            message: message(migration),
            target_uri: format!("/plugins/kimchi/vms/{name}/migrate"),
            control_flow: migration.control_flow,
            encrypted: migration.encrypted,
        }
    }
}

/// What may stand in an address as it is.
const UNRESERVED: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Phase and percent, or the result; of a failure the reason in libvirt's words, too.
fn message(migration: &Migration) -> String {
    let mut message = text::summary(migration);
    if let Some(problem) = &migration.problem {
        for more in [Some(&problem.sentence), problem.fix.as_ref(), problem.details.as_ref()].into_iter().flatten() {
            message.push(' ');
            message.push_str(more);
        }
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

/// `GET /tasks`.
pub(super) async fn list(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    asked: Asked<Wanted>,
) -> Result<Json<Vec<Task>>, Refused> {
    let Wanted { status, target_uri } = query(asked)?;
    let migrations = doors.console.migrations(&who, None, LISTED).await?;
    let wanted = |task: &Task| {
        status.is_none_or(|status| task.status == status)
            && target_uri.as_ref().is_none_or(|part| task.target_uri.contains(part))
    };
    Ok(Json(migrations.iter().map(Task::from).filter(wanted).collect()))
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
