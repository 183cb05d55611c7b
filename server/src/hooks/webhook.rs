//! A hook that is an address.

use std::time::Duration;

use reqwest::{Client, Response, Url, header::CONTENT_TYPE, redirect::Policy};

use super::quoted;

/// How long an address may take to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// How much of its answer is kept, in bytes.
const KEPT: usize = 2_000;

/// A client that goes where the configuration says, and nowhere else.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder().timeout(LIMIT).redirect(Policy::none()).no_proxy().build()
}

/// Sends this there, and says what came of it. The address's path may be a secret, so that only its host is named.
pub(super) async fn post(client: &Client, url: &Url, json: &str) -> String {
    let place = url.host_str().unwrap_or_default();
    let sent = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(json.to_owned()).send().await;
    match sent {
        Ok(answer) => {
            let status = answer.status();
            let outcome = if status.is_success() { "was told" } else { "refused" };
            format!("{place} {outcome}: {status}.{}", quoted(&beginning(answer).await))
        }
        Err(error) if error.is_timeout() => format!("{place} had not answered after {} s.", LIMIT.as_secs()),
        Err(error) => format!("{place} was not reached: {}.", cause(&error.without_url())),
    }
}

async fn beginning(mut answer: Response) -> Vec<u8> {
    let mut kept = Vec::new();
    while kept.len() < KEPT {
        match answer.chunk().await {
            Ok(Some(part)) => kept.extend_from_slice(&part),
            Ok(None) | Err(_) => break,
        }
    }
    kept.truncate(KEPT);
    kept
}

/// The first cause, which says more than the error itself.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
