//! `/help`.

use super::*;

#[tokio::test]
async fn the_help_leads_to_the_documents() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page = house.send(get("/help", &cookie)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(concat!("vmferry ", env!("CARGO_PKG_VERSION"))), "{}", page.body);
    for document in ["findings", "api", "policies", "limits"] {
        assert!(page.body.contains(&format!("/help/{document}")), "{document}: {}", page.body);
        let answer = house.send(get(&format!("/help/{document}"), &cookie)).await;
        assert_eq!(answer.status, StatusCode::OK, "{document}");
    }
    let findings = house.send(get("/help/findings", &cookie)).await;
    assert!(findings.body.contains(r#"id="cpu""#), "{}", findings.body);
    assert_eq!(house.send(get("/help/%2e%2e", &cookie)).await.status, StatusCode::NOT_FOUND);
    for path in ["/", "/account"] {
        assert!(house.send(get(path, &cookie)).await.body.contains(r#"href="/help""#), "{path}");
    }
}
