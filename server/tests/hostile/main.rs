//! Hostile input: the real HTTP routes refuse each of these values with a 4xx before the console connects to any host. The hosts are
//! simulated and record each connection. No program is started, and no socket is opened.
//!
//! Names in Punycode (`xn--…`) are not among the values: they are plain ASCII and are shown as they were written, so that a reader can
//! tell them apart. The letters that they stand for are refused.

mod console;
mod inputs;

use axum::http::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use console::{Console, sockets};
use inputs::{HOSTILE, hostile, refused_settings, too_long};

/// An address reserved for documentation (RFC 5737): no host has it.
const UNUSED_ADDRESS: &str = "192.0.2.7";
const MIGRATE: &str = "/plugins/kimchi/vms/web/migrate";

/// One test counts this process's sockets, and the other opens some.
static ALONE: Mutex<()> = Mutex::const_new(());

/// The list of `cargo xtask attack`: over real connections, as an HTTP library would refuse to send most of it.
#[tokio::test]
async fn hostile_requests_are_refused_and_change_nothing() {
    let _alone = ALONE.lock().await;
    let console = Console::new().await;
    let before = console.state().await;
    let stop = CancellationToken::new();
    let (target, served) = console.serve(stop.clone());
    let faults = attack::list::send_all(&target).await.expect("the console answers its user");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(console.state().await, before);
    stop.cancel();
    served.await.expect("it does not panic").expect("it ends well");
}

#[tokio::test]
async fn hostile_input_is_refused_and_reaches_no_host() {
    let _alone = ALONE.lock().await;
    let console = Console::new().await;
    let contacted: Vec<String> =
        std::mem::take(&mut *console.contacted.lock().expect("no thread panicked with the lock"));
    assert!(contacted.contains(&"alpha.simulated".to_owned()), "connections are recorded: {contacted:?}");
    let (before, sockets_before) = (console.state().await, sockets());
    destinations(&console).await;
    hosts(&console).await;
    paths(&console).await;
    assert_eq!(console.state().await, before);
    assert_eq!(sockets(), sockets_before);
    console.assert_contacts_host(MIGRATE, &migration()).await;
    for path in ["/api/hosts/test", "/api/hosts"] {
        console.assert_contacts_host(path, &registration()).await;
    }
}

/// A valid migration to an ad-hoc destination.
fn migration() -> Value {
    json!({
        "destination": UNUSED_ADDRESS,
        "port": 2222,
        "user": "root",
        "password": "secret",
        "fingerprint": format!("SHA256:{}", "A".repeat(43)),
        "register": "gamma",
    })
}

/// A valid registration of a host.
fn registration() -> Value {
    json!({
        "settings": {
            "name": "gamma",
            "transport": "ssh",
            "address": UNUSED_ADDRESS,
            "port": 2222,
            "user": "root",
            "peer_address": UNUSED_ADDRESS,
            "peer_port": 2222,
            "peer_user": "root",
        },
        "login": { "password": "secret", "fingerprint": format!("SHA256:{}", "A".repeat(43)) },
    })
}

/// Migrations to ad-hoc destinations.
async fn destinations(console: &Console) {
    for field in ["destination", "user", "fingerprint", "port", "register"] {
        for value in hostile(field) {
            let mut body = migration();
            body[field] = value;
            console.assert_refused(Method::POST, MIGRATE, &body.to_string()).await;
        }
    }
    for value in hostile("remote_host") {
        let body = json!({ "remote_host": value, "register": "gamma" });
        console.assert_refused(Method::POST, MIGRATE, &body.to_string()).await;
    }
    for field in ["uri", "destination_uri", "command", "socket", "keyfile", "known_hosts"] {
        let mut body = migration();
        body[field] = json!("qemu+ext:///system?command=/bin/sh");
        console.assert_refused(Method::POST, MIGRATE, &body.to_string()).await;
    }
    for password in ["a\0b", &"a".repeat(1025)] {
        let mut body = migration();
        body["password"] = json!(password);
        console.assert_refused(Method::POST, MIGRATE, &body.to_string()).await;
    }
}

/// Registering, testing and changing hosts.
async fn hosts(console: &Console) {
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
        let settings =
            json!({ "name": "gamma", "transport": "tls", "address": UNUSED_ADDRESS, "peer_address": address });
        bodies.push(json!({ "settings": settings }).to_string());
    }
    bodies.extend(refused_settings().map(|settings| json!({ "settings": settings }).to_string()));
    bodies.extend(["", "null", "[]", "7", "{", "\"alpha\"", "{\"settings\":{}}"].map(str::to_owned));
    bodies.push("[".repeat(10_000));
    for body in &bodies {
        for (method, path) in
            [(Method::POST, "/api/hosts"), (Method::POST, "/api/hosts/test"), (Method::PUT, "/api/hosts/alpha")]
        {
            console.assert_refused(method, path, body).await;
        }
    }
}

/// Names in a request's path.
async fn paths(console: &Console) {
    let login = json!({ "password": "secret" }).to_string();
    let texts = HOSTILE.iter().map(|text| (*text).to_owned()).chain(too_long());
    for text in texts.filter(|text| !text.is_empty()) {
        let name = percent_encoding::utf8_percent_encode(&text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let path = format!("/plugins/kimchi/vms/{name}/migrate");
        console.assert_refused(Method::POST, &path, &migration().to_string()).await;
        for (method, what) in
            [(Method::POST, "login"), (Method::POST, "key"), (Method::DELETE, "key"), (Method::DELETE, "")]
        {
            let path = format!("/api/hosts/{name}/{what}");
            console.assert_refused(method, path.trim_end_matches('/'), &login).await;
        }
    }
}
