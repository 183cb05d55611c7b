//! `/login` and `/logout`.

use super::*;

fn form(body: &str) -> Request<Body> {
    request(Method::POST, "/login")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test]
async fn a_program_logs_in_as_with_wok() {
    let house = House::new().await;
    let answer = house.send(login("ada", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), json!({ "username": "ada", "groups": [], "role": "admin" }));
    let answer = house.send(get("/plugins/kimchi/vms", &answer.cookie())).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn the_cookie_is_as_strict_as_browsers_allow() {
    for (https, name) in [(true, "__Host-vmferry="), (false, "vmferry=")] {
        let house = House::of(Site { https, ..Site::default() }, SessionLimits::default()).await;
        let answer = house.send(login("ada", PASSWORD)).await;
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with(name), "{cookie}");
        for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        // WebKit keeps no secure cookie of a console that speaks plain HTTP on the browser's own machine.
        assert_eq!(cookie.contains("; Secure"), https, "{cookie}");
        assert!(!cookie.contains("Domain") && !cookie.contains("Max-Age"), "{cookie}");
        let removed = house.send(post("/logout", &answer.cookie(), &json!({}))).await;
        let removed: Vec<&str> =
            removed.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
        let is_removal = |cookie: &&str| {
            cookie.starts_with(&format!("{name};"))
                && cookie.contains("Max-Age=0")
                && cookie.contains("Secure") == https
        };
        assert!(removed.iter().any(is_removal), "{removed:?}");
    }
}

#[tokio::test]
async fn the_other_kind_of_cookie_is_no_session() {
    let house = House::of(Site { https: true, ..Site::default() }, SessionLimits::default()).await;
    let plain = house.cookie().await.replace("__Host-", "");
    assert_eq!(house.send(get("/plugins/kimchi/vms", &plain)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_login_without_its_cookie_says_why() {
    let house = House::new().await;
    let answer = house.send(form("username=ada&password=a+long+test+password&next=%2Fhosts")).await;
    let location = answer.header("location").to_owned();
    let kept = house.send(visit(&location, Some(&answer.cookie()), "same-origin")).await;
    assert_eq!((kept.status, kept.header("location")), (StatusCode::SEE_OTHER, "/hosts"));
    let lost = house.send(visit(&location, None, "same-origin")).await;
    assert_eq!(lost.status, StatusCode::OK);
    assert!(lost.body.contains("did not keep the session"), "{}", lost.body);
    assert!(lost.body.contains(r#"value="/hosts""#), "{}", lost.body);
    let first = house.send(visit("/login?next=/hosts", None, "none")).await;
    assert!(!first.body.contains("did not keep the session"), "{}", first.body);
}

#[tokio::test]
async fn whoever_is_wrong_learns_nothing() {
    let house = House::new().await;
    let wrong = house.send(login("ada", "another password")).await;
    let unknown = house.send(login("eve", "another password")).await;
    for answer in [&wrong, &unknown] {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(wrong.json()["code"], "WOKAUTH0008E");
}

#[tokio::test]
async fn what_is_no_login_is_refused() {
    let house = House::new().await;
    let bodies =
        [json!({}), json!({ "username": "ada" }), json!({ "username": 1, "password": true }), json!([]), json!("ada")];
    for body in bodies {
        let answer = house.send(post("/login", "", &body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(answer.json()["reason"].is_string());
    }
    let not_json =
        request(Method::POST, "/login").header(header::CONTENT_TYPE, "text/plain").body(Body::from("x")).unwrap();
    assert_eq!(house.send(not_json).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(house.send(form("username=ada")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn every_login_gets_a_session_of_its_own() {
    let house = House::new().await;
    let first = house.cookie().await;
    let request = post("/login", &first, &json!({ "username": "ada", "password": PASSWORD }));
    let second = house.send(request).await.cookie();
    assert_ne!(first, second);
    assert_eq!(
        house.send(get("/plugins/kimchi/vms", &first)).await.status,
        StatusCode::UNAUTHORIZED,
        "it was replaced"
    );
    assert_eq!(house.send(get("/plugins/kimchi/vms", &second)).await.status, StatusCode::OK);

    // An id that another party has put there is not taken over.
    let planted = "vmferry=AAAAAAAAAAAAAAAAAAAAAA";
    let request = post("/login", planted, &json!({ "username": "ada", "password": PASSWORD }));
    assert_ne!(house.send(request).await.cookie(), planted);
    assert_eq!(house.send(get("/plugins/kimchi/vms", planted)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_form_leads_on() {
    let house = House::new().await;
    let cases = [
        ("", "/"),
        ("&next=%2Fhosts", "/hosts"),
        ("&next=%2Fmigrations%3Fbefore%3D1", "/migrations?before=1"),
        ("&next=%2F%2Fevil.example", "/"),
        ("&next=https%3A%2F%2Fevil.example", "/"),
        ("&next=%2F%5Cevil.example", "/"),
        ("&next=%2Fa%0D%0ASet-Cookie%3A+x", "/"),
    ];
    for (next, expected) in cases {
        let answer = house.send(form(&format!("username=ada&password=a+long+test+password{next}"))).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{next}");
        let answer = house.send(visit(answer.header("location"), Some(&answer.cookie()), "same-origin")).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, expected), "{next}");
    }
}

#[tokio::test]
async fn a_wrong_form_comes_back() {
    let house = House::new().await;
    let answer = house.send(form("username=ada&password=wrong&next=%2Fhosts")).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!answer.headers.contains_key("location"), "the name is in no address");
    for part in [r#"value="ada""#, r#"value="/hosts""#, r#"aria-invalid="true""#, "User name or password is wrong."] {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
    assert!(!answer.body.contains(r#"value="wrong""#), "{}", answer.body);
}

#[tokio::test]
async fn guessing_gets_slow_but_nobody_is_locked_out_for_good() {
    let house = House::new().await;
    for _ in 0..3 {
        assert_eq!(house.send(login("ada", "a guess")).await.status, StatusCode::UNAUTHORIZED);
    }
    // Even the right password has to wait now, from wherever she has not been before.
    let answer = house.send_from("127.0.0.9:1", login("ada", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.json()["code"], "WOKAUTH0004E");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let page = house.send(form("username=ada&password=x")).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.body.contains("Too many failed attempts. Wait "), "{}", page.body);
    // Others may log in.
    house.auth.add_user("grace", PASSWORD.into()).await.unwrap();
    assert_eq!(house.send(login("grace", PASSWORD)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_has_logged_in_from_here_does_not_wait_for_those_who_guess_elsewhere() {
    let house = House::new().await;
    assert_eq!(house.send(login("ada", PASSWORD)).await.status, StatusCode::OK);
    for number in 0..3 {
        let answer = house.send_from(&format!("192.0.2.{number}:1"), login("ada", "a guess")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let stranger = house.send_from("192.0.2.9:1", login("ada", "a guess")).await;
    assert_eq!(stranger.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.send(login("ada", PASSWORD)).await.status, StatusCode::OK);
    // Her login is no reason to let the others go on.
    let stranger = house.send_from("192.0.2.9:1", login("ada", "a guess")).await;
    assert_eq!(stranger.status, StatusCode::TOO_MANY_REQUESTS);
    // Guesses from where she is are slow as well.
    for _ in 0..3 {
        assert_eq!(house.send(login("ada", "a guess")).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(house.send(login("ada", "a guess")).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn guessing_at_many_accounts_gets_slow_too() {
    let house = House::new().await;
    for number in 0..10 {
        let answer = house.send(login(&format!("user{number}"), "a guess")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(house.send(login("user10", "a guess")).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(house.send_from("127.0.0.9:1", login("ada", PASSWORD)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn many_guesses_at_once_get_no_further() {
    let house = House::new().await;
    let guesses = (0..12).map(|number| house.send(login("ada", if number == 11 { PASSWORD } else { "a guess" })));
    let answers = futures::future::join_all(guesses).await;
    let tried = answers.iter().filter(|answer| answer.status != StatusCode::TOO_MANY_REQUESTS).count();
    assert!(tried <= 4, "{tried} guesses were tried");
}

#[tokio::test]
async fn logging_out_ends_the_session() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let answer = house.send(post("/logout", &cookie, &json!({}))).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("clear-site-data"), r#""cache", "storage""#);
    assert_eq!(house.send(get("/plugins/kimchi/vms", &cookie)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.send(post("/logout", &cookie, &json!({}))).await.status, StatusCode::OK, "it is done already");
    let form = request(Method::POST, "/logout")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::empty())
        .unwrap();
    let answer = house.send(form).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/login"));
}
