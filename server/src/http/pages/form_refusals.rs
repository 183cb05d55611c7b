//! Refusals of forms that were sent without scripts.
//!
//! Leptos answers such a form by sending the browser back to its page, with the whole refusal in the address: `__path` names the server
//! function, and `__err` is its error, in JSON and base64. Anyone can write such an address, and the page would show their words as ours.
//! So only the refusal's code travels, which `app` tells in its own words; an address with anything else loses it.

use axum::{
    extract::{Query, Request},
    http::{HeaderValue, Method, Uri, header::LOCATION},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE};
use model::Code;
use serde::{Deserialize, Serialize};

use super::super::guard::{own_page, query};

const ERROR: &str = "__err";
const FUNCTION: &str = "__path";

/// What of a refusal stands in an address. Of a whole refusal, this is what is read.
#[derive(Serialize, Deserialize)]
struct Refusal {
    code: Code,
}

impl Refusal {
    fn read(value: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64_URL_SAFE.decode(value).ok()?).ok()
    }

    fn written(&self) -> Option<String> {
        serde_json::to_vec(self).ok().map(|json| BASE64_URL_SAFE.encode(json))
    }
}

/// The layer around pages and server functions.
pub(super) async fn only_codes(request: Request, next: Next) -> Response {
    if request.method() == Method::GET && !is_harmless(request.uri()) {
        let here = with_pairs(request.uri(), |(key, value)| (!is_refusal(&key)).then_some((key, value)));
        return Redirect::to(own_page(&here).unwrap_or("/")).into_response();
    }
    let mut response = next.run(request).await;
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()?.parse::<Uri>().ok());
    if let Some(page) = location.filter(|page| pairs(page).iter().any(|(key, _)| is_refusal(key))) {
        let page = with_pairs(&page, |(key, value)| match key.as_str() {
            ERROR => Some((key, Refusal::read(&value)?.written()?)),
            _ => Some((key, value)),
        });
        if let Ok(page) = HeaderValue::from_str(&page) {
            response.headers_mut().insert(LOCATION, page);
        }
    }
    response
}

/// Whether no refusal is in the address, or nothing but codes.
fn is_harmless(page: &Uri) -> bool {
    pairs(page).iter().all(|(key, value)| match key.as_str() {
        ERROR => Refusal::read(value).and_then(|refusal| refusal.written()).as_ref() == Some(value),
        _ => true,
    })
}

fn is_refusal(key: &str) -> bool {
    key == ERROR || key == FUNCTION
}

/// Keys and values as Leptos reads them.
fn pairs(page: &Uri) -> Vec<(String, String)> {
    Query::try_from_uri(page).map(|Query(pairs)| pairs).unwrap_or_default()
}

/// The page's path, with what `keep` makes of each pair of its query.
fn with_pairs(page: &Uri, keep: impl Fn((String, String)) -> Option<(String, String)>) -> String {
    let kept: Vec<(String, String)> = pairs(page).into_iter().filter_map(keep).collect();
    if kept.is_empty() { page.path().to_owned() } else { format!("{}?{}", page.path(), query(&kept)) }
}
