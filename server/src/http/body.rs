//! Bodies: hardly any of ours is large, so each is read whole here. Those that may name thousands of VMs are read once it is known who
//! sends them.
//!
//! By hand, although tower-http has `RequestBodyLimitLayer` and `RequestBodyTimeoutLayer`. The first answers while the client still
//! sends, after which the connection closes: curl and browsers then report a reset in place of our 413, so that here a larger body is
//! read and thrown away first. The second limits the pause between two parts, not the whole: a byte every few seconds would go on for ever.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{OriginalUri, Request},
    http::header::{CONTENT_LENGTH, EXPECT},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use model::{Code, Problem};
use tokio::time::timeout;

use super::Refused;

/// The largest body that means anything here, in bytes.
const LARGEST: usize = 64 << 10;
/// The largest body at [`LISTS`], in bytes: 10,000 VMs are 400 kB.
const LARGEST_LIST: usize = 1 << 20;
/// Where a body may name thousands of VMs.
const LISTS: [&str; 2] = ["/api/evacuations/plans", "/api/placement"];
/// How much of a larger one is read and thrown away. A sender whose connection closes while it sends sees no answer.
const DRAINED: usize = 64 << 20;
/// How long a body may take to arrive.
const LIMIT: Duration = Duration::from_secs(30);

/// Reads the request's body, and refuses it when it is too large. At [`LISTS`] it is left to [`limit_of_lists`].
pub(super) async fn limit(request: Request, next: Next) -> Response {
    // Below a prefix, the request's own address lacks it.
    let path = request.extensions().get::<OriginalUri>().map_or(request.uri().path(), |uri| uri.path());
    match LISTS.contains(&path) {
        true => next.run(request).await,
        false => limit_to(LARGEST, request, next).await,
    }
}

/// The same at [`LISTS`]. It stands behind the login: strangers' connections must not each take so much memory.
pub(super) async fn limit_of_lists(request: Request, next: Next) -> Response {
    limit_to(LARGEST_LIST, request, next).await
}

async fn limit_to(largest: usize, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let waits_for_permission = parts.headers.contains_key(EXPECT);
    if waits_for_permission && declared.is_some_and(|length| length > largest) {
        return too_large(largest);
    }
    match timeout(LIMIT, read(largest, body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(refused)) => refused,
        Err(_) => refuse(Problem::new(Code::InvalidInput, "The request's body did not arrive in time.")),
    }
}

async fn read(largest: usize, body: Body) -> Result<Bytes, Response> {
    let mut body = Limited::new(body, DRAINED);
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large(largest)),
            Err(_) => return Err(refuse(Problem::new(Code::InvalidInput, "The request's body ended too early."))),
        };
        length += data.len();
        if length <= largest {
            bytes.extend_from_slice(&data);
        }
    }
    if length > largest { Err(too_large(largest)) } else { Ok(bytes.into()) }
}

fn too_large(largest: usize) -> Response {
    let sentence = format!("The request's body is too large: it may have {} KiB.", largest >> 10);
    refuse(Problem::new(Code::TooLarge, sentence))
}

fn refuse(problem: Problem) -> Response {
    Refused::from(problem).into_response()
}
