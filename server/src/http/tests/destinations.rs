//! Ad-hoc destinations: their address, and a login for one migration.

use model::{AdHocDestination, Code, HostLogin, MigrationRequest, Problem, Secret, VmId};
use uuid::Uuid;

use super::{fake::HostCall, *};

const MIGRATE: &str = "/plugins/kimchi/vms/web/migrate";

fn plain(destination: &str) -> AdHocDestination {
    AdHocDestination { address: destination.into(), port: None, login: HostLogin::default(), register: None }
}

#[tokio::test]
async fn the_login_at_the_destination_arrives() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let login =
        HostLogin { user: Some("ops".into()), password: Some(Secret::new("hunter2".into())), ..HostLogin::default() };
    let cases = [
        (json!({ "destination": "beta" }), plain("beta")),
        (json!({ "destination": "192.0.2.7" }), plain("192.0.2.7")),
        (
            json!({ "destination": "192.0.2.7", "user": "ops", "password": "hunter2" }),
            AdHocDestination { login: login.clone(), ..plain("192.0.2.7") },
        ),
        (
            json!({ "destination": "b.example", "fingerprint": "SHA256:seen", "port": 2222, "register": "rack-7" }),
            AdHocDestination {
                port: Some(2222),
                login: HostLogin { fingerprint: Some("SHA256:seen".into()), ..HostLogin::default() },
                register: Some("rack-7".parse().unwrap()),
                ..plain("b.example")
            },
        ),
        (
            json!({ "destination": "b.example", "register": true }),
            AdHocDestination { register: Some("b-example".parse().unwrap()), ..plain("b.example") },
        ),
        (json!({ "destination": "b.example", "register": false }), plain("b.example")),
    ];
    for (body, destination) in cases {
        let answer = house.send(post(MIGRATE, &cookie, &body)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{body}: {}", answer.body);
        let request = MigrationRequest::plain(VmId(Uuid::from_u128(1)), destination.into());
        assert_eq!(house.console.host_calls(), [HostCall::Start(request)], "{body}");
    }
}

#[tokio::test]
async fn a_refusal_has_what_the_caller_needs_to_go_on() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let body = json!({ "destination": "192.0.2.7", "password": "hunter2" });
    for (code, known_as) in [
        (Code::HostKeyUnknown, "host-key-unknown"),
        (Code::HostKeyChanged, "host-key-changed"),
        (Code::LoginRefused, "KCHVM0056E"),
        (Code::NeedsLogin, "KCHVM0056E"),
        (Code::NotPermitted, "KCHVM0090E"),
        (Code::HostUnreachable, "KCHVM0090E"),
    ] {
        house
            .console
            .will_refuse(Problem::new(code, "It is refused.").with_fix("Do this.").with_fingerprint("SHA256:seen"));
        let answer = house.send(post(MIGRATE, &cookie, &body)).await;
        let expected = json!({
            "code": known_as,
            "reason": format!("{known_as}: It is refused. Do this."),
            "fingerprint": "SHA256:seen",
        });
        assert_eq!((answer.status, answer.json()), (StatusCode::CONFLICT, expected));
    }
    assert!(house.console.migrations().is_empty());
}

#[tokio::test]
async fn no_refusal_repeats_a_password() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let bodies = [
        r#""hunter2""#,
        r#"["hunter2"]"#,
        r#"{"password": "hunter2""#,
        r#"{"password": "hunter2"}"#,
        r#"{"password": ["hunter2"], "destination": "beta"}"#,
        r#"{"password": {"hunter2": "hunter2"}, "destination": "beta"}"#,
        r#"{"password": "hunter2", "destination": "beta", "user": ["hunter2"]}"#,
        r#"{"password": "hunter2", "destination": "beta", "port": "hunter2"}"#,
        r#"{"password": "hunter2", "destination": "beta", "way": "hunter2, expected hunter3"}"#,
        r#"{"password": "hunter2", "destination": "beta", "accept": "hunter2"}"#,
        r#"{"password": "hunter2", "destination": "beta", "accept": ["hunter2"]}"#,
        r#"{"password": "hunter2", "destination": "beta", "encrypt": "hunter2"}"#,
        r#"{"password": "hunter2", "destination": "beta", "register": "hunter 2"}"#,
        r#"{"password": "hunter2", "destination": "beta", "wrong": 1}"#,
        r#"{"login": "hunter2", "settings": {}}"#,
        r#"{"login": {"password": ["hunter2"]}, "settings": {}}"#,
        r#"{"login": {"password": 7, "keep_until_restart": "hunter2"}}"#,
        r#"{"login": {"keep_until_restart": "hunter2"}, "settings": {"name": "a", "transport": "ssh"}}"#,
        r#"{"settings": "hunter2"}"#,
        r#"{"settings": {"name": "a", "transport": "hunter2"}}"#,
        r#"{"settings": {"name": "a", "transport": "ssh", "password": "hunter2"}}"#,
        r#"{"user": 7, "password": "hunter2"}"#,
        r#"{"username": 7, "password": "hunter2"}"#,
        r#"{"username": "a", "password": {"hunter2": 1}}"#,
    ];
    let doors = [
        (Method::POST, MIGRATE),
        (Method::POST, "/api/hosts"),
        (Method::POST, "/api/hosts/test"),
        (Method::PUT, "/api/hosts/gamma"),
        (Method::POST, "/api/hosts/gamma/login"),
        (Method::POST, "/api/hosts/gamma/key"),
        (Method::DELETE, "/api/hosts/gamma/key"),
        (Method::POST, "/login"),
    ];
    house.console.will_refuse(Problem::new(Code::LoginRefused, "It is refused."));
    for body in bodies {
        for (method, path) in doors.clone() {
            let answer = house.send(send_json(method, path, &cookie, body)).await;
            assert!(answer.status.is_client_error(), "{path} {body}: {}", answer.status);
            assert!(!answer.body.contains("hunter"), "{path} {body}: {}", answer.body);
        }
    }
    assert!(house.console.migrations().is_empty());
}
