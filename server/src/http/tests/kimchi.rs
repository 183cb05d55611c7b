//! Kimchi's API, with everything a program could do wrong.

use futures::stream;
use model::{Finding, FindingCode, Migration, Phase, examples};

use super::*;

const MIGRATE: &str = "/plugins/kimchi/vms/web/migrate";

#[tokio::test]
async fn a_vm_is_asked_to_move_and_the_task_followed() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for body in [
        json!({ "destination": "beta" }),
        json!({ "remote_host": "127.0.0.3" }),
        json!({ "destination": "beta", "remote_host": "beta", "enable_rdma": false }),
    ] {
        let answer = house.send(post(MIGRATE, &cookie, &body)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        let task = answer.json();
        assert_eq!(task["status"], "running");
        assert_eq!(task["target_uri"], MIGRATE);
        assert_eq!(task["message"], "Copying memory, 42 %");
        assert_eq!(task["encrypted"], false);
        let path = format!("/plugins/kimchi/tasks/{}", task["id"].as_str().unwrap());
        assert_eq!(house.send(get(&path, &cookie)).await.json(), task);
    }
    let begun = house.console.migrations().clone();
    assert_eq!(begun.len(), 3);
    assert!(begun.iter().all(|migration| migration.requested_by == "ada" && migration.destination.as_str() == "beta"));
}

#[tokio::test]
async fn the_whole_record_is_told_with_its_history() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let task = house.send(post(MIGRATE, &cookie, &json!({ "destination": "beta" }))).await.json();
    let path = |id: &str| format!("/api/migrations/{id}");
    let answer = house.send(get(&path(task["id"].as_str().unwrap()), &cookie)).await;
    let record: Migration = serde_json::from_value(answer.json()["migration"].clone()).unwrap();
    assert_eq!((answer.status, &record), (StatusCode::OK, &house.console.migrations()[0]));
    assert!(answer.json()["history"].is_array());
    for id in ["x", "0190c7a0-0000-7000-8000-000000000000"] {
        let answer = house.send(get(&path(id), &cookie)).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::NOT_FOUND, Some("unknown-migration")));
    }
}

#[tokio::test]
async fn a_task_is_cancelled_once() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let task = house.send(post(MIGRATE, &cookie, &json!({ "destination": "beta" }))).await.json();
    let path = format!("/plugins/kimchi/tasks/{}", task["id"].as_str().unwrap());
    let delete = || request(Method::DELETE, &path).header(header::COOKIE, &cookie).body(Body::empty()).unwrap();
    let answer = house.send(delete()).await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (StatusCode::ACCEPTED, Some("killed")));
    let answer = house.send(delete()).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::CONFLICT, Some("already-ended")));
    let list = |query: &str| get(&format!("/plugins/kimchi/tasks{query}"), &cookie);
    for (query, count) in
        [("", 1), ("?status=killed", 1), ("?status=running", 0), ("?target_uri=vms/web", 1), ("?target_uri=vms/db", 0)]
    {
        assert_eq!(house.send(list(query)).await.json().as_array().unwrap().len(), count, "{query}");
    }
    assert_eq!(house.send(list("?status=dreaming")).await.status, StatusCode::BAD_REQUEST);
    for id in ["x", "0190c7a0-0000-7000-8000-000000000000", "%00", "a%2Fb"] {
        let answer = house.send(get(&format!("/plugins/kimchi/tasks/{id}"), &cookie)).await;
        assert!(matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST), "{id}");
        assert!(answer.json()["reason"].is_string());
    }
}

#[tokio::test]
async fn tasks_are_found_however_many_came_after_them() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let task =
        |number, vm_name: &str, phase| Migration { vm_name: vm_name.to_owned(), phase, ..examples::migration(number) };
    let later = (1..=1_200).rev().map(|number| task(number, "web-2", Phase::Succeeded));
    house.console.migrations().extend(later.chain([task(0, "web", Phase::NeedsAttention)]));
    for (query, count) in [
        ("", 1_000),
        ("?status=finished", 1_000),
        ("?status=failed", 1),
        ("?status=running", 0),
        ("?target_uri=/plugins/kimchi/vms/web/migrate", 1),
        ("?target_uri=vms/web/&status=failed", 1),
        ("?target_uri=vms/web/&status=finished", 0),
        ("?target_uri=vms/we%62/", 1),
        ("?target_uri=vms/we%2562/", 0),
        ("?target_uri=vms/web", 1_000),
    ] {
        let answer = house.send(get(&format!("/plugins/kimchi/tasks{query}"), &cookie)).await;
        assert_eq!(answer.json().as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn vms_are_listed() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let all = house.send(get("/plugins/kimchi/vms", &cookie)).await.json();
    assert_eq!(all.as_array().unwrap().len(), 5);
    let web = &all[0];
    assert_eq!((&web["name"], &web["state"], &web["host"]), (&json!("web"), &json!("running"), &json!("alpha")));
    assert_eq!((&web["memory"]["current"], &web["cpu_info"]["vcpus"]), (&json!(64), &json!(1)));
    assert_eq!(house.send(get("/plugins/kimchi/vms/web", &cookie)).await.json(), *web);
    let there = house.send(get("/plugins/kimchi/vms?host=beta", &cookie)).await.json();
    assert_eq!(there.as_array().unwrap().len(), 1);
    assert_eq!(house.send(get("/plugins/kimchi/vms?host=A%20B", &cookie)).await.status, StatusCode::BAD_REQUEST);
    for (name, expected) in [("two%20words", "two words"), ("gr%C3%B6%C3%9Fe", "größe")] {
        assert_eq!(house.send(get(&format!("/plugins/kimchi/vms/{name}"), &cookie)).await.json()["name"], expected);
    }
}

#[tokio::test]
async fn twins_are_told_apart_by_their_host() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let path = "/plugins/kimchi/vms/twin/migrate";
    let answer = house.send(post(path, &cookie, &json!({ "destination": "beta" }))).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::CONFLICT, Some("ambiguous-name")));
    assert!(answer.json()["reason"].as_str().unwrap().contains("alpha, beta"));
    assert_eq!(house.send(get("/plugins/kimchi/vms/twin?host=beta", &cookie)).await.json()["host"], "beta");
    let answer = house.send(post(&format!("{path}?host=alpha"), &cookie, &json!({ "destination": "beta" }))).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn bodies_that_make_no_sense_change_nothing() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let cases = [
        ("", "WOKAPI0006E"),
        ("{", "WOKAPI0006E"),
        ("destination=beta", "WOKAPI0006E"),
        ("\u{0}", "WOKAPI0006E"),
        ("[]", "invalid-input"),
        ("null", "invalid-input"),
        ("\"beta\"", "invalid-input"),
        ("{}", "KCHVM0060E"),
        (r#"{"destination": ""}"#, "KCHVM0060E"),
        (r#"{"destination": 7}"#, "KCHVM0060E"),
        (r#"{"destination": null}"#, "KCHVM0060E"),
        (r#"{"destination": ["beta"]}"#, "KCHVM0060E"),
        (r#"{"remote_host": {}}"#, "KCHVM0060E"),
        (r#"{"destination": "beta", "remote_host": "alpha"}"#, "invalid-input"),
        (r#"{"destination": "beta", "user": 1}"#, "KCHVM0059E"),
        (r#"{"destination": "beta", "user": ""}"#, "KCHVM0059E"),
        (r#"{"destination": "beta", "password": false}"#, "KCHVM0069E"),
        (r#"{"destination": "beta", "enable_rdma": "yes"}"#, "KCHVM0091E"),
        (r#"{"destination": "beta", "fingerprint": 7}"#, "invalid-input"),
        (r#"{"destination": "beta", "port": "22"}"#, "invalid-input"),
        (r#"{"destination": "beta", "port": 65536}"#, "invalid-input"),
        (r#"{"destination": "beta", "register": 1}"#, "invalid-input"),
        (r#"{"destination": "beta", "register": "A b"}"#, "invalid-input"),
        (r#"{"destination": "::", "register": true}"#, "invalid-input"),
        (r#"{"destination": "beta", "way": "sneaker-net"}"#, "invalid-input"),
        (r#"{"destination": "beta", "encrypt": "no"}"#, "invalid-input"),
        (r#"{"destination": "beta", "force": true}"#, "invalid-input"),
        (r#"{"destination": "beta", "accept": "cpu"}"#, "invalid-input"),
        (r#"{"destination": "beta", "accept": ["no-such-finding"]}"#, "invalid-input"),
        (r#"{"destination": "beta", "accept": [7]}"#, "invalid-input"),
        (r#"{"destination": "beta", "name": ["web2"]}"#, "invalid-input"),
        (r#"{"destination": "beta", "pools": "images"}"#, "invalid-input"),
        (r#"{"destination": "beta", "pools": {"vda": 1}}"#, "invalid-input"),
        (r#"{"destination": "beta", "eject_media": "yes"}"#, "invalid-input"),
        (r#"{"destination": "beta", "remove_source_disks": 1}"#, "invalid-input"),
        (r#"{"destination": "beta", "keep_source_definition": null}"#, "invalid-input"),
        (r#"{"destination": "beta", "bandwidth_mib_s": "8"}"#, "invalid-input"),
        (r#"{"destination": "beta", "bandwidth_mib_s": -1}"#, "invalid-input"),
        (r#"{"destination": "beta", "bandwidth_mib_s": 8.5}"#, "invalid-input"),
        (r#"{"destination": "beta", "policy": "reckless"}"#, "invalid-input"),
        (r#"{"destination": "beta", "policy": ""}"#, "invalid-input"),
        (r#"{"destination": "beta", "policy": 1}"#, "invalid-input"),
        (r#"{"destination": "beta", "longest_pause_ms": "300"}"#, "invalid-input"),
        (r#"{"destination": "beta", "longest_pause_ms": -1}"#, "invalid-input"),
        (r#"{"destination": "beta", "longest_pause_ms": 0.5}"#, "invalid-input"),
        (r#"{"destination": "beta", "budget_s": 4294967296}"#, "invalid-input"),
        (r#"{"destination": "beta", "budget_s": [60]}"#, "invalid-input"),
        (r#"{"destination": "127.0.0.1"}"#, "KCHVM0055E"),
        (r#"{"destination": "localhost"}"#, "KCHVM0055E"),
        (r#"{"destination": "alpha"}"#, "KCHVM0055E"),
    ];
    for (body, code) in cases {
        let request = request(Method::POST, MIGRATE)
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .body(Body::from(body))
            .unwrap();
        let answer = house.send(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.body);
        assert_eq!(answer.json()["code"], code, "{body}");
        assert!(answer.json()["reason"].as_str().unwrap().starts_with(&format!("{code}: ")), "{body}");
        assert!(!answer.header("content-type").is_empty());
    }
    assert!(house.console.migrations().is_empty());
}

#[tokio::test]
async fn everything_that_can_be_chosen_arrives() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let body = json!({
        "destination": "beta",
        "accept": ["nvram"],
        "name": "web2",
        "pools": { "vda": "images", "vdb": "fast" },
        "eject_media": true,
        "remove_source_disks": true,
        "keep_source_definition": true,
        "bandwidth_mib_s": 8,
        "way": "direct",
        "encrypt": false,
        "enable_rdma": true,
        "policy": "certain",
        "longest_pause_ms": 2_000_000,
        "budget_s": 60,
    });
    let answer = house.send(post(MIGRATE, &cookie, &body)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    let options = serde_json::to_value(&house.console.migrations()[0].options).unwrap();
    assert_eq!(
        options,
        json!({
            "new_name": "web2",
            "pools": { "vda": "images", "vdb": "fast" },
            "eject_media": true,
            "remove_source_disks": true,
            "keep_source_definition": true,
            "bandwidth_mib_s": 8,
            "way": "direct",
            "encrypt": false,
            "rdma": true,
            "policy": "certain",
            "longest_pause_ms": 2_000_000,
            "budget_s": 60,
        })
    );
}

#[tokio::test]
async fn what_a_preflight_found_is_told_with_the_refusal() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let plain = json!({ "destination": "beta" });
    let risk = Finding::warning(FindingCode::Nvram, "The UEFI variables stay behind.").needs_consent();
    house.console.will_find(vec![risk.clone()]);
    let answer = house.send(post(MIGRATE, &cookie, &plain)).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::CONFLICT, Some("needs-consent")));
    assert_eq!(answer.json()["findings"], json!([risk]));
    let other = json!({ "destination": "beta", "accept": ["cpu"] });
    assert_eq!(house.send(post(MIGRATE, &cookie, &other)).await.status, StatusCode::CONFLICT);
    assert!(house.console.migrations().is_empty());
    let accepted = json!({ "destination": "beta", "accept": ["nvram"] });
    assert_eq!(house.send(post(MIGRATE, &cookie, &accepted)).await.status, StatusCode::ACCEPTED);

    let blocker = Finding::blocker(FindingCode::Network, "beta has no network \"lan\".").with_fix("Define it there.");
    house.console.will_find(vec![blocker]);
    let answer = house.send(post(MIGRATE, &cookie, &accepted)).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::CONFLICT, Some("blocked")));
    assert_eq!(answer.json()["findings"][0]["fix"], "Define it there.");
    assert_eq!(house.console.migrations().len(), 1);
}

#[tokio::test]
async fn a_look_beforehand_tells_where_a_vm_can_go() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.will_find(vec![Finding::warning(FindingCode::QemuVersion, "QEMU is older there.")]);
    let all = house.send(get(MIGRATE, &cookie)).await.json();
    assert_eq!((&all["vm"]["name"], &all["vm"]["host"]), (&json!("web"), &json!("alpha")));
    assert_eq!(all["recommended"], "beta");
    let [beta, gamma] = all["destinations"].as_array().unwrap().as_slice() else { panic!("{all}") };
    assert_eq!((&beta["destination"], &beta["severity"]), (&json!("beta"), &json!("warning")));
    assert_eq!(beta["findings"][0]["code"], "qemu-version");
    assert_eq!(beta["disks"][0]["treatment"]["shared"]["evidence"], "The same NFS export.");
    let because = "Nothing worse than a warning stands in the way, and no disk is copied.";
    assert_eq!(beta["recommended_because"], because);
    assert_eq!((&gamma["severity"], gamma.get("recommended_because")), (&json!("blocker"), None));

    let one = house.send(get(&format!("{MIGRATE}?destination=127.0.0.3"), &cookie)).await.json();
    assert_eq!((&one["destinations"][0], one["destinations"].as_array().unwrap().len()), (beta, 1));
    house.console.will_find(vec![Finding::blocker(FindingCode::Network, "There is no network.")]);
    assert_eq!(house.send(get(MIGRATE, &cookie)).await.json()["recommended"], Value::Null);
    assert!(house.console.migrations().is_empty());
}

#[tokio::test]
async fn a_look_beforehand_is_refused_like_anything_else() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let cases = [
        (format!("{MIGRATE}?destination=delta"), StatusCode::BAD_REQUEST, "unknown-host"),
        (format!("{MIGRATE}?destination=localhost"), StatusCode::BAD_REQUEST, "KCHVM0055E"),
        (format!("{MIGRATE}?measure=perhaps"), StatusCode::BAD_REQUEST, "invalid-input"),
        (format!("{MIGRATE}?measure=true"), StatusCode::CONFLICT, "KCHVM0057E"),
        ("/plugins/kimchi/vms/twin/migrate".into(), StatusCode::CONFLICT, "ambiguous-name"),
        ("/plugins/kimchi/vms/nobody/migrate".into(), StatusCode::NOT_FOUND, "KCHVM0002E"),
    ];
    for (path, status, code) in cases {
        let answer = house.send(get(&path, &cookie)).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{path}");
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "application/jsonx", ""] {
        let request = request(Method::POST, MIGRATE)
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(r#"{"destination": "beta"}"#))
            .unwrap();
        let answer = house.send(request).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        assert_eq!(answer.json()["code"], "WOKAPI0007E");
    }
    assert!(house.console.migrations().is_empty());
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let destination = "b".repeat(64 << 10);
    let answer = house.send(post(MIGRATE, &cookie, &json!({ "destination": destination }))).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::PAYLOAD_TOO_LARGE, Some("too-large")));
    // One whose size is not declared.
    let chunks = stream::iter((0..10).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1 << 20])));
    let request = request(Method::POST, MIGRATE)
        .header(header::COOKIE, &cookie)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from_stream(chunks))
        .unwrap();
    assert_eq!(house.send(request).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let largest = json!({ "destination": "b".repeat((64 << 10) - 18) });
    assert_eq!(largest.to_string().len(), 64 << 10);
    assert!(house.console.migrations().is_empty());
    assert_eq!(house.send(post(MIGRATE, &cookie, &largest)).await.status, StatusCode::ACCEPTED, "only just not");
}

#[tokio::test]
async fn names_of_no_vm_are_told_from_nonsense() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let cases = [
        ("nobody", StatusCode::NOT_FOUND),
        ("no%20body", StatusCode::NOT_FOUND),
        ("%27%22%3Cscript%3E", StatusCode::NOT_FOUND),
        ("%2e%2e%2f%2e%2e%2fetc%2fpasswd", StatusCode::NOT_FOUND),
        ("..", StatusCode::NOT_FOUND),
        ("%F0%9F%9A%A2", StatusCode::NOT_FOUND),
        ("web%00", StatusCode::BAD_REQUEST),
        ("%00", StatusCode::BAD_REQUEST),
        ("web%0A", StatusCode::BAD_REQUEST),
        ("%FF%FE", StatusCode::BAD_REQUEST),
    ];
    for (name, status) in cases {
        let answer = house
            .send(post(&format!("/plugins/kimchi/vms/{name}/migrate"), &cookie, &json!({ "destination": "beta" })))
            .await;
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
        let code = if status == StatusCode::NOT_FOUND { "KCHVM0002E" } else { "invalid-input" };
        assert_eq!(answer.json()["code"], code, "{name}");
        assert_eq!(house.send(get(&format!("/plugins/kimchi/vms/{name}"), &cookie)).await.status, status, "{name}");
    }
    let answer = house.send(post("/plugins/kimchi/vms//migrate", &cookie, &json!({ "destination": "beta" }))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(house.console.migrations().is_empty());
}
