//! A VM as the API shows it: what libvirt says of it now, and which of several with one UUID it is.

use std::{fs, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{
    DEMO,
    support::{Api, Demo, LIMIT},
};

const UUID: &str = "766d6665-7272-4901-8000-0000000000a1";

/// A VM of a test's own, which is taken away at its end.
struct Defined<'a> {
    demo: &'a Demo,
    host: &'static str,
    name: &'static str,
}

impl<'a> Defined<'a> {
    fn start(demo: &'a Demo, host: &'static str, name: &'static str, uuid: &str) -> Self {
        let defined = Self { demo, host, name };
        let file = demo.dir().join(format!("{name}.xml"));
        let xml = format!(
            "<domain type='qemu'><name>{name}</name><uuid>{uuid}</uuid>
             <memory unit='MiB'>256</memory><currentMemory unit='MiB'>64</currentMemory><vcpu current='1'>4</vcpu>
             <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
             <devices><controller type='usb' model='none'/><memballoon model='none'/></devices></domain>"
        );
        fs::write(&file, xml).expect("the demo's directory takes files");
        demo.virsh_succeeds(host, &["define", &file.to_string_lossy()]);
        demo.virsh_succeeds(host, &["start", name]);
        defined
    }
}

impl Drop for Defined<'_> {
    fn drop(&mut self) {
        self.demo.virsh(self.host, &["destroy", self.name]);
        self.demo.virsh(self.host, &["undefine", self.name]);
    }
}

/// Polls an address until it is answered so.
pub(crate) async fn until(api: &Api, path: &str, status: StatusCode) -> Value {
    let poll = async {
        loop {
            let (answered, body) = api.get(path).await;
            if answered == status {
                return body;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LIMIT, poll).await.expect("the console hears of it")
}

#[tokio::test]
async fn what_a_vm_has_now_and_the_most_it_can_have_are_told_at_once() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let _vm = Defined::start(&demo, "alpha", "grows", UUID);
    let path = "/plugins/kimchi/vms/grows";
    let vm = until(&api, path, StatusCode::OK).await;
    assert_eq!(vm["cpu_info"], json!({"vcpus": 1, "maxvcpus": 4}));
    assert_eq!(vm["memory"]["maxmemory"], 256);
    demo.virsh_succeeds("alpha", &["setvcpus", "grows", "3", "--live"]);
    let (_, vm) = api.get(path).await;
    assert_eq!(
        vm["cpu_info"],
        json!({"vcpus": 3, "maxvcpus": 4}),
        "libvirt tells of no plugged CPU: the host is asked"
    );
    demo.virsh_succeeds("alpha", &["destroy", "grows"]);
    let (_, vm) = api.get(path).await;
    assert_eq!(vm["memory"], json!({"current": 64, "maxmemory": 256}));
}

#[tokio::test]
async fn two_vms_with_one_uuid_are_both_shown_and_neither_is_taken_for_the_other() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let _shop = Defined::start(&demo, "alpha", "shop", UUID);
    let _copy = Defined::start(&demo, "beta", "shop-copy", UUID);
    let shop = until(&api, "/plugins/kimchi/vms/shop", StatusCode::OK).await;
    let copy = until(&api, "/plugins/kimchi/vms/shop-copy", StatusCode::OK).await;
    assert_eq!((&shop["host"], &copy["host"]), (&json!("alpha"), &json!("beta")));
    assert_eq!((&shop["state"], &copy["state"]), (&json!("running"), &json!("running")));
    let (_, listed) = api.get("/plugins/kimchi/vms").await;
    let names: Vec<_> =
        listed.as_array().unwrap().iter().filter(|vm| vm["uuid"] == UUID).map(|vm| &vm["name"]).collect();
    assert_eq!(names, ["shop", "shop-copy"]);
    let request = json!({"destination": "gamma"});
    let (status, refused) = api.post("/plugins/kimchi/vms/shop-copy/migrate", request).await;
    assert_eq!((status, &refused["code"]), (StatusCode::CONFLICT, &json!("uuid-twin")), "{refused}");
    assert_eq!((demo.runs_on("shop"), demo.runs_on("shop-copy")), (vec!["alpha"], vec!["beta"]));
}
