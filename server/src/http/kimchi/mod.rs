//! Kimchi's API, as far as migration goes: for programs that were written for it, and for curl.

mod migrate;
mod request;
mod tasks;
mod vms;

use axum::{Router, routing::get};

use super::DoorState;

pub(super) fn router() -> Router<DoorState> {
    Router::new()
        .route("/vms", get(vms::list))
        .route("/vms/{name}", get(vms::one))
        .route("/vms/{name}/migrate", get(migrate::destinations).post(migrate::migrate))
        .route("/tasks", get(tasks::list))
        .route("/tasks/{name}", get(tasks::one).delete(tasks::cancel))
}
