//! `/predictions`: how good the predictions of earlier migrations were.

use axum::{Extension, Router, extract::State, response::Response, routing::get};
use port::Principal;

use super::{
    super::{DoorState, Doors, assets::addresses},
    document::{Failed, shown},
};

pub(super) fn router() -> Router<DoorState> {
    Router::new().route("/predictions", get(page))
}

async fn page(State(doors): State<Doors>, Extension(who): Extension<Principal>) -> Result<Response, Failed> {
    let predictions = doors.console.predictions(&who).await?;
    Ok(shown(app::predictions(addresses(), predictions)))
}
