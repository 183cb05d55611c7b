//! Addresses where nothing is, and those that need no login.

use super::*;

#[tokio::test]
async fn health_is_for_everybody() {
    let house = House::new().await;
    let answer = house.send(get("/healthz", "")).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "ok\n"));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page = house.send(visit("/nothing/here", Some(&cookie), "none")).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.header("content-type").starts_with("text/html"));
    let answer = house.send(get("/nothing/here", &cookie)).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::NOT_FOUND, Some("not-found")));
    let answer = house.send(get("/plugins/kimchi/nothing", &cookie)).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::NOT_FOUND, Some("not-found")));
    assert!(answer.json()["reason"].is_string());
    let function = post("/_fn/app/vms/server_fns/nothing", &cookie, &json!({}));
    assert_eq!(house.send(function).await.json()["code"], "not-found");
    for path in ["/pkg/../Cargo.toml", "/pkg/%2e%2e/%2e%2e/Cargo.toml", "/..%2f..%2fCargo.toml"] {
        assert_ne!(house.send(get(path, &cookie)).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_told() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let cases = [
        (Method::DELETE, "/plugins/kimchi/vms/web/migrate"),
        (Method::PUT, "/plugins/kimchi/vms"),
        (Method::PATCH, "/plugins/kimchi/tasks/x"),
        (Method::DELETE, "/healthz"),
        (Method::GET, "/logout"),
        (Method::GET, "/_fn/app/migrations/server_fns/migrations_html"),
    ];
    for (method, path) in cases {
        let request = request(method, path).header(header::COOKIE, &cookie).body(Body::empty()).unwrap();
        let answer = house.send(request).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.json()["code"], "method-not-allowed");
    }
}

#[tokio::test]
async fn pages_are_compressed_for_who_can_read_it() {
    let house = House::new().await;
    for (accepted, encoding) in [("gzip, br", "br"), ("gzip", "gzip"), ("identity", "")] {
        let mut request = visit("/login", None, "none");
        request.headers_mut().insert("accept-encoding", accepted.parse().unwrap());
        assert_eq!(house.send(request).await.header("content-encoding"), encoding);
    }
}
