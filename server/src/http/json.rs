//! Bodies that are JSON.

use axum::{
    body::Bytes,
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
    let bytes = Bytes::from_request(request, &())
        .await
        .map_err(|_| Refused::from(Problem::new(Code::InvalidInput, "The request's body could not be read.")))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let refused = Refused::from(
            Problem::new(Code::InvalidInput, "The request's body is not the JSON that is asked for.")
                .with_details(error.to_string()),
        );
        if error.is_data() { refused } else { refused.known_as("WOKAPI0006E") }
    })
}
