//! `/login` and `/logout`: JSON for programs, as wok has it, and plain forms for browsers.

use app::LoginRefusal;
use axum::{
    Form, Json,
    extract::{FromRequest, Query, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use model::{Code, Credentials, Problem};
use serde::Deserialize;
use serde_json::json;
use tower_sessions::Session;

use super::{
    Doors, Refused,
    client::ClientAddress,
    guard::{login_page, own_page},
    json::{content_type, json_body},
    pages,
};
use crate::auth::AuthError;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// What the browser forgets of this site. Not `"cookies"`, which would log the user out at all sites below the same domain.
const CLEARED: HeaderValue = HeaderValue::from_static(r#""cache", "storage""#);

#[derive(Deserialize)]
struct LoginForm {
    username: String,
    password: String,
    #[serde(default)]
    next: String,
}

/// The query of the login page.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
    /// Whether a login has led here.
    entered: Option<String>,
}

/// What is known of a client that logs in, besides name and password.
struct Client {
    session: Session,
    address: ClientAddress,
    user_agent: String,
}

/// `GET /login`. The guard (`guard.rs`) sends on whoever is logged in, so that a login that leads here left no cookie.
pub(super) async fn page(State(doors): State<Doors>, Query(Asked { next, entered }): Query<Asked>) -> Response {
    let origin = || doors.site.public_url.as_ref().map(|url| url.origin());
    let refusal = entered.map(|_| LoginRefusal::NoCookie { origin: origin() });
    pages::login(&doors, String::new(), own_page(&next).unwrap_or("/"), refusal).into_response()
}

/// `POST /login`.
pub(super) async fn log_in(
    State(doors): State<Doors>,
    session: Session,
    address: ClientAddress,
    request: Request,
) -> Response {
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let client = Client { session, address, user_agent: user_agent.unwrap_or("unknown").to_owned() };
    if is_form(&request) {
        match Form::<LoginForm>::from_request(request, &()).await {
            Ok(Form(form)) => by_form(&doors, client, form).await,
            Err(_) => refuse(Problem::new(Code::InvalidInput, "The form lacks the user name or the password.")),
        }
    } else {
        match json_body(request).await {
            Ok(login) => by_json(&doors, client, login).await,
            Err(refused) => refused.into_response(),
        }
    }
}

async fn by_json(doors: &Doors, client: Client, Credentials { username, password }: Credentials) -> Response {
    match enter(doors, client, &username, password).await {
        // Every user is an administrator.
        Ok(()) => Json(json!({ "username": username, "groups": [], "role": "admin" })).into_response(),
        Err(error) => {
            let retry_after = match error {
                AuthError::Throttled(wait) => Some(HeaderValue::from(seconds(wait))),
                _ => None,
            };
            let mut response = refuse(error);
            response.headers_mut().extend(retry_after.map(|value| (header::RETRY_AFTER, value)));
            response
        }
    }
}

async fn by_form(doors: &Doors, client: Client, LoginForm { username, password, next }: LoginForm) -> Response {
    let next = own_page(&next).unwrap_or("/");
    let (status, refusal) = match enter(doors, client, &username, password).await {
        // On to the login page, which sends on whoever comes with the cookie.
        Ok(()) => return Redirect::to(&login_page(&[("next", next), ("entered", "1")])).into_response(),
        Err(AuthError::WrongCredentials) => (StatusCode::UNAUTHORIZED, LoginRefusal::WrongCredentials),
        Err(AuthError::Throttled(wait)) => {
            (StatusCode::TOO_MANY_REQUESTS, LoginRefusal::Throttled { wait_s: seconds(wait) })
        }
        Err(AuthError::Store(_)) => (StatusCode::SERVICE_UNAVAILABLE, LoginRefusal::StoreUnavailable),
        Err(error) => return refuse(error),
    };
    (status, pages::login(doors, username, next, Some(refusal))).into_response()
}

async fn enter(doors: &Doors, client: Client, name: &str, password: String) -> Result<(), AuthError> {
    let Client { session, address: ClientAddress(address), user_agent } = client;
    doors.auth.log_in(&session, name, password, address, &user_agent).await
}

/// Whole seconds to wait, at least one.
fn seconds(wait: std::time::Duration) -> u64 {
    wait.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX).max(1)
}

/// `POST /logout`. Without a session it is done already.
pub(super) async fn log_out(State(doors): State<Doors>, session: Session, request: Request) -> Response {
    if let Err(error) = doors.auth.log_out(&session).await {
        return refuse(error);
    }
    // tower-sessions removes the cookie, too, but without `Secure`, which browsers ignore for a `__Host-` cookie.
    let secure = if doors.site.https { " Secure;" } else { "" };
    let gone = format!("{}=; Path=/; Max-Age=0;{secure} HttpOnly; SameSite=Strict", doors.site.cookie());
    let answer = if is_form(&request) {
        Redirect::to("/login").into_response()
    } else {
        (StatusCode::OK, Json(json!({}))).into_response()
    };
    ([(header::SET_COOKIE, gone)], [(CLEAR_SITE_DATA, CLEARED)], answer).into_response()
}

fn is_form(request: &Request) -> bool {
    content_type(request).eq_ignore_ascii_case("application/x-www-form-urlencoded")
        // An empty form of a browser has no content type.
        || (content_type(request).is_empty()
            && request.headers().get(header::ACCEPT).is_some_and(|value| value.as_bytes().starts_with(b"text/html")))
}

fn refuse(problem: impl Into<Problem>) -> Response {
    Refused::from(problem.into()).into_response()
}
