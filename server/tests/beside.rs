//! What libvirt keeps beside a VM's definition, and guests that end or sleep on the way, on real libvirt and QEMU.

mod support;

use std::sync::LazyLock;

use model::{Migration, Phase, VmState};
use serde_json::json;
use support::{Demo, Shared};
use tokio::sync::Mutex;

static DEMO: Shared = LazyLock::new(|| Mutex::new(Demo::start(39)));

/// What a guest writes to the register of its power management (`PM1a_CNT`, at 0x604) to power itself off, and to sleep (S3).
const POWER_OFF: &str = "o /h 0x604 0x2000";
const SLEEP: &str = "o /h 0x604 0x2400";

/// Lets QEMU do what it does when the guest writes to a register.
fn guest_writes(demo: &Demo, host: &str, vm: &str, what: &str) {
    demo.virsh_succeeds(host, &["qemu-monitor-command", vm, "--hmp", what]);
}

/// Whether the host starts the VM when it boots: `enable` or `disable`.
fn autostart(demo: &Demo, host: &str, vm: &str) -> String {
    let info = demo.virsh_succeeds(host, &["dominfo", vm]);
    let line = info.lines().find_map(|line| line.strip_prefix("Autostart:"));
    line.expect("virsh says it").trim().to_owned()
}

/// The lines of a definition that are for people and tools.
fn notes(demo: &Demo, host: &str, vm: &str, which: &[&str]) -> Vec<String> {
    let definition = demo.virsh_succeeds(host, &[&["dumpxml", vm][..], which].concat());
    let is_note = |line: &&str| ["<title>", "<description>", "<tool:"].iter().any(|begin| line.starts_with(begin));
    definition.lines().map(str::trim).filter(is_note).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_belongs_to_a_vm_follows_it() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    demo.virsh_succeeds("alpha", &["autostart", "web"]);
    // What it has now, and what it has from its next start on, differ.
    demo.virsh_succeeds("alpha", &["desc", "web", "--live", "--config", "for everybody"]);
    demo.virsh_succeeds("alpha", &["desc", "web", "--config", "--title", "next time"]);
    let tool = |value: &str, which: &str| {
        let value = format!("<owner name='{value}'/>");
        let set = ["metadata", "web", "--uri", "urn:example:tool", "--key", "tool", "--set", &value, which];
        demo.virsh_succeeds("alpha", &set);
    };
    tool("now", "--live");
    tool("later", "--config");
    let before = [notes(&demo, "alpha", "web", &[]), notes(&demo, "alpha", "web", &["--inactive"])];
    assert_ne!(before[0], before[1]);

    let task = api.migrate_with("web", json!({"destination": "beta", "keep_source_definition": true})).await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "finished", "{end}");
    let after = [notes(&demo, "beta", "web", &[]), notes(&demo, "beta", "web", &["--inactive"])];
    assert_eq!(after, before);
    assert_eq!(autostart(&demo, "beta", "web"), "enable");
    assert_eq!(autostart(&demo, "alpha", "web"), "disable", "its definition is still there, and must not start");

    demo.virsh_succeeds("beta", &["destroy", "web"]);
    demo.virsh_succeeds("alpha", &["undefine", "web"]);
    let mut stream = api.stream().await;
    stream.until_vm("web", |vm| vm.state == VmState::ShutOff && vm.other_copies.is_empty()).await;
    let task = api.migrate("web", "gamma").await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "finished", "{end}");
    assert_eq!(autostart(&demo, "gamma", "web"), "enable", "also without its memory");
    demo.virsh_succeeds("gamma", &["autostart", "web", "--disable"]);
}

#[tokio::test]
async fn a_guest_that_powers_itself_off_on_the_way_is_told_as_that() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    type End = fn(&Demo);
    let ends: [(&str, End); 2] = [
        ("cache was shut down on alpha while it was being moved, and is off there.", |demo| {
            guest_writes(demo, "alpha", "cache", POWER_OFF);
        }),
        ("cache was forced off on alpha while it was being moved, and is off there.", |demo| {
            drop(demo.virsh_succeeds("alpha", &["destroy", "cache"]));
        }),
    ];
    for (expected, end) in ends {
        stream.until_vm("cache", |vm| vm.state == VmState::Running).await;
        let task = api.migrate("cache", "beta").await;
        let is_under_way = |now: &Migration| now.phase >= Phase::CopyingMemory && !now.phase.has_ended();
        stream.until_migration("cache", |now| task.ends_with(&now.id.to_string()) && is_under_way(now)).await;
        end(&demo);
        let told = api.ended(&task).await;
        assert_eq!(told["status"], "failed", "{told}");
        assert!(told["message"].as_str().expect("it is text").contains(expected), "{told}");
        assert_eq!(demo.defined_on("cache"), ["alpha"]);
        demo.virsh_succeeds("alpha", &["start", "cache"]);
    }
}

#[tokio::test]
async fn a_guest_that_sleeps_is_asleep_where_it_arrives() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    guest_writes(&demo, "alpha", "db", SLEEP);
    stream.until_vm("db", |vm| vm.state == VmState::Suspended).await;
    let task = api.migrate("db", "beta").await;
    let end = api.ended(&task).await;
    assert_eq!(end["status"], "finished", "{end}");
    assert!(end["message"].as_str().expect("it is text").contains("db is asleep on beta"), "{end}");
    assert_eq!(demo.virsh("beta", &["domstate", "db"]).trim(), "running", "so libvirt says, which this is all about");
    let (_, vm) = api.get("/plugins/kimchi/vms/db").await;
    assert_eq!((&vm["host"], &vm["state"]), (&json!("beta"), &json!("pmsuspended")));
    demo.virsh_succeeds("beta", &["dompmwakeup", "db"]);
    stream.until_vm("db", |vm| vm.state == VmState::Running).await;
}

#[tokio::test]
async fn a_vm_whose_memory_is_saved_is_not_moved() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let host = demo.runs_on("db")[0];
    demo.virsh_succeeds(host, &["managedsave", "db"]);
    stream.until_vm("db", |vm| vm.state == VmState::ShutOff).await;
    let (status, refusal) = api.post("/plugins/kimchi/vms/db/migrate", json!({"destination": "gamma"})).await;
    assert!(status.is_client_error(), "{refusal}");
    let findings = refusal["findings"].as_array().expect("it says what was found");
    assert!(
        findings.iter().any(|found| found["code"] == "saved-memory" && found["severity"] == "blocker"),
        "{refusal}"
    );
    demo.virsh_succeeds(host, &["start", "db"]);
    stream.until_vm("db", |vm| vm.state == VmState::Running).await;
}

#[tokio::test]
async fn a_guest_without_a_definition_that_powers_itself_off_is_told_as_that() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let mut stream = api.stream().await;
    let definition = demo.virsh_succeeds("alpha", &["dumpxml", "cache", "--inactive"]);
    let file = demo.dir().join("cache-again.xml");
    std::fs::write(&file, definition).expect("the demo's directory takes files");
    demo.virsh_succeeds("alpha", &["undefine", "cache"]);
    stream.until_vm("cache", |vm| vm.state == VmState::Running && !vm.persistent).await;
    let task = api.migrate("cache", "beta").await;
    let is_under_way = |now: &Migration| now.phase >= Phase::CopyingMemory && !now.phase.has_ended();
    stream.until_migration("cache", |now| task.ends_with(&now.id.to_string()) && is_under_way(now)).await;
    guest_writes(&demo, "alpha", "cache", POWER_OFF);
    let told = api.ended(&task).await;
    assert_eq!(told["status"], "failed", "{told}");
    assert!(told["message"].as_str().expect("it is text").contains("cache was shut down on alpha"), "{told}");
    assert!(demo.defined_on("cache").is_empty());
    demo.virsh_succeeds("alpha", &["define", &file.to_string_lossy()]);
    demo.virsh_succeeds("alpha", &["start", "cache"]);
}
