//! Migrations on real libvirt and QEMU, through Kimchi's API; virsh is the judge.

mod support;

use std::sync::LazyLock;

use model::{Convergence, Phase, VmState};
use reqwest::{Method, StatusCode};
use serde_json::json;
use support::{Demo, Shared};
use tokio::sync::Mutex;

static DEMO: Shared = LazyLock::new(|| Mutex::new(Demo::start(11)));

#[tokio::test]
async fn an_idle_vm_is_moved_to_another_host_and_back() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    for (from, to) in [("alpha", "beta"), ("beta", "alpha")] {
        assert_eq!(demo.runs_on("web"), [from]);
        let task = api.migrate("web", to).await;
        let states = stream.migration_of("web").await;
        let end = api.ended(&task).await;
        assert_eq!(end["status"], "finished", "{end}");
        assert_eq!((demo.runs_on("web"), demo.defined_on("web")), (vec![to], vec![to]), "on {to} and nowhere else");
        let percents: Vec<f64> = states.iter().map(|state| state.progress.percent).collect();
        assert!(percents.is_sorted(), "the bar never goes back: {percents:?}");
        assert!(percents.iter().filter(|percent| (1.0..99.0).contains(*percent)).count() >= 3, "{percents:?}");
        let outcome = states.last().and_then(|state| state.outcome).expect("it has figures");
        assert!(outcome.downtime_ms.is_some() && outcome.bytes > 1 << 20, "{outcome:?}");
    }
}

#[tokio::test]
async fn a_busy_vm_converges() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let task = api.migrate("db", "gamma").await;
    let states = stream.migration_of("db").await;
    assert_eq!(api.ended(&task).await["status"], "finished");
    assert_eq!(demo.runs_on("db"), ["gamma"]);
    assert!(states.iter().any(|state| state.phase == Phase::Converging), "its memory takes more than one pass");
    assert!(states.is_sorted_by_key(|state| state.phase));
}

#[tokio::test]
async fn a_vm_that_never_converges_is_reported_and_cancelled() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let task = api.migrate("cache", "beta").await;
    let mut last = 0.0;
    loop {
        let model::Change::Migration(now) = stream.next().await else { continue };
        assert!(now.progress.percent >= last && now.progress.percent < 99.0, "{last} then {now:?}");
        last = now.progress.percent;
        if matches!(now.progress.convergence, Convergence::NotConverging { .. }) {
            break;
        }
    }
    let refused = api.post("/plugins/kimchi/vms/cache/migrate", json!({"destination": "gamma"})).await;
    assert_eq!(refused.0, StatusCode::CONFLICT);
    let id = task.rsplit('/').next().expect("a path");
    assert!(refused.1["reason"].as_str().is_some_and(|reason| reason.contains(id)), "{refused:?}");
    assert!(api.send(Method::DELETE, &task, None).await.status().is_success());
    assert_eq!(api.ended(&task).await["status"], "killed");
    assert_eq!((demo.runs_on("cache"), demo.defined_on("cache")), (vec!["alpha"], vec!["alpha"]));
    assert_eq!(api.send(Method::DELETE, &task, None).await.status(), StatusCode::CONFLICT, "it has ended");
}

#[tokio::test]
async fn a_vm_is_shut_down_moved_offline_and_started() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    demo.virsh("alpha", &["shutdown", "web"]);
    stream.until_vm("web", |vm| vm.state == VmState::ShutOff).await;
    let task = api.migrate("web", "beta").await;
    assert_eq!(api.ended(&task).await["status"], "finished");
    assert_eq!((demo.runs_on("web"), demo.defined_on("web")), (vec![], vec!["beta"]));
    demo.virsh("beta", &["start", "web"]);
    stream.until_vm("web", |vm| vm.state == VmState::Running && vm.host.as_str() == "beta").await;
    let task = api.migrate("web", "alpha").await;
    assert_eq!(api.ended(&task).await["status"], "finished");
    assert_eq!(demo.runs_on("web"), ["alpha"]);
}

#[tokio::test]
async fn a_paused_vm_arrives_paused() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    demo.virsh("alpha", &["suspend", "web"]);
    stream.until_vm("web", |vm| vm.state == VmState::Paused).await;
    for host in ["beta", "alpha"] {
        let task = api.migrate("web", host).await;
        assert_eq!(api.ended(&task).await["status"], "finished");
        assert_eq!(demo.virsh(host, &["domstate", "web"]).trim(), "paused");
    }
    demo.virsh("alpha", &["resume", "web"]);
    stream.until_vm("web", |vm| vm.state == VmState::Running).await;
}

#[tokio::test]
async fn an_invalid_request_is_refused_and_changes_nothing() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let before = (demo.defined_on("web"), api.get("/plugins/kimchi/tasks").await);
    for (vm, destination) in [
        ("web", "alpha"),
        ("web", "delta"),
        ("web", "127.1"),
        ("web", "0x7f.1"),
        ("web", "localhost"),
        ("web", "0.0.0.0"),
        ("web", "-oProxyCommand=id"),
        ("web", "beta?command=id"),
        ("unknown", "beta"),
        ("we%20b", "beta"),
        ("..%2f..%2fetc", "beta"),
        ("%00", "beta"),
    ] {
        let path = format!("/plugins/kimchi/vms/{vm}/migrate");
        let (status, body) = api.post(&path, json!({"destination": destination})).await;
        assert!(status.is_client_error(), "{vm} {destination}: {status}");
        assert!(body["code"].is_string() && body["reason"].is_string(), "{vm} {destination}: {body}");
    }
    assert_eq!((demo.defined_on("web"), api.get("/plugins/kimchi/tasks").await), before);
}
