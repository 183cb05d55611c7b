//! Cockpit's cases (cockpit-machines, test/check-machines-migrate). Its users type libvirt's URIs, ours choose a registered host: what
//! theirs get wrong in the URI, ours can have wrong in vmferry.toml.

use model::Host;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    demo, fails, is_blocked_by, moves,
    obstacle::{Reconfigured, console_that_knows_beta},
    refused,
    vm::{Vm, assert_moved_to, assert_stayed},
};

/// The demo's own VMs, whose disks are in a directory that all hosts share, as the console was told.
#[tokio::test]
async fn test_shared_storage_migration() {
    let (demo, api, _) = demo().await;
    for vm in ["web", "db", "cache"] {
        let (_, look) = api.get(&format!("/plugins/kimchi/vms/{vm}/migrate?destination=beta")).await;
        let findings = look["destinations"][0]["findings"].as_array().expect("something was found");
        let shared = findings.iter().find(|finding| finding["code"] == "disk-shared");
        assert!(shared.is_some_and(|finding| finding["severity"] == "ok"), "{vm}: {look}");
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

/// Cockpit's "temporarily": the source keeps the definition, shut off, to which the VM comes back. The destination's is transient
/// there; ours is what it was at the source, so that a power-off at the destination loses nothing.
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
    assert!(vm.has_volume_on("beta"), "what was there is not touched");
}

/// The console reaches beta's daemon; alpha is told a port on which nothing listens. It is not needed where the console drives.
#[tokio::test]
async fn test_fail_migration_tcp_port_closed() {
    let (demo, _, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "outside").await;
    let console = console_that_knows_beta(&demo, "port", "daemon = \"session\"\npeer_port = 1").await;
    let api = console.login().await;
    let why = fails(&api, vm.name, json!({"destination": "beta", "way": "peer-to-peer"})).await;
    assert!(why.contains("alpha can't connect to beta: connection refused."), "{why}");
    vm.assert_stayed();
    moves(&api, vm.name, "beta").await;
    vm.assert_moved_to("beta");
}

/// beta's daemon wants a login that the console does not have.
#[tokio::test]
async fn test_fail_migration_authentication() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "stranger").await;
    let reconfigured = Reconfigured::daemon(&demo, "beta", "auth_tcp = \"sasl\"", &mut stream).await;
    refused(&api, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    stream.until_host("beta", |host| why_not(host).contains("does not accept vmferry's login")).await;
    refused(&api, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    reconfigured.undone(&mut stream).await;
    vm.assert_stayed();
}

/// URIs are not for users to give, not even right ones. The one of a host that is registered as the wrong kind is wrong, too.
#[tokio::test]
async fn test_fail_migration_uri_incorrect() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "misled").await;
    let right = format!("qemu+tcp://{}/session", demo.address("beta"));
    for uri in [right.as_str(), "qemu+ssh://beta/sys", "qemu+tcp://beta/session?command=id"] {
        refused(&api, vm.name, json!({"destination": uri}), StatusCode::BAD_REQUEST).await;
    }
    let console = console_that_knows_beta(&demo, "kind", "daemon = \"system\"").await;
    let second = console.login().await;
    second.stream().await.until_host("beta", |host| why_not(host).contains("is of the other kind")).await;
    refused(&second, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    vm.assert_stayed();
}

/// A name that can't be resolved does not answer; where beta is registered with one for the others, alpha can't resolve it.
#[tokio::test]
async fn test_fail_migration_domain_unknown() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "nowhere").await;
    refused(&api, vm.name, json!({"destination": "unknown.invalid"}), StatusCode::CONFLICT).await;
    let how = "daemon = \"session\"\npeer_address = \"unknown.invalid\"";
    let console = console_that_knows_beta(&demo, "name", how).await;
    let why = fails(&console.login().await, vm.name, json!({"destination": "beta"})).await;
    assert!(why.contains("alpha can't resolve unknown.invalid, where beta receives memory and disks."), "{why}");
    vm.assert_stayed();
}

/// Stopped, and kept from starting again by a configuration that it can't read.
#[tokio::test]
async fn test_fail_migration_stop_libvirtd() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "waiting").await;
    let reconfigured = Reconfigured::daemon(&demo, "beta", "auth_tcp = [", &mut stream).await;
    let refusal = refused(&api, vm.name, json!({"destination": "beta"}), StatusCode::CONFLICT).await;
    assert!(refusal["reason"].as_str().is_some_and(|reason| reason.contains("beta does not answer")), "{refusal}");
    reconfigured.undone(&mut stream).await;
    vm.assert_stayed();
}

/// The demo's `cache` never arrives by itself, so that there is time to kill the destination.
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
