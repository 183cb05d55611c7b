//! The doors, with a port behind them that only remembers what it was asked for.

mod access;
mod at_once;
mod command_line;
mod destinations;
mod evacuation_pages;
mod evacuations;
mod fake;
mod files;
mod form_refusals;
mod forms;
mod headers;
mod help;
mod hosts;
mod kimchi;
mod login;
mod logs;
mod migrations;
mod preflight;
mod selection;
mod strangers;
mod stream;
mod terminal;
mod vms;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use store::SqliteStore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use self::fake::FakeConsole;
use super::{Doors, Site, router};
use crate::{
    auth::{Auth, HashCost, SessionLimits},
    test_directory::TestDirectory,
};

const PASSWORD: &str = "a long test password";

/// A house with one user, `ada`.
struct House {
    console: Arc<FakeConsole>,
    auth: Auth,
    router: Router,
    stop: CancellationToken,
    directory: TestDirectory,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl House {
    async fn new() -> Self {
        Self::of(Site::default(), SessionLimits::default()).await
    }

    async fn of(site: Site, limits: SessionLimits) -> Self {
        let directory = TestDirectory::new();
        let store = Arc::new(SqliteStore::open(directory.path()).await.unwrap());
        let auth = Auth::new(store, HashCost { memory_kib: 8, passes: 1 }, limits);
        auth.add_user("ada", PASSWORD.into()).await.unwrap();
        let console = Arc::new(FakeConsole::new(auth.clone()));
        let stop = CancellationToken::new();
        let doors =
            Doors { console: console.clone(), auth: auth.clone(), site, ready: Arc::new(|| true), stop: stop.clone() };
        Self { console, auth, router: router(doors), stop, directory }
    }

    /// Users and sessions as another process has them.
    async fn beside(&self) -> Auth {
        let store = Arc::new(SqliteStore::open(self.directory.path()).await.unwrap());
        Auth::new(store, HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default())
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from("127.0.0.1:4711", request).await
    }

    async fn send_from(&self, peer: &str, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        Answer::of(self.router.clone().oneshot(request).await.unwrap()).await
    }

    /// Logs ada in and returns her cookie as she sends it.
    async fn cookie(&self) -> String {
        let answer = self.send(login("ada", PASSWORD)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.cookie()
    }
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap().to_owned()
    }
}

fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:8080")
}

/// A request as a program sends it.
fn get(path: &str, cookie: &str) -> Request<Body> {
    request(Method::GET, path).header(header::COOKIE, cookie).body(Body::empty()).unwrap()
}

/// A request as a browser sends it when a user opens a page.
fn visit(path: &str, cookie: Option<&str>, site: &str) -> Request<Body> {
    let mut request = request(Method::GET, path)
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", site);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::empty()).unwrap()
}

fn post(path: &str, cookie: &str, body: &Value) -> Request<Body> {
    request(Method::POST, path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// A form as a browser sends it.
fn send_form(path: &str, cookie: Option<&str>, body: &str) -> Request<Body> {
    let mut request = request(Method::POST, path)
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("origin", "http://127.0.0.1:8080")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-site", "same-origin");
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

/// Any other request with a body.
fn send_json(method: Method, path: &str, cookie: &str, body: &str) -> Request<Body> {
    request(method, path)
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn login(name: &str, password: &str) -> Request<Body> {
    post("/login", "", &json!({ "username": name, "password": password }))
}
