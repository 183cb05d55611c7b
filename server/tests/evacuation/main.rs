//! A real host is emptied, and its VMs come home: virsh is the judge at each step, and what the guests were paused by is the record's.

mod command_line;
#[path = "../support/mod.rs"]
mod support;

use std::{sync::LazyLock, time::Duration};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use support::{Api, Demo, LIMIT, Shared};
use tokio::{
    sync::Mutex,
    time::{sleep, timeout},
};

/// 127.0.65.2 to .5, with nine VMs: of the six others alpha has none.
static DEMO: Shared = LazyLock::new(|| Mutex::new(Demo::with_guests(65, 9)));

/// The evacuation once it is like that.
async fn until(api: &Api, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let poll = async {
        loop {
            let (_, shown) = api.get(&format!("/api/evacuations/{id}")).await;
            if is_so(&shown["evacuation"]) {
                return shown;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(2 * LIMIT, poll).await.unwrap_or_else(|_| panic!("evacuation {id} does not become so"))
}

async fn until_stage(api: &Api, host: &str, stage: Option<&str>) {
    let poll = async {
        loop {
            let (_, shown) = api.get(&format!("/api/hosts/{host}")).await;
            if shown["state"]["maintenance"]["stage"].as_str() == stage {
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(LIMIT, poll).await.unwrap_or_else(|_| panic!("{host} is not {stage:?}"));
}

/// Plans, carries out, and returns the id.
async fn carry_out(api: &Api, request: Value) -> (Value, String) {
    let (status, plan) = api.post("/api/evacuations/plans", request).await;
    assert_eq!(status, StatusCode::CREATED, "{plan:#}");
    let (status, begun) = api.post("/api/evacuations", json!({ "plan": plan["id"] })).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{begun:#}");
    let id = begun["id"].as_str().expect("it has an id").to_owned();
    (plan, id)
}

/// The names of the VMs that run on a host, by virsh.
fn running(demo: &Demo, host: &str) -> Vec<String> {
    let listed = demo.virsh_succeeds(host, &["list", "--name"]);
    let mut names: Vec<String> =
        listed.lines().map(str::trim).filter(|name| !name.is_empty()).map(String::from).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_host_is_emptied_and_its_vms_come_home() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let before = running(&demo, "beta");
    assert!(before.len() >= 3, "{before:?}");
    let request = json!({ "subject": { "hosts": ["beta"] }, "reason": "kernel update, ticket 4711" });
    let (plan, id) = carry_out(&api, request).await;
    assert_eq!(plan["moves"].as_array().unwrap().len(), before.len(), "{plan:#}");
    let end = until(&api, &id, |now| now["state"] == "done").await;
    until_stage(&api, "beta", Some("empty")).await;
    assert!(running(&demo, "beta").is_empty(), "{:?}", running(&demo, "beta"));
    for vm in &before {
        assert_eq!(demo.runs_on(vm).len(), 1, "{vm}");
    }
    no_pause_was_longer_than_its_policy_allows(&api, &end).await;

    let begun = api.send(Method::POST, "/api/hosts/beta/maintenance", Some(json!({ "command": "begin" }))).await;
    assert!(begun.status().is_success(), "{}", begun.status());
    let (_, home) = carry_out(&api, json!({ "subject": { "home": id } })).await;
    let end = until(&api, &home, |now| now["state"] == "done").await;
    until_stage(&api, "beta", None).await;
    assert_eq!(running(&demo, "beta"), before, "{end:#}");
    no_pause_was_longer_than_its_policy_allows(&api, &end).await;
}

#[tokio::test]
async fn a_vm_with_a_snapshot_is_named_before_the_start() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let vm = running(&demo, "gamma").remove(0);
    let disks = demo.virsh_succeeds("gamma", &["domblklist", &vm]);
    let target = disks.lines().nth(2).and_then(|line| line.split_whitespace().next()).unwrap().to_owned();
    let overlay = demo.dir().join("shared").join("overlay.qcow2");
    let disk = format!("{target},file={}", overlay.display());
    demo.virsh_succeeds("gamma", &["snapshot-create-as", &vm, "before", "--disk-only", "--diskspec", &disk]);
    let request = json!({ "subject": { "hosts": ["gamma"] } });
    let (status, plan) = api.post("/api/evacuations/plans", request).await;
    assert_eq!(status, StatusCode::CREATED, "{plan:#}");
    let stays = &plan["stays"][0];
    assert_eq!(
        (stays["vm_name"].as_str(), stays["problem"]["code"].as_str()),
        (Some(&*vm), Some("blocked")),
        "{plan:#}"
    );
    assert!(stays["problem"]["sentence"].as_str().unwrap().contains("snapshot"), "{stays:#}");
    assert!(plan["moves"].as_array().unwrap().iter().all(|planned| planned["vm_name"] != vm.as_str()));
    demo.virsh_succeeds("gamma", &["snapshot-delete", &vm, "before", "--metadata"]);
    demo.virsh_succeeds("gamma", &["blockcommit", &vm, &target, "--active", "--pivot", "--wait"]);
}

/// No guest was stopped: each migration paused it for as long as its policy allows, at most.
async fn no_pause_was_longer_than_its_policy_allows(api: &Api, evacuation: &Value) {
    for item in evacuation["evacuation"]["items"].as_array().expect("it has items") {
        let Some(migration) = item["state"]["moved"]["migration"].as_str() else { panic!("{item:#}") };
        let (_, shown) = api.get(&format!("/api/migrations/{migration}")).await;
        let pause = shown["migration"]["outcome"]["downtime_ms"].as_u64().unwrap_or_default();
        // `balanced` (model::Policy::longest_pause_ms).
        assert!(pause <= 1_000, "{} paused for {pause} ms", item["vm_name"]);
    }
}
