//! Kimchi's cases (tests/test_livemigration.py).

use model::VmState;
use reqwest::StatusCode;
use serde_json::json;

use crate::{demo, fails, moves, obstacle::console_with_beta, refused, vm::Vm};

#[tokio::test]
async fn test_vm_migrate_fails_if_remote_is_localhost() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "local").await;
    for here in ["127.0.0.1", "localhost"] {
        let refusal = refused(&api, vm.name, json!({"remote_host": here}), StatusCode::BAD_REQUEST).await;
        assert_eq!(refusal["code"], "KCHVM0055E", "{here}: {refusal}");
    }
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a machine has a name");
    // By its name the machine is a host like others. Only after a login would its UUID tell that it is the same.
    refused(&api, vm.name, json!({"remote_host": name.trim()}), StatusCode::CONFLICT).await;
    // What Kimchi's case is about: the host that the VM is on already.
    refused(&api, vm.name, json!({"remote_host": demo.address("alpha")}), StatusCode::BAD_REQUEST).await;
    vm.assert_stayed();
}

#[tokio::test]
async fn test_vm_migrate_fails_if_remotehost_unreachable() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "far").await;
    refused(&api, vm.name, json!({"remote_host": "test-vm-migrate-fails.invalid"}), StatusCode::CONFLICT).await;
    vm.assert_stayed();
}

/// In a peer-to-peer migration the source logs in at the destination. Here alpha has to use TLS, for which it has no certificate. If
/// the request does not require peer-to-peer, the migration is direct, with the console's own login.
#[tokio::test]
async fn test_vm_migrate_fails_if_not_passwordless_login() {
    let (demo, _, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "keyless").await;
    let console = console_with_beta(&demo, "login", "daemon = \"session\"\npeer_transport = \"tls\"").await;
    let api = console.login().await;
    let why = fails(&api, vm.name, json!({"destination": "beta", "way": "peer-to-peer"})).await;
    assert!(why.contains("alpha has no TLS certificate to log in to beta with"), "{why}");
    vm.assert_stayed();
    moves(&api, vm.name, "beta").await;
    vm.assert_moved_to("beta");
}

#[tokio::test]
async fn test_vm_livemigrate_persistent() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "kept").await;
    moves(&api, vm.name, "beta").await;
    vm.assert_moved_to("beta");
    assert!(vm.is_persistent_on("beta"));
}

/// A VM whose definition was removed while it runs stays transient at the destination.
#[tokio::test]
async fn test_vm_livemigrate_transient() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "fleeting").await;
    demo.virsh_succeeds("alpha", &["undefine", vm.name]);
    stream.until_vm(vm.name, |vm| !vm.persistent).await;
    moves(&api, vm.name, "beta").await;
    vm.assert_moved_to("beta");
    assert!(!vm.is_persistent_on("beta"));
}

#[tokio::test]
async fn test_vm_coldmigrate() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::shut_off(&demo, &mut stream, "cold").await;
    moves(&api, vm.name, "beta").await;
    assert_eq!((demo.runs_on(vm.name), demo.defined_on(vm.name)), (vec![], vec!["beta"]));
    assert!(vm.is_persistent_on("beta"));
    assert_eq!(demo.virsh("beta", &["domstate", vm.name]).trim(), "shut off");
    stream.until_vm(vm.name, |vm| vm.state == VmState::ShutOff && vm.host.as_str() == "beta").await;
}

#[tokio::test]
async fn test_vm_livemigrate_persistent_nonshared() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start_with_disk(&demo, &mut stream, "nonshared").await;
    moves(&api, vm.name, "beta").await;
    vm.assert_moved_to("beta");
    assert!(vm.is_persistent_on("beta") && vm.has_volume_on("beta"));
}

/// With Kimchi's own fields in the request and in the task.
#[tokio::test]
async fn test_vm_livemigrate_persistent_api() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "scripted").await;
    let path = format!("/plugins/kimchi/vms/{}/migrate", vm.name);
    let (status, task) = api.post(&path, json!({"remote_host": demo.address("beta")})).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{task}");
    assert_eq!((&task["status"], &task["target_uri"]), (&json!("running"), &json!(path)));
    let id = task["id"].as_str().expect("a task has an id");
    let end = api.ended(&format!("/plugins/kimchi/tasks/{id}")).await;
    assert_eq!(end["status"], "finished", "{end}");
    vm.assert_moved_to("beta");
    assert!(vm.is_persistent_on("beta"));
}

/// Kimchi installs a key for root with the password, and never removes it. vmferry uses the password for this one migration. The demo's
/// hosts have no sshd; those of `reach/` have.
#[tokio::test]
async fn test_set_passwordless_login() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "trusting").await;
    let request = json!({"remote_host": "beta", "user": "root", "password": "a password"});
    let refusal = refused(&api, vm.name, request, StatusCode::CONFLICT).await;
    assert!(!refusal.to_string().contains("a password"), "{refusal}");
    vm.assert_stayed();
}

/// Where the hosts do not both offer RDMA, the memory goes by TCP, and a finding says so.
#[tokio::test]
async fn test_vm_livemigrate_rdma() {
    let (demo, api, mut stream) = demo().await;
    let vm = Vm::start(&demo, &mut stream, "direct").await;
    let task = api.migrate_with(vm.name, json!({"remote_host": "beta", "enable_rdma": true})).await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "finished", "{end}");
    vm.assert_moved_to("beta");
}
