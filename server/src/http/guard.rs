//! Only a few doors open without a login. Around all others `router` puts a layer, which refuses before a page is rendered, so that
//! nothing of it leaks.

use axum::{
    extract::{Query, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use model::{Code, Problem};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tower_sessions::Session;

use super::{Doors, Refused};

/// What may stand in a query's value as it is.
const QUERY_VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How a kind of doors treats requests: what becomes of those without a login.
#[derive(Clone, Copy)]
pub(super) struct Guard {
    /// Whether a request counts as a use of its session.
    is_use: bool,
    /// The answer to a request without a login.
    refuse: fn(&Request) -> Response,
}

impl Guard {
    /// What programs call: without a login the answer is a 401.
    pub(super) const PROGRAMS: Self = Self { is_use: true, refuse: unauthenticated };
    /// The stream: the same, but a page that is only left open does not use its session.
    pub(super) const STREAM: Self = Self { is_use: false, refuse: unauthenticated };
    /// Pages, and the functions that they call: browsers that want a page are sent to the login, all else gets a 401.
    pub(super) const PAGES: Self = Self { is_use: true, refuse: login_first };
}

/// The layer around doors for users who are logged in: lets a request through with its principal.
pub(super) async fn only_users(
    State((doors, guard)): State<(Doors, Guard)>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Result<Response, Refused> {
    let Some(who) = doors.auth.principal(&session).await? else { return Ok((guard.refuse)(&request)) };
    if guard.is_use {
        doors.auth.seen(&who).await;
    }
    request.extensions_mut().insert(who);
    Ok(next.run(request).await)
}

/// The layer around the login page: sends users who are logged in to where the login would have led.
pub(super) async fn only_strangers(
    State(doors): State<Doors>,
    session: Session,
    request: Request,
    next: Next,
) -> Result<Response, Refused> {
    match doors.auth.principal(&session).await? {
        Some(_) if request.method() == Method::GET => Ok(Redirect::to(&next_page(request.uri())).into_response()),
        _ => Ok(next.run(request).await),
    }
}

fn unauthenticated(_: &Request) -> Response {
    let problem = Problem::new(Code::Unauthenticated, "You are not logged in.").with_fix("Log in, then try again.");
    Refused::from(problem).into_response()
}

fn login_first(request: &Request) -> Response {
    if !wants_a_page(request.headers()) {
        return unauthenticated(request);
    }
    let here = request.uri().path_and_query().and_then(|path| own_page(path.as_str())).unwrap_or("/");
    match *request.method() {
        Method::GET if comes_from_another_site(request.headers()) => load_again(here),
        Method::GET => Redirect::to(&login_page(&[("next", here)])).into_response(),
        _ => Redirect::to("/login").into_response(),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn wants_a_page(headers: &HeaderMap) -> bool {
    match header(headers, "sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => header(headers, header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html")),
    }
}

/// Whether a link on another site was followed. The cookie is `SameSite=Strict`: the browser does not send it along then.
fn comes_from_another_site(headers: &HeaderMap) -> bool {
    matches!(header(headers, "sec-fetch-site"), Some("cross-site" | "same-site"))
}

/// Makes the browser ask again, this time from a page of ours, so that it sends the cookie if it has one.
fn load_again(here: &str) -> Response {
    let here = here.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>vmferry</title>\
         <meta http-equiv=\"refresh\" content=\"0;url={here}\"><p><a href=\"{here}\">Go on to vmferry</a></p></html>"
    );
    (StatusCode::OK, Html(page)).into_response()
}

/// The login page with these values in its query.
pub(super) fn login_page(values: &[(&str, &str)]) -> String {
    format!("/login?{}", query(values))
}

/// A query with these keys and values.
pub(super) fn query<T: AsRef<str>>(pairs: &[(T, T)]) -> String {
    let encoded = |text: &T| utf8_percent_encode(text.as_ref(), QUERY_VALUE).to_string();
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
    pairs.join("&")
}

/// Where a browser may be sent, if `next` is one of our own pages: a path that no browser takes for another site's address.
pub(super) fn own_page(next: &str) -> Option<&str> {
    let path = next.strip_prefix('/')?;
    let leads_away = path.starts_with('/') || path.starts_with("login");
    let harmless = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (!leads_away && harmless).then_some(next)
}

/// Where the query of the login page says to go.
fn next_page(uri: &Uri) -> String {
    #[derive(serde::Deserialize)]
    struct Next {
        next: String,
    }
    let next = Query::<Next>::try_from_uri(uri).ok();
    next.and_then(|Query(Next { next })| own_page(&next).map(str::to_owned)).unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pages_of_ours() {
        for next in ["/", "/migrations?before=1", "/vms/1/migrate", "/a%0d%0ab"] {
            assert_eq!(own_page(next), Some(next));
        }
    }

    #[test]
    fn pages_of_others() {
        for next in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a\nb",
            "/\t/evil.example",
            "/ä",
            "/login?next=/",
        ] {
            assert_eq!(own_page(next), None, "{next:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_put_into_a_query_stays_one_value(text in ".*") {
            let page = login_page(&[("next", &text)]);
            prop_assert!(page.bytes().all(|b| b.is_ascii_graphic()));
            prop_assert_eq!(page.matches(['?', '&', '=', '#', '+']).count(), 2);
        }
    }
}
