//! Kimchi's API, as far as migration goes: for programs that were written for it, and for curl.

mod migrate;
mod request;
mod tasks;
mod vms;

use axum::{
    Router,
    extract::{FromRequestParts, RawPathParams, rejection::RawPathParamsRejection},
    http::request::Parts,
    routing::get,
};
use model::{Code, Problem};

use super::{DoorState, Refused};

pub(super) fn router() -> Router<DoorState> {
    Router::new()
        .route("/vms", get(vms::list))
        .route("/vms/{name}", get(vms::one))
        .route("/vms/{name}/migrate", get(migrate::look).post(migrate::migrate))
        .route("/tasks", get(tasks::list))
        .route("/tasks/{name}", get(tasks::one).delete(tasks::cancel))
}

/// What stands in the address for the name of a thing, decoded.
struct Named(String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let refused =
            |what: &str| Refused::from(Problem::new(Code::InvalidInput, format!("The name in the address {what}.")));
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|error| match error {
            RawPathParamsRejection::InvalidUtf8InPathParam(_) => refused("is not UTF-8"),
            _ => refused("is missing"),
        })?;
        let (_, name) = params.iter().next().ok_or_else(|| refused("is missing"))?;
        if name.chars().any(char::is_control) {
            return Err(refused("has a control character"));
        }
        Ok(Self(name.to_owned()))
    }
}
