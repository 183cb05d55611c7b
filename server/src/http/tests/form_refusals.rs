//! Refusals of forms that were sent without scripts: the next page tells them, in the console's words.

use base64::{Engine, prelude::BASE64_URL_SAFE};
use percent_encoding::percent_decode_str;

use super::*;

const CHANGE_PASSWORD: &str = "/_fn/app/account/server_fns/change_password";

fn address(error: &Value) -> String {
    format!("/account?__path={CHANGE_PASSWORD}&__err={}", BASE64_URL_SAFE.encode(error.to_string()).replace('=', "%3D"))
}

/// The form as a browser without scripts sends it.
fn change_password(cookie: &str, current: &str) -> Request<Body> {
    request(Method::POST, CHANGE_PASSWORD)
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::REFERER, "http://127.0.0.1:8080/account")
        .body(Body::from(format!("current={}&new=a+new+test+password", current.replace(' ', "+"))))
        .unwrap()
}

#[tokio::test]
async fn nobody_elses_words_are_shown_as_ours() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let theirs = address(&json!({
        "code": "wrong-credentials",
        "sentence": "Your account is locked.",
        "fix": "Call 555-0100 and read your password to us.",
    }));
    let with_details = address(&json!({ "code": "wrong-credentials", "details": "Call 555-0100." }));
    for hostile in [
        theirs.clone(),
        theirs.replace("__err", "%5f_err").replace("__path", "_%5Fpath"),
        format!("{}&{}", address(&json!({ "code": "wrong-credentials" })), theirs.split_once('?').unwrap().1),
        with_details,
        address(&json!("Call 555-0100.")),
        format!("/account?__path={CHANGE_PASSWORD}&__err=Call+555-0100"),
    ] {
        let answer = house.send(visit(&hostile, Some(&cookie), "none")).await;
        assert!(!answer.body.contains("555-0100"), "{hostile}: {}", answer.body);
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/account"), "{hostile}");
    }
    // What else is in the address stays.
    let answer = house.send(visit(&format!("{theirs}&changed=true"), Some(&cookie), "none")).await;
    assert_eq!(answer.header("location"), "/account?changed=true");
}

#[tokio::test]
async fn only_the_code_travels() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let answer = house.send(change_password(&cookie, "wrong")).await;
    let page = answer.header("location");
    let error = page.rsplit_once("__err=").unwrap().1;
    let error = BASE64_URL_SAFE.decode(percent_decode_str(error).collect::<Vec<u8>>()).unwrap();
    assert_eq!(String::from_utf8(error).unwrap(), r#"{"code":"wrong-credentials"}"#);
    let page = house.send(visit(page, Some(&cookie), "same-origin")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("The password is wrong."), "{}", page.body);
}

#[tokio::test]
async fn no_link_says_that_the_password_was_changed() {
    let house = House::new().await;
    let (cookie, other) = (house.cookie().await, house.cookie().await);
    let changed = "Password changed.";
    for page in ["/account?changed=true", "/account?changed", "/account?changed="] {
        let page = house.send(visit(page, Some(&cookie), "none")).await;
        assert!(page.status == StatusCode::OK && !page.body.contains(changed), "{}", page.body);
    }
    let answer = house.send(change_password(&cookie, PASSWORD)).await;
    let page = answer.header("location");
    let shown = house.send(visit(page, Some(&cookie), "same-origin")).await;
    assert!(shown.body.contains(changed), "{page}: {}", shown.body);
    assert_eq!(house.send(get(page, &other)).await.status, StatusCode::UNAUTHORIZED, "the other session has ended");
}
