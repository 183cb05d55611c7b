//! Bodies: none of ours is large, so each is read whole here.
//!
//! By hand, although tower-http has `RequestBodyLimitLayer` and `RequestBodyTimeoutLayer`. The first answers while the client still
//! sends, after which the connection closes: curl and browsers then report a reset in place of our 413, so that here a larger body is
//! read and thrown away first. The second limits the pause between two parts, not the whole: a byte every few seconds would go on for ever.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::Request,
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
/// How much of a larger one is read and thrown away. A sender whose connection closes while it sends sees no answer.
const DRAINED: usize = 64 << 20;
/// How long a body may take to arrive.
const LIMIT: Duration = Duration::from_secs(30);

/// Reads the request's body, and refuses it when it is too large.
pub(super) async fn limit(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let waits_for_permission = parts.headers.contains_key(EXPECT);
    if waits_for_permission && declared.is_some_and(|length| length > LARGEST) {
        return too_large();
    }
    match timeout(LIMIT, read(body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(refused)) => refused,
        Err(_) => refuse(Problem::new(Code::InvalidInput, "The request's body did not arrive in time.")),
    }
}

async fn read(body: Body) -> Result<Bytes, Response> {
    let mut body = Limited::new(body, DRAINED);
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_default(),
            Err(error) if error.is::<LengthLimitError>() => return Err(too_large()),
            Err(_) => return Err(refuse(Problem::new(Code::InvalidInput, "The request's body ended too early."))),
        };
        length += data.len();
        if length <= LARGEST {
            bytes.extend_from_slice(&data);
        }
    }
    if length > LARGEST { Err(too_large()) } else { Ok(bytes.into()) }
}

fn too_large() -> Response {
    refuse(Problem::new(Code::TooLarge, "The request's body is too large: it may have 64 KiB."))
}

fn refuse(problem: Problem) -> Response {
    Refused::from(problem).into_response()
}
