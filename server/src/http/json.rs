//! Bodies that are JSON.

use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::header::CONTENT_TYPE,
};
use model::{Code, Problem};
use serde::de::DeserializeOwned;

use super::Refused;

/// What the request says its body is, without parameters; empty if it does not say.
pub(super) fn content_type(request: &Request) -> &str {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}

/// Reads a JSON body of this type.
pub(super) async fn json_body<T: DeserializeOwned>(request: Request) -> Result<T, Refused> {
    if !content_type(&request).eq_ignore_ascii_case("application/json") {
        return Err(Problem::new(Code::UnsupportedMedia, "The request's body is not JSON.")
            .with_fix("Send JSON, with the header Content-Type: application/json.")
            .into());
    }
    parsed(&bytes(request).await?)
}

/// The same where the body may be left out.
pub(super) async fn optional_json_body<T: DeserializeOwned + Default>(request: Request) -> Result<T, Refused> {
    match request.body().size_hint().exact() {
        Some(0) => Ok(T::default()),
        _ => json_body(request).await,
    }
}

async fn bytes(request: Request) -> Result<Bytes, Refused> {
    let unreadable = |_| Problem::new(Code::InvalidInput, "The request's body could not be read.");
    Ok(Bytes::from_request(request, &()).await.map_err(unreadable)?)
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    serde_json::from_slice(bytes).map_err(|error| {
        let problem = Problem::new(Code::InvalidInput, "The request's body is not the JSON that is asked for.")
            .with_fix("The details say where, and what was expected there.");
        let refused = Refused::from(problem.with_details(without_values(&error)));
        if error.is_data() { refused } else { refused.known_as("WOKAPI0006E") }
    })
}

/// An error without the value that was sent, which may be a password: serde says that first, and what it expected last.
pub(super) fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(", expected ") {
        Some((found, expected)) if !found.starts_with("unknown field `") => format!("expected {expected}"),
        _ => text,
    }
}
