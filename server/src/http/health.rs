//! `/healthz`: for programs that wait for the start, or monitor the console.

use axum::{extract::State, http::StatusCode};

use super::Doors;

/// 200 once every host was tried and pages can be served, 503 before.
pub(super) async fn healthz(State(doors): State<Doors>) -> (StatusCode, &'static str) {
    if (doors.ready)() { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "starting\n") }
}
