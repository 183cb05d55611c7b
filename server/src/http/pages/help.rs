//! `/help`, and the documents below it.

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};

use super::{
    super::{DoorState, Doors, assets::addresses},
    document::{Failed, shown},
};

pub(super) fn router() -> Router<DoorState> {
    Router::new().route("/help", get(page)).route("/help/{document}", get(document))
}

async fn page(State(doors): State<Doors>) -> Response {
    shown(app::help(addresses(), doors.site.data_directory.as_deref()))
}

async fn document(Path(name): Path<String>) -> Result<Response, Failed> {
    Ok(shown(app::help_document(addresses(), &name)?))
}
