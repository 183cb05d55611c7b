//! The headers of every answer that tell browsers what to allow and what to keep.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use leptos::nonce::Nonce;

use super::Doors;

/// A year (OWASP ASVS 3.4.1). Not for subdomains, which are not ours.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=31536000");

const FIXED: [(HeaderName, HeaderValue); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ),
];

/// On an answer: its page makes styles, with the nonce. xterm.js does.
#[derive(Clone, Copy)]
pub(super) struct MakesStyles;

/// Gives the request a nonce for the page's scripts, and the answer its headers.
pub(super) async fn add(State(doors): State<Doors>, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    let authority = doors.site.authority(request.headers(), request.uri());
    request.extensions_mut().insert(nonce.clone());
    let mut response = next.run(request).await;

    let headers = response.headers_mut();
    headers.extend(FIXED);
    if doors.site.https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    let makes_styles = response.extensions().get::<MakesStyles>().is_some();
    let headers = response.headers_mut();
    let policy = policy(&nonce, doors.site.https, authority.as_deref(), makes_styles);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // Pages and answers are of one user and one moment. Files say so themselves if they may be kept.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Scripts only with the nonce, nothing from elsewhere. `'self'` does not cover WebSockets in all browsers.
fn policy(nonce: &Nonce, https: bool, authority: Option<&str>, makes_styles: bool) -> String {
    let styles = if makes_styles { format!(" 'nonce-{nonce}'") } else { String::new() };
    let stream = match authority {
        Some(authority) => format!(" {}://{authority}", if https { "wss" } else { "ws" }),
        None => String::new(),
    };
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'{styles}; \
         img-src 'self' data:; font-src 'self'; manifest-src 'self'; connect-src 'self'{stream}; base-uri 'none'; \
         object-src 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}
