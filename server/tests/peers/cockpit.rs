//! Cockpit's cases (cockpit-machines, test/check-machines-migrate). Its users type a libvirt URI; vmferry's choose a registered host.
//! What Cockpit's tests put wrong into the URI is wrong in vmferry.toml here.

use model::Host;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    demo, fails, is_blocked_by, moves,
    obstacle::{ReconfiguredDaemon, console_with_beta},
    refused,
    vm::{Vm, assert_moved_to, assert_stayed},
};

/// The demo's own VMs, whose disks are in a directory that all hosts share, according to their settings.
#[tokio::test]
async fn test_shared_storage_migration() {
    let (demo, api, _) = demo().await;
    for vm in ["web", "db", "cache"] {
        let (_, report) = api.get(&format!("/plugins/kimchi/vms/{vm}/migrate?destination=beta")).await;
        let findings = report["destinations"][0]["findings"].as_array().expect("a report has findings");
        let shared = findings.iter().find(|finding| finding["code"] == "disk-shared");
        assert!(shared.is_some_and(|finding| finding["severity"] == "ok"), "{vm}: {report}");
    }
    moves(&api, "web", "beta").await;
    assert_moved_to(&demo, "web", "beta");
    moves(&api, "web", "alpha").await;
    assert_moved_to(&demo, "web", "alpha");
}

#[tokio::test]
async fn test_copy_storage_migration() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start_with_disk(&demo, &mut stream, "copied").await;
    moves(&api, vm.name, "beta").await;
    vm.assert_moved_to("beta");
    assert!(vm.has_volume_on("beta"));
    assert!(vm.has_volume_on("alpha"), "the source's volume stays unless its removal is asked for");
}

/// Cockpit's "temporarily": the source keeps the definition, shut off. In Cockpit the VM is transient at the destination; vmferry
/// keeps it persistent, so that a power-off there loses nothing.
#[tokio::test]
async fn test_move_temporarily_migration() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "guest").await;
    let task = api.migrate_with(vm.name, json!({"destination": "beta", "keep_source_definition": true})).await;
    assert_eq!(api.ended(&task).await["status"], "finished");
    assert_eq!((demo.runs_on(vm.name), demo.defined_on(vm.name)), (vec!["beta"], vec!["alpha", "beta"]));
    assert_eq!(demo.virsh("alpha", &["domstate", vm.name]).trim(), "shut off");
    moves(&api, vm.name, "alpha").await;
    vm.assert_stayed();
}

/// gamma has no pool that the disk could be copied to.
#[tokio::test]
async fn test_fail_migration_pool_not_found() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start_with_disk(&demo, &mut stream, "poolless").await;
    let refusal = refused(&api, vm.name, json!({"destination": "gamma"}), StatusCode::CONFLICT).await;
    assert!(is_blocked_by(&refusal, "pool"), "{refusal}");
    vm.assert_stayed();
}

/// beta has a volume of the same name and another size.
#[tokio::test]
async fn test_fail_migration_volumes_not_compatible() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start_with_disk(&demo, &mut stream, "taken").await;
    vm.make_other_volume_on_beta();
    let refusal = refused(&api, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    assert!(is_blocked_by(&refusal, "disk-exists"), "{refusal}");
    vm.assert_stayed();
    assert!(vm.has_volume_on("beta"), "the other volume is not touched");
}

/// The console reaches beta's daemon, but the port for alpha is closed. A direct migration does not need it.
#[tokio::test]
async fn test_fail_migration_tcp_port_closed() {
    let (demo, _, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "outside").await;
    let console = console_with_beta(&demo, "port", "daemon = \"session\"\npeer_port = 1").await;
    let api = console.login().await;
    let why = fails(&api, vm.name, json!({"destination": "beta", "way": "peer-to-peer"})).await;
    assert!(why.contains("alpha can't connect to beta: connection refused."), "{why}");
    vm.assert_stayed();
    moves(&api, vm.name, "beta").await;
    vm.assert_moved_to("beta");
}

/// beta's daemon requires a login that the console does not have.
#[tokio::test]
async fn test_fail_migration_authentication() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "stranger").await;
    let reconfigured = ReconfiguredDaemon::start(&demo, "beta", "auth_tcp = \"sasl\"", &mut stream).await;
    refused(&api, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    stream.until_host("beta", |host| why_not(host).contains("does not accept vmferry's login")).await;
    refused(&api, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    reconfigured.restore(&mut stream).await;
    vm.assert_stayed();
}

/// A URI is refused as a destination, even a right one. A host that is registered with the wrong kind of daemon has a wrong URI.
#[tokio::test]
async fn test_fail_migration_uri_incorrect() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "misled").await;
    let right = format!("qemu+tcp://{}/session", demo.address("beta"));
    for uri in [right.as_str(), "qemu+ssh://beta/sys", "qemu+tcp://beta/session?command=id"] {
        refused(&api, vm.name, json!({"destination": uri}), StatusCode::BAD_REQUEST).await;
    }
    let console = console_with_beta(&demo, "kind", "daemon = \"system\"").await;
    let second = console.login().await;
    second.stream().await.until_host("beta", |host| why_not(host).contains("is of the other kind")).await;
    refused(&second, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    vm.assert_stayed();
}

/// A destination name that can't be resolved is refused. With such a name as beta's peer address, the migration fails.
#[tokio::test]
async fn test_fail_migration_domain_unknown() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "nowhere").await;
    refused(&api, vm.name, json!({"destination": "unknown.invalid"}), StatusCode::CONFLICT).await;
    let settings = "daemon = \"session\"\npeer_address = \"unknown.invalid\"";
    let console = console_with_beta(&demo, "name", settings).await;
    let why = fails(&console.login().await, vm.name, json!({"destination": "beta"})).await;
    assert!(why.contains("alpha can't resolve unknown.invalid, where beta receives memory and disks."), "{why}");
    vm.assert_stayed();
}

/// The daemon is stopped, and an invalid configuration keeps it from starting again.
#[tokio::test]
async fn test_fail_migration_stop_libvirtd() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "waiting").await;
    let reconfigured = ReconfiguredDaemon::start(&demo, "beta", "auth_tcp = [", &mut stream).await;
    let refusal = refused(&api, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    assert!(refusal["reason"].as_str().is_some_and(|reason| reason.contains("beta does not answer")), "{refusal}");
    reconfigured.restore(&mut stream).await;
    vm.assert_stayed();
}

/// The demo's `cache` never converges, so that there is time to kill the destination.
#[tokio::test]
async fn test_fail_migration_kill_destination() {
    let (demo, api, mut stream) = demo().await;
    let task = api.migrate("cache", "beta").await;
    stream.until_migration("cache", |migration| migration.progress.bytes_processed > 0).await;
    demo.signal_daemon("beta", "-KILL");
    stream.until_host("beta", |host| !host.is_connected()).await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "failed", "{end}");
    stream.until_host("beta", Host::is_connected).await;
    assert_stayed(&demo, "cache");
}

/// Why a host is not connected; empty if it is.
fn why_not(host: &Host) -> &str {
    match &host.connection {
        model::ConnectionState::Unreachable { problem, .. } => &problem.sentence,
        _ => "",
    }
}
