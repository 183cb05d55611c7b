//! `/api/migrations`: the record of a migration as it is kept, for programs that need more than Kimchi's tasks say; what it is told while
//! it runs; and the step that is offered where it needs attention.

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    routing::{get, post},
};
use model::{Code, Migration, MigrationEvent, MigrationId, Predictions, Problem, Steering, Step, TracePoint};
use port::Principal;
use serde::Serialize;

use super::{DoorState, Doors, Refused, export, json::json_body, named::Named};

pub(super) fn router() -> Router<DoorState> {
    Router::new()
        .route("/", get(export::list))
        .route("/{id}", get(one))
        .route("/{id}/step", post(take_step))
        .route("/{id}/steer", post(steer))
        .route("/{id}/trace", get(trace))
}

/// A migration and its history, oldest entry first.
#[derive(Serialize)]
struct Shown {
    migration: Migration,
    history: Vec<MigrationEvent>,
}

/// `GET /api/migrations/<id>`.
async fn one(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Json<Shown>, Refused> {
    let (migration, history) = doors.console.migration(&who, parse(&named)?).await?;
    Ok(Json(Shown { migration, history }))
}

/// `GET /api/migrations/<id>/trace`: what was measured of it, oldest first.
async fn trace(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Json<Vec<TracePoint>>, Refused> {
    Ok(Json(doors.console.trace(&who, parse(&named)?).await?))
}

/// `POST /api/migrations/<id>/step`: takes the step that the migration offers, which the body repeats.
async fn take_step(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
    request: Request,
) -> Result<Json<Migration>, Refused> {
    let id = parse(&named)?;
    let step: Step = json_body(request).await?;
    Ok(Json(doors.console.take_step(&who, id, step).await?))
}

/// `POST /api/migrations/<id>/steer`: tells a migration that runs to go on otherwise.
async fn steer(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
    request: Request,
) -> Result<Json<Migration>, Refused> {
    let id = parse(&named)?;
    let steering: Steering = json_body(request).await?;
    Ok(Json(doors.console.steer(&who, id, steering).await?))
}

/// `GET /api/predictions`: how good predictions were.
pub(super) async fn predictions(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
) -> Result<Json<Predictions>, Refused> {
    Ok(Json(doors.console.predictions(&who).await?))
}

/// A text that can't be an id is answered like the id of an unknown migration.
fn parse(Named(id): &Named) -> Result<MigrationId, Problem> {
    id.parse().map_err(|_| {
        Problem::new(Code::UnknownMigration, "There is no migration of this id.")
            .with_fix("The task's id in Kimchi's API is the migration's.")
    })
}
