//! Who gets in, and who is sent where.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn another_sites_name_is_not_answered() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let ask = async |path: &str, host: &str| {
        let request = Request::builder().uri(path).header(header::HOST, host).header(header::COOKIE, &cookie);
        house.send(request.body(Body::empty()).unwrap()).await.status
    };
    for path in ["/", "/login", "/plugins/kimchi/vms", "/api/hosts", "/ws", "/icon.svg"] {
        for host in ["evil.example", "127.0.0.1.evil.example:8080", "a b", "evil.example@127.0.0.1"] {
            assert_eq!(ask(path, host).await, StatusCode::MISDIRECTED_REQUEST, "{path} of {host}");
        }
        for host in ["127.0.0.1:8080", "[::1]:8080", "localhost:8080"] {
            assert_ne!(ask(path, host).await, StatusCode::MISDIRECTED_REQUEST, "{path} of {host}");
        }
    }
    assert_eq!(ask("/healthz", "evil.example").await, StatusCode::OK, "a program that watches it");

    let absolute = Request::builder().uri("http://evil.example/login").header(header::HOST, "127.0.0.1:8080");
    let answer = house.send(absolute.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST);

    // A proxy asks for whatever it likes.
    let site = Site {
        https: true,
        public_url: Some("https://vmferry.example.org".parse().unwrap()),
        proxy: Some("127.0.0.1".parse().unwrap()),
        ..Site::default()
    };
    let house = House::of(site, SessionLimits::default()).await;
    let request = Request::builder().uri("/login").header(header::HOST, "backend").body(Body::empty()).unwrap();
    assert_eq!(house.send(request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_session_there_is_nothing() {
    let house = House::new().await;
    let paths = [
        "/plugins/kimchi/vms",
        "/plugins/kimchi/vms/web",
        "/plugins/kimchi/vms/web/migrate",
        "/plugins/kimchi/tasks",
        "/plugins/kimchi/tasks/x",
        "/plugins/kimchi/nothing",
        "/api/hosts",
        "/api/hosts/alpha",
        "/api/hosts/test",
        "/api/nothing",
        "/ws",
        "/hosts",
        "/nothing",
    ];
    for path in paths {
        for cookie in ["", "vmferry=nonsense", "vmferry=AAAAAAAAAAAAAAAAAAAAAA"] {
            let answer = house.send(get(path, cookie)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            let code = if path.starts_with("/plugins") { "WOKAUTH0002E" } else { "unauthenticated" };
            assert_eq!(answer.json()["code"], code, "{path}");
        }
    }
    let migrate = post("/plugins/kimchi/vms/web/migrate", "", &json!({ "destination": "beta" }));
    assert_eq!(house.send(migrate).await.status, StatusCode::UNAUTHORIZED);
    let function = request(Method::POST, "/_fn/app/migrations/server_fns/migrations_html").body(Body::empty()).unwrap();
    assert_eq!(house.send(function).await.status, StatusCode::UNAUTHORIZED);
    assert!(house.console.migrations().is_empty());
}

#[tokio::test]
async fn a_browser_is_sent_to_the_login() {
    let house = House::new().await;
    let answer = house.send(visit("/migrations?before=a&x=y", None, "none")).await;
    let expected = "/login?next=/migrations%3Fbefore%3Da%26x%3Dy";
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, expected));
    assert_eq!(answer.body, "");
    let answer = house.send(visit("/login", None, "none")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("<form"), "{}", answer.body);
}

#[tokio::test]
async fn who_is_logged_in_needs_no_login() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for (path, expected) in [("/login", "/"), ("/login?next=/hosts", "/hosts"), ("/login?next=//evil.example", "/")] {
        let answer = house.send(visit(path, Some(&cookie), "none")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, expected));
    }
    let answer = house.send(visit("/", Some(&cookie), "none")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("web"), "{}", answer.body);
}

#[tokio::test]
async fn who_comes_by_a_link_from_elsewhere_lands_on_the_page() {
    let house = House::new().await;
    let answer = house.send(visit("/migrations?a=1&b=%22%3E", None, "cross-site")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains(r#"content="0;url=/migrations?a=1&amp;b=%22%3E""#), "{}", answer.body);
    assert!(!answer.body.contains("<script"), "it works under our own policy");
    // The browser asks again, as from a page of ours.
    let cookie = house.cookie().await;
    assert_eq!(house.send(visit("/migrations", Some(&cookie), "same-origin")).await.status, StatusCode::OK);
    assert_eq!(house.send(visit("/migrations", None, "same-origin")).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn no_link_from_elsewhere_leads_elsewhere() {
    let house = House::new().await;
    for path in ["//evil.example/x", "/\\evil.example/x"] {
        let answer = house.send(visit(path, None, "cross-site")).await;
        assert!(answer.body.contains(r#"content="0;url=/""#), "{}", answer.body);
        assert!(!answer.body.contains("evil"), "{}", answer.body);
        let answer = house.send(visit(path, None, "none")).await;
        assert_eq!(answer.header("location"), "/login?next=/");
    }
}

#[tokio::test]
async fn another_sites_page_changes_nothing() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let marks: [&[(&str, &str)]; 5] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://127.0.0.1:8081")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:8080")],
    ];
    let requests = [
        (Method::POST, "/api/hosts"),
        (Method::POST, "/api/hosts/test"),
        (Method::PUT, "/api/hosts/gamma"),
        (Method::DELETE, "/api/hosts/gamma"),
        (Method::POST, "/api/hosts/gamma/login"),
        (Method::POST, "/api/hosts/gamma/key"),
        (Method::DELETE, "/api/hosts/gamma/key"),
        (Method::POST, "/plugins/kimchi/vms/web/migrate"),
        (Method::DELETE, "/plugins/kimchi/tasks/x"),
        (Method::POST, "/login"),
        (Method::POST, "/logout"),
        (Method::POST, "/_fn/app/vms/server_fns/act"),
    ];
    for (method, path) in requests {
        for marks in marks {
            let mut request = request(method.clone(), path)
                .header(header::COOKIE, &cookie)
                .header(header::CONTENT_TYPE, "application/json");
            for (name, value) in marks {
                request = request.header(*name, *value);
            }
            let body = Body::from(r#"{"destination": "beta"}"#);
            let answer = house.send(request.body(body).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {marks:?}");
            assert_eq!(answer.json()["code"], "foreign-origin");
        }
    }
    assert!(house.console.migrations().is_empty() && house.console.host_calls().is_empty());
    assert_eq!(house.send(get("/plugins/kimchi/vms", &cookie)).await.status, StatusCode::OK, "no session was ended");
    let mut own = post("/plugins/kimchi/vms/web/migrate", &cookie, &json!({ "destination": "beta" }));
    own.headers_mut().insert("origin", "http://127.0.0.1:8080".parse().unwrap());
    assert_eq!(house.send(own).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let over = SessionLimits { idle: Duration::ZERO, absolute: Duration::from_hours(1) };
    let house = House::of(Site::default(), over).await;
    let cookie = house.cookie().await;
    assert_eq!(house.send(get("/plugins/kimchi/vms", &cookie)).await.status, StatusCode::UNAUTHORIZED);
    let over = SessionLimits { idle: Duration::from_hours(1), absolute: Duration::ZERO };
    let house = House::of(Site::default(), over).await;
    let cookie = house.cookie().await;
    assert_eq!(house.send(get("/plugins/kimchi/vms", &cookie)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_user_who_is_removed_is_out() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.auth.remove_user("ada").await.unwrap();
    assert_eq!(house.send(get("/plugins/kimchi/vms", &cookie)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let house = House::new().await;
    let (one, other) = (house.cookie().await, house.cookie().await);
    let change = |current: &str, new: &str| {
        request(Method::POST, "/_fn/app/account/server_fns/change_password")
            .header(header::COOKIE, &one)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("current={current}&new={new}")))
            .unwrap()
    };
    let current = PASSWORD.replace(' ', "+");
    let answer = house.send(change("wrong", "an+even+longer+one")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    assert_eq!(house.send(change(&current, "password1")).await.json()["code"], "weak-password");
    let answer = house.send(change(&current, "an+even+longer+one")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(house.send(get("/plugins/kimchi/vms", &one)).await.status, StatusCode::OK);
    assert_eq!(house.send(get("/plugins/kimchi/vms", &other)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.send(login("ada", "an even longer one")).await.status, StatusCode::OK);
}
