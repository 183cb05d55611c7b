//! `/api/vms`, and the pages of a VM.

use super::*;

const WEB: &str = "00000000-0000-0000-0000-000000000001";
const UNKNOWN: &str = "00000000-0000-0000-0000-0000000000ff";

#[tokio::test]
async fn a_vm_is_told_with_what_its_host_says_of_it() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let shown = house.send(get(&format!("/api/vms/{WEB}"), &cookie)).await.json();
    assert_eq!((&shown["uuid"], &shown["name"], &shown["host"]), (&json!(WEB), &json!("web"), &json!("alpha")));
    assert_eq!((&shown["state"], &shown["vcpus"], &shown["guest"]), (&json!("running"), &json!(1), &Value::Null));
    assert_eq!(shown["disks"][0]["capacity_bytes"], json!(10_u64 << 30));
    assert_eq!(house.send(get(&format!("/api/vms/{WEB}/usage"), &cookie)).await.json(), json!([]));
    let xml = house.send(get(&format!("/api/vms/{WEB}/xml"), &cookie)).await;
    assert_eq!(xml.headers[header::CONTENT_TYPE], "application/xml");
    assert!(xml.body.starts_with("<domain>"), "{}", xml.body);
    for id in ["x", UNKNOWN, "a%2Fb"] {
        for part in ["", "/xml", "/usage"] {
            let answer = house.send(get(&format!("/api/vms/{id}{part}"), &cookie)).await;
            let found = (answer.status, answer.json()["code"].clone());
            assert_eq!(found, (StatusCode::NOT_FOUND, json!("unknown-vm")), "{id}{part}");
        }
    }
}

#[tokio::test]
async fn the_page_of_a_vm_needs_no_scripts() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page = house.send(get(&format!("/vms/{WEB}"), &cookie)).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "<h1>web",
        "disk, qcow2, 10 GiB, 1 GiB used",
        "52:54:00:00:00:01",
        "/vms/00000000-0000-0000-0000-000000000001/migrate",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    for id in ["x", UNKNOWN] {
        assert_eq!(house.send(get(&format!("/vms/{id}"), &cookie)).await.status, StatusCode::NOT_FOUND);
        assert_eq!(house.send(get(&format!("/vms/{id}/xml"), &cookie)).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_definition_is_text_on_its_page() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page = house.send(get(&format!("/vms/{WEB}/xml"), &cookie)).await;
    assert!(page.body.contains("&lt;domain&gt;&lt;name&gt;web&lt;/name&gt;"), "{}", page.body);
    assert!(!page.body.contains("<domain>"), "{}", page.body);
}

#[tokio::test]
async fn a_search_is_completed_in_the_page() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page = house.send(get("/", &cookie)).await;
    assert!(
        page.body.contains(r#"<option value="host:">"#) && page.body.contains(r#"list="completions""#),
        "{}",
        page.body
    );
    let page = house.send(get("/?q=web+host%3Aa", &cookie)).await;
    assert!(page.body.contains(r#"<option value="web host:alpha">"#), "{}", page.body);
    let page = house.send(get("/?q=tag%3A", &cookie)).await;
    assert!(page.body.contains(r#"<option value="tag:&lt;web&gt;">"#), "{}", page.body);
}
