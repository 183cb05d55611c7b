//! `/api/hosts`.

use model::{Code, HostLogin, Problem, Secret};

use super::{
    fake::{HostCall, KNOWN_KEY},
    *,
};

fn rack() -> Value {
    json!({
        "settings": { "name": "rack7", "transport": "ssh", "address": "192.0.2.7" },
        "login": { "password": "hunter2", "fingerprint": KNOWN_KEY },
    })
}

fn login_of_rack() -> HostLogin {
    HostLogin {
        password: Some(Secret::new("hunter2".into())),
        fingerprint: Some(KNOWN_KEY.into()),
        ..HostLogin::default()
    }
}

#[tokio::test]
async fn hosts_are_listed_as_they_are_registered_and_as_they_are() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let all = house.send(get("/api/hosts", &cookie)).await.json();
    let [alpha, gamma] = all.as_array().unwrap().as_slice() else { panic!("{all}") };
    assert_eq!((&alpha["settings"]["transport"], &alpha["origin"]), (&json!("tcp"), &json!("configured")));
    assert_eq!(alpha["state"]["connection"], "connected");
    assert_eq!(alpha["state"]["memory_reserved_bytes"], 0);
    assert_eq!((&gamma["settings"]["port"], &gamma["fingerprint"]), (&json!(2222), &json!(KNOWN_KEY)));
    assert_eq!(house.send(get("/api/hosts/gamma", &cookie)).await.json(), *gamma);
    for name in ["delta", "test", "A%20b", "%2e%2e"] {
        let answer = house.send(get(&format!("/api/hosts/{name}"), &cookie)).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("unknown-host")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_host_is_shown_with_what_it_has() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let details = house.send(get("/api/hosts/alpha/details", &cookie)).await.json();
    assert_eq!((&details["name"], &details["resources"]["pools"][0]["name"]), (&json!("alpha"), &json!("images")));
    assert_eq!(details["memory_reserved_bytes"], 3_u64 << 30);
    for name in ["delta", "%2e%2e"] {
        let answer = house.send(get(&format!("/api/hosts/{name}/details"), &cookie)).await;
        let found = (answer.status, answer.json()["code"].clone());
        assert_eq!(found, (StatusCode::NOT_FOUND, json!("unknown-host")), "{name}");
    }
    let page = house.send(get("/hosts/alpha", &cookie)).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in
        ["<b>images", "Reserved by plans", "Settings", "The configuration file names this host", "/test", "Last errors"]
    {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert_eq!(house.send(get("/hosts/nowhere", &cookie)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_asked_of_hosts_arrives() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let send = async |method: Method, path: &str, body: &Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = house.send(send_json(method, path, &cookie, &body)).await;
        (answer.status, house.console.host_calls())
    };
    let gamma = || "gamma".parse().unwrap();
    let new: model::NewHost = serde_json::from_value(rack()).unwrap();
    assert_eq!(new.login, login_of_rack());
    let mut renamed = rack();
    renamed["settings"]["name"] = json!("alpha");
    let change: model::NewHost = serde_json::from_value(renamed.clone()).unwrap();
    let (none, login) = (HostLogin::default(), login_of_rack());
    let typed = &rack()["login"];
    for (method, path, body, status, call) in [
        (Method::POST, "/api/hosts/test", &rack(), StatusCode::OK, HostCall::Test(new)),
        (Method::POST, "/api/hosts", &renamed, StatusCode::CREATED, HostCall::Add(change.clone())),
        (Method::PUT, "/api/hosts/gamma", &renamed, StatusCode::OK, HostCall::Change(gamma(), change)),
        (
            Method::POST,
            "/api/hosts/gamma/login",
            typed,
            StatusCode::NO_CONTENT,
            HostCall::LogIn(gamma(), login.clone()),
        ),
        (
            Method::POST,
            "/api/hosts/gamma/login",
            &Value::Null,
            StatusCode::NO_CONTENT,
            HostCall::LogIn(gamma(), none.clone()),
        ),
        (
            Method::POST,
            "/api/hosts/gamma/key",
            typed,
            StatusCode::NO_CONTENT,
            HostCall::SetUpKey(gamma(), login.clone()),
        ),
        (Method::DELETE, "/api/hosts/gamma/key", typed, StatusCode::NO_CONTENT, HostCall::RemoveKey(gamma(), login)),
        (
            Method::DELETE,
            "/api/hosts/gamma/key",
            &Value::Null,
            StatusCode::NO_CONTENT,
            HostCall::RemoveKey(gamma(), none),
        ),
        (Method::DELETE, "/api/hosts/gamma", &Value::Null, StatusCode::NO_CONTENT, HostCall::Remove(gamma())),
    ] {
        assert_eq!(send(method.clone(), path, body).await, (status, vec![call]), "{method} {path}");
    }
    let answer = house.send(post("/api/hosts", &cookie, &renamed)).await;
    assert_eq!(
        (answer.header("location"), answer.json()["settings"]["name"].as_str()),
        ("/api/hosts/alpha", Some("alpha"))
    );
    let test = house.send(post("/api/hosts/test", &cookie, &rack())).await.json();
    assert_eq!((&test["libvirt_version"], &test["vms"]), (&json!("11.3.0"), &json!(3)));
}

#[tokio::test]
async fn a_refusal_says_why_and_shows_the_key() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let problem = Problem::new(Code::HostKeyUnknown, "Its key is not known.").with_fingerprint(KNOWN_KEY);
    house.console.will_refuse(problem.clone());
    let answer = house.send(post("/api/hosts", &cookie, &rack())).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::CONFLICT, json!(problem)));
    house.console.will_refuse(Problem::new(Code::UnknownHost, "There is no such host."));
    for (method, path, body) in [
        (Method::PUT, "/api/hosts/gamma", rack().to_string()),
        (Method::DELETE, "/api/hosts/gamma", String::new()),
        (Method::POST, "/api/hosts/gamma/login", "{}".into()),
        (Method::POST, "/api/hosts/gamma/key", "{}".into()),
        (Method::DELETE, "/api/hosts/gamma/key", "{}".into()),
    ] {
        let answer = house.send(send_json(method.clone(), path, &cookie, &body)).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("unknown-host")),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_asked_of_nobody() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"settings": {}}"#,
        r#"{"settings": {"name": "a"}}"#,
        r#"{"settings": {"name": "-a", "transport": "ssh"}}"#,
        r#"{"settings": {"name": "a", "transport": "qemu+ssh://a/system"}}"#,
        r#"{"settings": {"name": "a", "transport": "ssh", "uri": "qemu+ssh://a/system"}}"#,
        r#"{"settings": {"name": "a", "transport": "ssh", "port": 65536}}"#,
        r#"{"settings": {"name": "a", "transport": "ssh", "port": -1}}"#,
        r#"{"settings": {"name": "a", "transport": "ssh", "login": "none"}}"#,
        r#"{"settings": {"name": "a", "transport": "ssh"}, "login": {"passwort": ""}}"#,
        r#"{"settings": {"name": "a", "transport": "ssh"}, "force": true}"#,
    ] {
        for (method, path) in
            [(Method::POST, "/api/hosts"), (Method::POST, "/api/hosts/test"), (Method::PUT, "/api/hosts/gamma")]
        {
            let answer = house.send(send_json(method, path, &cookie, body)).await;
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (StatusCode::BAD_REQUEST, Some("invalid-input")),
                "{path} {body}"
            );
        }
    }
    let form = request(Method::POST, "/api/hosts")
        .header(header::COOKIE, &cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(rack().to_string()))
        .unwrap();
    assert_eq!(house.send(form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for (method, path) in [
        (Method::POST, "/api/hosts/gamma"),
        (Method::PUT, "/api/hosts"),
        (Method::DELETE, "/api/hosts"),
        (Method::GET, "/api/hosts/gamma/login"),
        (Method::GET, "/api/hosts/gamma/key"),
    ] {
        let answer = house.send(send_json(method.clone(), path, &cookie, &rack().to_string())).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
    assert!(house.console.host_calls().is_empty());
}
