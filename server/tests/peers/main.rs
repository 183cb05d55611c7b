//! Kimchi's and Cockpit's own test cases of migrations, by their names, through vmferry's API and against real libvirt.
//!
//! Each ends as the original does: the VM on the source and not on the destination, or the reverse. virsh is the judge. A case of a
//! feature that vmferry lacks checks the answer, and that nothing was changed.

#[path = "../support/mod.rs"]
mod support;

mod cockpit;
mod kimchi;
mod obstacle;
mod simulated;
mod vm;

use std::sync::LazyLock;

use model::Host;
use reqwest::StatusCode;
use serde_json::{Value, json};
use support::{Api, Demo, Shared, Stream};
use tokio::sync::{Mutex, MutexGuard};

/// The hosts alpha, beta and gamma on 127.0.37.2 to .4, with VMs on alpha.
static DEMO: Shared = LazyLock::new(|| Mutex::new(Demo::start(37)));

/// The demo for one test, once all hosts are connected: an earlier test may have stopped one.
async fn demo() -> (MutexGuard<'static, Demo>, Api, Stream) {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    for host in ["alpha", "beta", "gamma"] {
        stream.until_host(host, Host::is_connected).await;
    }
    (demo, api, stream)
}

/// Asks for a migration that is refused at once, and returns the refusal.
async fn refused(api: &Api, vm: &str, request: Value, status: StatusCode) -> Value {
    let before = api.get("/plugins/kimchi/tasks").await;
    let (answered, body) = api.post(&format!("/plugins/kimchi/vms/{vm}/migrate"), request).await;
    assert_eq!(answered, status, "{body}");
    assert_eq!(api.get("/plugins/kimchi/tasks").await, before, "nothing was begun");
    body
}

/// Asks for a migration that begins and fails, and returns what its task says.
async fn fails(api: &Api, vm: &str, request: Value) -> String {
    let task = api.migrate_with(vm, request).await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "failed", "{end}");
    end["message"].as_str().expect("a task has a message").to_owned()
}

/// Moves a VM, which has to succeed.
async fn moves(api: &Api, vm: &str, destination: &str) {
    let task = api.migrate_with(vm, json!({"destination": destination})).await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "finished", "{end}");
}

/// Whether the refusal has a blocker with this code.
fn is_blocked_by(refusal: &Value, code: &str) -> bool {
    let findings = refusal["findings"].as_array().expect("a refusal has findings");
    findings.iter().any(|finding| finding["code"] == code && finding["severity"] == "blocker")
}
