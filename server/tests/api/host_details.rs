//! What the page of a host shows, against virsh. The page is rendered from what the API answers.

use std::{fs, os::unix::fs::PermissionsExt};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    DEMO,
    details::{after, rows},
    support::Demo,
};

const HOST: &str = "alpha";
const DETAILS: &str = "/api/hosts/alpha/details";

/// A pool of the test's own, which is taken away at its end.
struct OwnPool<'a>(&'a Demo, &'static str);

impl<'a> OwnPool<'a> {
    fn define(demo: &'a Demo, name: &'static str) -> Self {
        let directory = demo.dir().join(name);
        fs::create_dir_all(&directory).expect("the demo's directory takes files");
        // The demo's daemons are not root, as the test may be.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).expect("it is the test's own");
        demo.virsh_succeeds(HOST, &["pool-define-as", name, "dir", "--target", &directory.to_string_lossy()]);
        Self(demo, name)
    }
}

impl Drop for OwnPool<'_> {
    fn drop(&mut self) {
        self.0.virsh(HOST, &["pool-destroy", self.1]);
        self.0.virsh(HOST, &["pool-undefine", self.1]);
    }
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    let list = list.as_array().expect("a list");
    list.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} is in {list:?}"))
}

fn pools_equal_virshs(demo: &Demo, shown: &Value) {
    let table = demo.virsh_succeeds(HOST, &["pool-list", "--all"]);
    let rows = rows(&table);
    assert_eq!(shown.as_array().expect("a list").len(), rows.len(), "{shown}");
    for row in rows {
        let pool = named(shown, row[0]);
        let info = demo.virsh_succeeds(HOST, &["pool-info", "--bytes", row[0]]);
        assert_eq!(pool["state"], json!(after(&info, "State")), "{info}");
        assert_eq!(pool["autostart"], json!(after(&info, "Autostart") == "yes"), "{info}");
        let definition = demo.virsh_succeeds(HOST, &["pool-dumpxml", row[0]]);
        for field in ["kind", "path"] {
            let value = pool[field].as_str().expect("a text");
            assert!(definition.contains(value), "{field} {value}: {definition}");
        }
        if after(&info, "State") == "running" {
            for (field, name) in
                [("capacity_bytes", "Capacity"), ("allocation_bytes", "Allocation"), ("available_bytes", "Available")]
            {
                let bytes: u64 = after(&info, name).parse().expect("virsh says bytes");
                assert_eq!(pool[field], json!(bytes), "{field}: {info}");
            }
        }
    }
}

fn networks_equal_virshs(demo: &Demo, shown: &Value) {
    let table = demo.virsh(HOST, &["net-list", "--all"]);
    let rows = rows(&table);
    assert_eq!(shown.as_array().map_or(0, Vec::len), rows.len(), "{shown}: {table}");
    for row in rows {
        let info = demo.virsh_succeeds(HOST, &["net-info", row[0]]);
        let network = named(shown, row[0]);
        assert_eq!(network["active"], json!(after(&info, "Active") == "yes"), "{info}");
        assert_eq!(network["autostart"], json!(after(&info, "Autostart") == "yes"), "{info}");
    }
}

#[tokio::test]
async fn what_a_host_has_equals_virshs() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let pool = OwnPool::define(&demo, "host-page");
    let (status, before) = api.get(DETAILS).await;
    assert_eq!(status, StatusCode::OK, "{before}");
    assert_eq!(named(&before["resources"]["pools"], pool.1)["state"], "inactive");
    demo.virsh_succeeds(HOST, &["pool-start", pool.1]);
    demo.virsh_succeeds(HOST, &["vol-create-as", pool.1, "one.raw", "8M", "--allocation", "8M"]);
    // An answer is shared by all who look within a second.
    let running = async {
        loop {
            let (_, details) = api.get(DETAILS).await;
            if named(&details["resources"]["pools"], pool.1)["state"] == "running" {
                return details;
            }
        }
    };
    let details = tokio::time::timeout(crate::support::LIMIT, running).await.expect("the pool is shown as started");
    let resources = &details["resources"];
    pools_equal_virshs(&demo, &resources["pools"]);
    networks_equal_virshs(&demo, &resources["networks"]);
    let stats = demo.virsh_succeeds(HOST, &["nodememstats"]);
    let kib = |name: &str| -> u64 {
        let value = after(&stats, name).split_whitespace().next().and_then(|word| word.parse().ok());
        value.unwrap_or_else(|| panic!("{name} is in {stats}"))
    };
    assert_eq!(resources["memory_bytes"], json!(kib("total") * 1024));
    // Free memory changes from one question to the next.
    let free = resources["memory_unused_bytes"].as_u64().expect("a number").abs_diff(kib("free") * 1024);
    assert!(free < kib("total") * 1024 / 8, "{free} bytes apart: {resources}");
    let info = demo.virsh_succeeds(HOST, &["nodeinfo"]);
    assert_eq!(resources["cpus"], json!(after(&info, "CPU(s)").parse::<u32>().expect("virsh says a number")));
    let busy = resources["cpus_busy"].as_f64().expect("a number");
    assert!((0.0..=resources["cpus"].as_f64().expect("a number")).contains(&busy), "{busy}");
    assert_eq!((&details["errors"], &details["problem"]), (&json!([]), &Value::Null));
}
