//! `/account`: the user's password and sessions. Its forms are those of server functions, which send a browser back to it.

use axum::{
    Extension, Router,
    extract::{Query, State},
    response::Response,
    routing::get,
};
use leptos::server::ServerActionError;
use port::Principal;
use serde::Deserialize;

use super::{
    super::{DoorState, Doors, assets::addresses},
    document::{Failed, shown},
};

pub(super) fn router() -> Router<DoorState> {
    Router::new().route("/account", get(page))
}

/// What came of the form that was sent last.
#[derive(Deserialize)]
struct Sent {
    changed: Option<String>,
    #[serde(rename = "__path")]
    function: Option<String>,
    #[serde(rename = "__err")]
    error: Option<String>,
}

async fn page(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    Query(Sent { changed, function, error }): Query<Sent>,
) -> Result<Response, Failed> {
    let sessions = doors.console.sessions(&who).await?;
    let refused = function.zip(error).map(|(function, error)| ServerActionError::new(&function, &error));
    Ok(shown(app::account(addresses(), who.user().to_owned(), sessions, changed.as_deref(), refused)))
}
