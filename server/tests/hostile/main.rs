//! Hostile input. Each of these values is refused with a 4xx at the real doors, before anything was asked of any host: behind the
//! console stand simulated hosts that write down who connects to what. No program is started and no socket opened.
//!
//! Names in Punycode (`xn--…`) are not among them. They are plain ASCII, are shown as they were written and never as what they stand for,
//! so that a reader can tell them apart; the letters that they stand for are refused.

mod house;
mod inputs;

use axum::http::Method;
use serde_json::{Value, json};

use house::{House, sockets};
use inputs::{HOSTILE, hostile, misfits, too_long};

/// An address for documentation (RFC 5737): no host has it, and none is asked.
const ELSEWHERE: &str = "192.0.2.7";
const MIGRATE: &str = "/plugins/kimchi/vms/web/migrate";

#[tokio::test]
async fn hostile_input_is_refused_and_reaches_no_host() {
    let house = House::new().await;
    let asked: Vec<String> = std::mem::take(&mut *house.asked.lock().expect("no test panics while it holds the lock"));
    assert!(asked.contains(&"alpha.simulated".to_owned()), "what is asked is written down: {asked:?}");
    let (before, sockets_before) = (house.state().await, sockets());
    destinations(&house).await;
    hosts(&house).await;
    paths(&house).await;
    assert_eq!(house.state().await, before);
    assert_eq!(sockets(), sockets_before);
    house.understands(MIGRATE, &migration()).await;
    for path in ["/api/hosts/test", "/api/hosts"] {
        house.understands(path, &registration()).await;
    }
}

/// A valid migration to an ad-hoc destination.
fn migration() -> Value {
    json!({
        "destination": ELSEWHERE,
        "port": 2222,
        "user": "root",
        "password": "secret",
        "fingerprint": format!("SHA256:{}", "A".repeat(43)),
        "register": "gamma",
    })
}

/// A host to be registered, with nothing wrong.
fn registration() -> Value {
    json!({
        "settings": {
            "name": "gamma",
            "transport": "ssh",
            "address": ELSEWHERE,
            "port": 2222,
            "user": "root",
            "peer_address": ELSEWHERE,
            "peer_port": 2222,
            "peer_user": "root",
        },
        "login": { "password": "secret", "fingerprint": format!("SHA256:{}", "A".repeat(43)) },
    })
}

/// Migrations to ad-hoc destinations.
async fn destinations(house: &House) {
    for field in ["destination", "user", "fingerprint", "port", "register"] {
        for value in hostile(field) {
            let mut body = migration();
            body[field] = value;
            house.refuses(Method::POST, MIGRATE, &body.to_string()).await;
        }
    }
    for value in hostile("remote_host") {
        let body = json!({ "remote_host": value, "register": "gamma" });
        house.refuses(Method::POST, MIGRATE, &body.to_string()).await;
    }
    for field in ["uri", "destination_uri", "command", "socket", "keyfile", "known_hosts"] {
        let mut body = migration();
        body[field] = json!("qemu+ext:///system?command=/bin/sh");
        house.refuses(Method::POST, MIGRATE, &body.to_string()).await;
    }
    for password in ["a\0b", &"a".repeat(1025)] {
        let mut body = migration();
        body["password"] = json!(password);
        house.refuses(Method::POST, MIGRATE, &body.to_string()).await;
    }
}

/// Hosts that are registered, changed, tried and logged in to.
async fn hosts(house: &House) {
    let mut bodies = Vec::new();
    for field in ["name", "address", "user", "port", "peer_address", "peer_user", "peer_port"] {
        for value in hostile(field) {
            let mut body = registration();
            body["settings"][field] = value;
            bodies.push(body.to_string());
        }
    }
    for field in ["user", "fingerprint"] {
        for value in hostile(field) {
            let mut body = registration();
            body["login"][field] = value;
            bodies.push(body.to_string());
        }
    }
    for (field, value) in [("uri", "qemu+ext:///system?command=/bin/sh"), ("transport", "ext"), ("login", "keyfile=/x")]
    {
        let mut body = registration();
        body["settings"][field] = json!(value);
        bodies.push(body.to_string());
    }
    for address in hostile("peer_address") {
        let settings = json!({ "name": "gamma", "transport": "tls", "address": ELSEWHERE, "peer_address": address });
        bodies.push(json!({ "settings": settings }).to_string());
    }
    bodies.extend(misfits().map(|settings| json!({ "settings": settings }).to_string()));
    bodies.extend(["", "null", "[]", "7", "{", "\"alpha\"", "{\"settings\":{}}"].map(str::to_owned));
    bodies.push("[".repeat(10_000));
    for body in &bodies {
        for (method, path) in
            [(Method::POST, "/api/hosts"), (Method::POST, "/api/hosts/test"), (Method::PUT, "/api/hosts/alpha")]
        {
            house.refuses(method, path, body).await;
        }
    }
}

/// Names in the path.
async fn paths(house: &House) {
    let login = json!({ "password": "secret" }).to_string();
    let texts = HOSTILE.iter().map(|text| (*text).to_owned()).chain(too_long());
    for text in texts.filter(|text| !text.is_empty()) {
        let name = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let path = format!("/plugins/kimchi/vms/{name}/migrate");
        house.refuses(Method::POST, &path, &migration().to_string()).await;
        for (method, what) in
            [(Method::POST, "login"), (Method::POST, "key"), (Method::DELETE, "key"), (Method::DELETE, "")]
        {
            let path = format!("/api/hosts/{name}/{what}");
            house.refuses(method, path.trim_end_matches('/'), &login).await;
        }
    }
}
