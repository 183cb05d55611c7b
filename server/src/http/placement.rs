//! `/api/placement`: the rules for where VMs may be, which plans keep.

use axum::{
    Extension, Json,
    extract::{Request, State},
    middleware::from_fn,
    routing::{MethodRouter, get},
};
use model::PlacementRules;
use port::Principal;

use super::{DoorState, Doors, Refused, body, json::json_body};

pub(super) fn routes() -> MethodRouter<DoorState> {
    get(read).put(replace).layer(from_fn(body::limit_of_lists))
}

/// `GET /api/placement`.
async fn read(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
) -> Result<Json<PlacementRules>, Refused> {
    Ok(Json(doors.console.placement_rules(&who).await?))
}

/// `PUT /api/placement`: all rules and priorities at once. Answers with what is kept.
async fn replace(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    request: Request,
) -> Result<Json<PlacementRules>, Refused> {
    let rules: PlacementRules = json_body(request).await?;
    doors.console.set_placement_rules(&who, rules).await?;
    Ok(Json(doors.console.placement_rules(&who).await?))
}
