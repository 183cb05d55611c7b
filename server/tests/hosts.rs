//! Daemons that die, on real libvirt.

mod support;

use std::sync::LazyLock;

use model::{Host, Phase, VmState};
use support::{Api, Demo, Shared, Stream};
use tokio::sync::Mutex;

static DEMO: Shared = LazyLock::new(|| Mutex::new(Demo::start(12)));

/// The stream of updates, once all hosts are connected: the test before may have stopped one.
async fn connected(api: &Api) -> Stream {
    let mut stream = api.stream().await;
    for host in ["alpha", "beta", "gamma"] {
        stream.until_host(host, Host::is_connected).await;
    }
    stream
}

#[tokio::test]
async fn a_killed_daemon_hurts_no_other_host_and_comes_back() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = connected(&api).await;
    // A VM on another host, to be migrated while alpha is down.
    let task = api.migrate("db", "beta").await;
    assert_eq!(api.ended(&task).await["status"], "finished");

    demo.signal_daemon("alpha", "-KILL");
    stream.until_host("alpha", |host| !host.is_connected()).await;
    let (status, _) = api.get("/plugins/kimchi/vms/web").await;
    assert!(status.is_success(), "its VMs are still listed");
    let task = api.migrate("db", "gamma").await;
    assert_eq!(api.ended(&task).await["status"], "finished", "the other hosts' VMs stay usable");

    // The demo starts it again.
    stream.until_host("alpha", Host::is_connected).await;
    stream.until_vm("web", |vm| vm.state == VmState::Running).await;
    let task = api.migrate("web", "beta").await;
    assert_eq!(api.ended(&task).await["status"], "finished");
    assert_eq!(demo.runs_on("web"), ["beta"]);
}

#[tokio::test]
async fn a_destination_killed_during_a_migration_leaves_the_vm_on_the_source() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = connected(&api).await;
    let task = api.migrate("cache", "beta").await;
    stream.until_migration("cache", |migration| migration.phase >= Phase::CopyingMemory).await;
    demo.signal_daemon("beta", "-KILL");
    stream.until_host("beta", |host| !host.is_connected()).await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "failed", "{end}");
    assert_eq!(demo.runs_on("cache"), ["alpha"]);
    stream.until_host("beta", Host::is_connected).await;
    assert_eq!(demo.defined_on("cache"), ["alpha"]);
}

#[tokio::test]
async fn a_source_killed_during_a_migration_keeps_the_vm() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = connected(&api).await;
    let task = api.migrate("cache", "gamma").await;
    stream.until_migration("cache", |migration| migration.phase >= Phase::CopyingMemory).await;
    demo.signal_daemon("alpha", "-KILL");
    stream.until_host("alpha", |host| !host.is_connected()).await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "failed", "{end}");
    stream.until_host("alpha", Host::is_connected).await;
    assert_eq!(demo.runs_on("cache"), ["alpha"]);
}

#[tokio::test]
async fn a_silent_daemon_is_noticed() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = connected(&api).await;
    demo.signal_daemon("gamma", "-STOP");
    stream.until_host("gamma", |host| !host.is_connected()).await;
    demo.signal_daemon("gamma", "-CONT");
    stream.until_host("gamma", Host::is_connected).await;
}
