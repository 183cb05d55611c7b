//! What answers say to browsers.

use super::*;

fn nonce(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy");
    policy
        .split("'nonce-")
        .nth(1)
        .and_then(|rest| rest.split('\'').next())
        .unwrap_or_else(|| panic!("{policy}"))
        .to_owned()
}

#[tokio::test]
async fn pages_run_only_our_scripts() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let answer = house.send(visit("/", Some(&cookie), "none")).await;
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "'strict-dynamic' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "connect-src 'self' ws://127.0.0.1:8080",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe-inline"));
    assert!(!answer.body.contains("style=\""), "the policy forbids it: {}", answer.body);
    // Every script has the nonce that the header names.
    let nonce = nonce(&answer);
    let with_nonce = answer.body.matches(&format!("nonce=\"{nonce}\"")).count();
    assert!(answer.body.matches("<script").count() > 0);
    assert!(with_nonce >= answer.body.matches("<script").count(), "{}", answer.body);
    assert_ne!(nonce, self::nonce(&house.send(visit("/", Some(&cookie), "none")).await), "each page has its own");
}

#[tokio::test]
async fn every_answer_has_the_others() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let answers = [
        house.send(visit("/login", None, "none")).await,
        house.send(visit("/", Some(&cookie), "none")).await,
        house.send(get("/plugins/kimchi/vms", &cookie)).await,
        house.send(get("/plugins/kimchi/vms", "")).await,
    ];
    for answer in answers {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("permissions-policy").contains("camera=()"));
        assert!(!answer.headers.contains_key("strict-transport-security"), "it speaks HTTP");
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")));
    }
}

#[tokio::test]
async fn behind_a_proxy_the_public_address_counts() {
    let site = Site {
        https: true,
        public_url: Some("https://vmferry.example.org".parse().unwrap()),
        proxy: Some("127.0.0.1".parse().unwrap()),
        ..Site::default()
    };
    let house = House::of(site, SessionLimits::default()).await;
    let answer = house.send(visit("/login", None, "none")).await;
    assert!(answer.header("content-security-policy").contains("connect-src 'self' wss://vmferry.example.org;"));
    assert!(answer.header("strict-transport-security").starts_with("max-age="));
    let mut own = login("ada", PASSWORD);
    own.headers_mut().insert("origin", "https://vmferry.example.org".parse().unwrap());
    assert_eq!(house.send(own).await.status, StatusCode::OK);
    // No request gets round the proxy, and with it round HTTPS; monitoring may ask whether the console works.
    let answer = house.send_from("192.0.2.66:1", login("ada", PASSWORD)).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (StatusCode::FORBIDDEN, ""));
    assert_eq!(house.send_from("192.0.2.66:1", visit("/login", None, "none")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.send_from("192.0.2.66:1", get("/healthz", "")).await.status, StatusCode::OK);
    // The throttle counts the clients, not the proxy.
    let guess = |client: &str, name: &str| {
        let mut guess = login(name, "a guess");
        guess.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
        guess
    };
    for number in 0..10 {
        house.send(guess("192.0.2.1", &format!("user{number}"))).await;
    }
    assert_eq!(house.send(guess("192.0.2.1", "user")).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.send(guess("192.0.2.2", "other")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_hostile_host_does_not_get_into_the_policy() {
    let house = House::new().await;
    let request = Request::builder().uri("/login").header(header::HOST, "a; script-src *").body(Body::empty()).unwrap();
    let answer = house.send(request).await;
    assert!(answer.header("content-security-policy").contains("connect-src 'self';"));
}
