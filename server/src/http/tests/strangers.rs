//! Every address there is, asked for without a login. The addresses come from the router itself, so that none is forgotten.

use std::collections::BTreeSet;

use super::*;

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE"];
/// What needs no login, and how it answers.
const OPEN: [(&str, &str, StatusCode); 6] = [
    ("GET", "/healthz", StatusCode::OK),
    ("HEAD", "/healthz", StatusCode::OK),
    ("GET", "/login", StatusCode::OK),
    ("HEAD", "/login", StatusCode::OK),
    ("POST", "/login", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ("POST", "/logout", StatusCode::OK),
];

/// The addresses of all routes, with `x` for what is variable: axum has no list of them, but shows them for debugging.
fn addresses(router: &Router) -> BTreeSet<String> {
    let shown = format!("{router:?}");
    let quoted =
        shown.split('"').skip(1).step_by(2).filter(|text| text.starts_with('/') && !text.contains("__private__"));
    let with_values = |path: &str| {
        let segments = path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment });
        segments.collect::<Vec<_>>().join("/")
    };
    quoted.map(with_values).collect()
}

#[tokio::test]
async fn a_stranger_gets_nowhere() {
    let house = House::new().await;
    let mut addresses = addresses(&house.router);
    for known in [
        "/",
        "/account",
        "/ws",
        "/api/hosts/x/key",
        "/plugins/kimchi/tasks/x",
        "/hosts/x/edit",
        "/_fn/app/vms/server_fns/act",
    ] {
        assert!(addresses.contains(known), "{known} is not among {addresses:?}");
    }
    assert!(addresses.len() > 35, "{addresses:?}");
    let nothing =
        ["/nothing", "/api", "/api/nothing", "/plugins", "/plugins/nothing", "/plugins/kimchi/nothing", "/_fn/nothing"];
    addresses.extend(nothing.map(str::to_owned));
    for path in &addresses {
        for method in METHODS {
            is_turned_away(&house, method, path).await;
        }
    }
    assert!(house.console.migrations().is_empty() && house.console.host_calls().is_empty());
}

async fn is_turned_away(house: &House, method: &str, path: &str) {
    let request = || request(method.parse().unwrap(), path);
    let program = house.send(request().body(Body::empty()).unwrap()).await;
    let browser = request().header(header::ACCEPT, "text/html").header("sec-fetch-mode", "navigate");
    let browser = house.send(browser.body(Body::empty()).unwrap()).await;
    if let Some((.., status)) = OPEN.iter().find(|open| (open.0, open.1) == (method, path)) {
        assert_eq!(program.status, *status, "{method} {path}");
        return;
    }
    if ["/healthz", "/login", "/logout"].contains(&path) {
        assert_eq!(program.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        return;
    }
    assert_eq!(program.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    if path.starts_with("/ws") {
        assert_eq!(browser.status, StatusCode::FORBIDDEN, "{method} {path}: it names no origin");
    } else if path.starts_with("/api") || path.starts_with("/plugins") {
        assert_eq!(browser.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    } else {
        assert_eq!(browser.status, StatusCode::SEE_OTHER, "{method} {path}");
        assert!(browser.header("location").starts_with("/login"), "{method} {path}: {}", browser.header("location"));
        assert_eq!(browser.body, "", "{method} {path}");
    }
}

/// An address where nothing is gets the refusal of the kind of doors that it lies below.
#[tokio::test]
async fn what_is_not_there_is_told_as_its_neighbours_tell() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for path in ["/plugins/nothing", "/plugins/kimchi/nothing"] {
        let answer = house.send(visit(path, Some(&cookie), "none")).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::NOT_FOUND, Some("not-found")));
        assert!(answer.json()["reason"].is_string(), "{path}");
    }
    for path in ["/api", "/api/nothing"] {
        let answer = house.send(visit(path, Some(&cookie), "none")).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::NOT_FOUND, Some("not-found")));
        assert!(answer.json()["sentence"].is_string(), "{path}");
    }
}
