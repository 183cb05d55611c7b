//! `/api/vms`: what the host of a VM says of it, for programs that need more than Kimchi's fields.

use axum::{
    Extension, Json, Router,
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use model::{Code, Problem, UsagePoint, VmDetails, VmId};
use port::Principal;

use super::{DoorState, Doors, Refused, named::Named};

pub(super) fn router() -> Router<DoorState> {
    Router::new().route("/{id}", get(one)).route("/{id}/xml", get(definition)).route("/{id}/usage", get(usage))
}

/// `GET /api/vms/<uuid>`.
async fn one(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Json<VmDetails>, Refused> {
    Ok(Json(doors.console.details(&who, parse(&named)?).await?))
}

/// `GET /api/vms/<uuid>/xml`: its definition, without passwords.
async fn definition(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Response, Refused> {
    let xml = doors.console.definition(&who, parse(&named)?).await?;
    Ok(([(CONTENT_TYPE, "application/xml")], xml).into_response())
}

/// `GET /api/vms/<uuid>/usage`: what it used within the last hour, oldest first.
async fn usage(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    named: Named,
) -> Result<Json<Vec<UsagePoint>>, Refused> {
    Ok(Json(doors.console.usage(&who, parse(&named)?)?))
}

/// A text that can't be a UUID is answered like the UUID of an unknown VM.
pub(super) fn parse(Named(id): &Named) -> Result<VmId, Problem> {
    id.parse().map_err(|_| {
        Problem::new(Code::UnknownVm, "No host has a VM with this UUID.").with_fix("Look at the list of VMs again.")
    })
}
