//! A migration that runs is told to go on otherwise: what libvirt is told, what the record says, and what is refused.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{
    DEMO,
    support::{Api, LIMIT},
};

/// The record of a migration as soon as it is like this.
async fn until(api: &Api, record: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let poll = async {
        loop {
            let (_, shown) = api.get(record).await;
            if is_so(&shown["migration"]) {
                return shown;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, poll).await.unwrap_or_else(|_| panic!("{record} does not become so"))
}

fn code(answer: &(StatusCode, Value)) -> (u16, &str) {
    (answer.0.as_u16(), answer.1["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn what_is_asked_for_is_done_and_stands_in_the_record() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    // By itself, and with this policy, it would not end for minutes.
    let source = demo.runs_on("cache")[0];
    let destination = if source == "alpha" { "beta" } else { "alpha" };
    let task = api.migrate_with("cache", json!({ "destination": destination, "policy": "gentle" })).await;
    let id = task.rsplit('/').next().unwrap_or_default();
    let record = format!("/api/migrations/{id}");
    let steer = async |body: Value| api.post(&format!("{record}/steer"), body).await;
    until(&api, &record, |now| now["phase"] == "converging").await;

    for number in [0_u64, 1_000_001, u64::from(u32::MAX) + 1] {
        let refused = steer(json!({ "act": "bandwidth", "mib_s": number })).await;
        assert_eq!(code(&refused), (400, "invalid-input"), "{number}");
    }

    let (status, _) = steer(json!({ "act": "bandwidth", "mib_s": 21 })).await;
    assert_eq!(status, StatusCode::OK);
    let is_done = |now: &Value| now["acts"].to_string().contains(r#""acted":"bandwidth""#);
    let shown = until(&api, &record, is_done).await;
    let acts = shown["migration"]["acts"].as_array().cloned().unwrap_or_default();
    let act = acts.iter().find(|act| act["acted"] == "bandwidth").cloned().unwrap_or_default();
    assert_eq!((&act["mib_s"], &act["by"]), (&json!(21), &json!("admin")));
    assert!(shown["history"].to_string().contains("admin asked to use at most 21 MiB/s."), "{}", shown["history"]);
    assert_eq!(demo.virsh_succeeds(source, &["migrate-getspeed", "cache"]).trim(), "21", "libvirt was told");

    // One click on a longer pause finishes it.
    let (status, _) = steer(json!({ "act": "longest-pause", "ms": 60_000 })).await;
    assert_eq!(status, StatusCode::OK);
    let ended = api.ended(&task).await;
    assert_eq!(ended["status"], "finished", "{ended}");
    assert_eq!(demo.runs_on("cache"), [destination]);
    let refused = steer(json!({ "act": "pause-guest" })).await;
    assert_eq!(code(&refused), (409, "already-ended"));
    let (status, predictions) = api.get("/api/predictions").await;
    assert_eq!(status, StatusCode::OK, "{predictions}");
}

#[tokio::test]
async fn a_task_says_that_it_will_not_finish_and_what_is_impossible_is_refused_with_the_reason() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let source = demo.runs_on("cache")[0];
    let destination = if source == "alpha" { "beta" } else { "alpha" };
    let task = api.migrate_with("cache", json!({ "destination": destination, "policy": "gentle" })).await;
    let id = task.rsplit('/').next().unwrap_or_default().to_owned();
    let told = async {
        loop {
            let (_, now) = api.get(&task).await;
            let message = now["message"].as_str().unwrap_or_default().to_owned();
            if message.contains("This will not finish at this rate: the guest changes ") {
                return message;
            }
            assert_eq!(now["status"], "running", "{now}");
            sleep(Duration::from_millis(200)).await;
        }
    };
    let message = timeout(LIMIT, told).await.expect("it says so");
    assert!(message.contains(" %. ") || message.contains(" left. "), "{message}");
    api.send(Method::DELETE, &task, None).await;
    let refused = api.post(&format!("/api/migrations/{id}/steer"), json!({ "act": "pause-guest" })).await;
    assert!(matches!(code(&refused), (409, "wrong-state" | "already-ended")), "{refused:?}");
    assert_eq!(api.ended(&task).await["status"], "killed");
    assert_eq!(demo.runs_on("cache"), [source]);
}
