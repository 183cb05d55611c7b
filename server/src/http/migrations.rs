//! `/api/migrations`: the record of a migration as it is kept, for programs that need more than Kimchi's tasks say.

use axum::{Extension, Json, Router, extract::State, routing::get};
use model::{Code, Migration, MigrationEvent, Problem};
use port::Principal;
use serde::Serialize;

use super::{DoorState, Doors, Refused, named::Named};

pub(super) fn router() -> Router<DoorState> {
    Router::new().route("/{id}", get(one))
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
    Named(id): Named,
) -> Result<Json<Shown>, Refused> {
    // A text that can't be an id is answered like the id of an unknown migration.
    let id = id.parse().map_err(|_| Problem::new(Code::UnknownMigration, "There is no migration of this id."))?;
    let (migration, history) = doors.console.migration(&who, id).await?;
    Ok(Json(Shown { migration, history }))
}
