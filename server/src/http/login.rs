//! `/login` and `/logout`: JSON for programs, as wok has it, and plain forms for browsers.

use axum::{
    Form, Json,
    extract::{FromRequest, Request, State},
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
};
use crate::auth::{AuthError, COOKIE};

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

/// What is known of a client that logs in, besides name and password.
struct Client {
    session: Session,
    address: ClientAddress,
    user_agent: String,
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
    match enter(doors, client, &username, password).await {
        Ok(()) => Redirect::to(next).into_response(),
        Err(AuthError::WrongCredentials) => again(&[("problem", "wrong-credentials"), ("next", next)]),
        Err(AuthError::Throttled(wait)) => {
            again(&[("problem", "throttled"), ("wait", &seconds(wait).to_string()), ("next", next)])
        }
        Err(AuthError::Store(_)) => again(&[("problem", "store-unavailable"), ("next", next)]),
        Err(error) => refuse(error),
    }
}

async fn enter(doors: &Doors, client: Client, name: &str, password: String) -> Result<(), AuthError> {
    let Client { session, address: ClientAddress(address), user_agent } = client;
    doors.auth.log_in(&session, name, password, address, &user_agent).await
}

fn again(values: &[(&str, &str)]) -> Response {
    Redirect::to(&login_page(values)).into_response()
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
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict");
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
