//! Every number that the page of a VM shows, against virsh: six kinds of VM. The page is rendered from what the API answers.

use std::{fs, os::unix::fs::PermissionsExt};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    DEMO,
    support::{Api, Demo, LIMIT},
    vms::until,
};

/// The host with the VMs.
const HOST: &str = "alpha";
/// A pool of the test's own.
const POOL: &str = "shown";

/// A kind of VM, by name.
struct Kind {
    name: &'static str,
    /// What its definition has beside the ordinary.
    head: &'static str,
    devices: String,
    /// What is done to it after it is defined; without "define" it has no definition.
    steps: Vec<Vec<&'static str>>,
}

/// What the six VMs use, taken away at the end.
struct Shown<'a> {
    demo: &'a Demo,
    kinds: Vec<Kind>,
}

impl<'a> Shown<'a> {
    fn make(demo: &'a Demo) -> Self {
        let directory = demo.dir().join(POOL);
        fs::create_dir_all(&directory).expect("the demo's directory takes files");
        // The demo's daemons are not root, as the test may be.
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(&directory, open).expect("it is the test's own");
        demo.virsh_succeeds(HOST, &["pool-create-as", POOL, "dir", "--target", &directory.to_string_lossy()]);
        for (name, format) in [("one.qcow2", "qcow2"), ("two.raw", "raw"), ("three.qcow2", "qcow2")] {
            demo.virsh_succeeds(HOST, &["vol-create-as", POOL, name, "64M", "--format", format]);
        }
        let kinds = kinds(&directory.to_string_lossy());
        for kind in &kinds {
            kind.make(demo);
        }
        Self { demo, kinds }
    }
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        for kind in &self.kinds {
            self.demo.virsh(HOST, &["destroy", kind.name]);
            self.demo.virsh(HOST, &["undefine", kind.name, "--snapshots-metadata"]);
        }
        self.demo.virsh(HOST, &["pool-destroy", POOL]);
    }
}

fn kinds(directory: &str) -> Vec<Kind> {
    let disk = |file: &str, format: &str, target: &str| {
        format!(
            "<disk type='file' device='disk'><driver name='qemu' type='{format}'/><source file='{directory}/{file}'/>
             <target dev='{target}' bus='virtio'/></disk>"
        )
    };
    let interface = |mac: &str, link: &str| {
        format!("<interface type='user'><mac address='{mac}'/><model type='virtio'/><link state='{link}'/></interface>")
    };
    let define = || vec!["define"];
    vec![
        Kind {
            name: "grown",
            head: "<maxMemory slots='2' unit='MiB'>1024</maxMemory><memory unit='MiB'>256</memory><vcpu current='1'>4</vcpu>
                   <cpu mode='custom'><model>qemu64</model>
                   <numa><cell id='0' cpus='0-3' memory='256' unit='MiB'/></numa></cpu>",
            devices: String::new(),
            steps: vec![define(), vec!["start"]],
        },
        Kind {
            name: "off",
            head: "<title>Archive of 2019</title><description>Kept for the auditors.</description>
                   <metadata><tags xmlns='urn:vmferry:vm:1'><tag>cold</tag><tag>audit</tag></tags></metadata>
                   <memory unit='MiB'>64</memory><vcpu>2</vcpu>",
            devices: disk("one.qcow2", "qcow2", "vda"),
            steps: vec![define(), vec!["snapshot-create-as", "NAME", "first"], vec!["autostart"]],
        },
        Kind {
            name: "paused",
            head: "<memory unit='MiB'>64</memory><vcpu>1</vcpu>",
            devices: disk("two.raw", "raw", "vda") + "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>",
            steps: vec![define(), vec!["start"], vec!["suspend"]],
        },
        Kind {
            name: "transient",
            head: "<memory unit='MiB'>128</memory><vcpu>1</vcpu>",
            devices: interface("52:54:00:00:0a:01", "up"),
            steps: vec![vec!["create"]],
        },
        Kind {
            name: "balloon",
            head: "<memory unit='MiB'>256</memory><currentMemory unit='MiB'>128</currentMemory><vcpu>3</vcpu>",
            devices: "<memballoon model='virtio'/>".to_owned() + &interface("52:54:00:00:0a:02", "down"),
            steps: vec![define()],
        },
        Kind {
            name: "qcow",
            head: "<memory unit='MiB'>64</memory><vcpu>1</vcpu>",
            devices: disk("three.qcow2", "qcow2", "vda") + &interface("52:54:00:00:0a:03", "up"),
            steps: vec![define(), vec!["start"]],
        },
    ]
}

impl Kind {
    fn make(&self, demo: &Demo) {
        let Self { name, head, devices, steps } = self;
        let balloon = if devices.contains("memballoon") { "" } else { "<memballoon model='none'/>" };
        let xml = format!(
            "<domain type='qemu'><name>{name}</name>{head}
             <os><type arch='x86_64' machine='q35'>hvm</type></os><features><acpi/></features>
             <devices><controller type='usb' model='none'/>{balloon}{devices}</devices></domain>"
        );
        let file = demo.dir().join(format!("{name}.xml"));
        fs::write(&file, xml).expect("the demo's directory takes files");
        let file = file.to_string_lossy();
        for step in steps {
            let of_what = if matches!(step[0], "define" | "create") { &*file } else { *name };
            let arguments: Vec<&str> = match &step[..] {
                [verb] => vec![*verb, of_what],
                [verb, _, rest @ ..] => [&[*verb, of_what], rest].concat(),
                [] => continue,
            };
            demo.virsh_succeeds(HOST, &arguments);
        }
    }
}

/// What virsh says after a name and a colon.
pub(crate) fn after<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.trim_start().strip_prefix(':'));
    line.unwrap_or_else(|| panic!("{name} is in {text}")).trim()
}

fn kib(text: &str) -> Value {
    let number: u64 = text.split_whitespace().next().and_then(|word| word.parse().ok()).expect("virsh says KiB");
    json!(number * 1024)
}

/// The rows of a table of virsh's.
pub(crate) fn rows(table: &str) -> Vec<Vec<&str>> {
    let rows = table.lines().skip(2).map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| !row.is_empty()).collect()
}

async fn equals_virshs(demo: &Demo, api: &Api, name: &str) {
    let virsh = |arguments: &[&str]| demo.virsh_succeeds(HOST, arguments);
    let uuid = virsh(&["domuuid", name]).trim().to_owned();
    let shown = until(api, &format!("/api/vms/{uuid}"), StatusCode::OK).await;
    let info = virsh(&["dominfo", name]);
    assert_eq!((&shown["uuid"], &shown["name"], &shown["host"]), (&json!(uuid), &json!(name), &json!(HOST)));
    let state = after(&info, "State").replace("shut off", "shut-off");
    assert_eq!(shown["state"], json!(state), "{name}");
    assert_eq!(shown["memory_bytes"], kib(after(&info, "Max memory")), "{name}");
    assert_eq!(shown["memory_now_bytes"], kib(after(&info, "Used memory")), "{name}");
    assert_eq!(shown["persistent"], json!(after(&info, "Persistent") == "yes"), "{name}");
    assert_eq!(shown["autostart"], json!(after(&info, "Autostart") == "enable"), "{name}");
    let is_off = state == "shut-off";
    let now = if is_off { "--config" } else { "--live" };
    for (field, kind) in [("vcpus", "--current"), ("vcpus_max", "--maximum")] {
        let count: u32 = virsh(&["vcpucount", name, kind, now]).trim().parse().expect("virsh says a number");
        assert_eq!(shown[field], json!(count), "{name}: {kind}");
    }
    let snapshots = virsh(&["snapshot-list", name, "--name"]).lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(shown["snapshots"], json!(snapshots), "{name}");
    disks_equal_virshs(demo, name, &shown);
    let table = virsh(&["domiflist", name]);
    let (interfaces, rows) = (shown["interfaces"].as_array().expect("a list"), rows(&table));
    assert_eq!(interfaces.len(), rows.len(), "{name}");
    for (interface, row) in interfaces.iter().zip(rows) {
        assert_eq!((&interface["kind"], &interface["mac"]), (&json!(row[1]), &json!(row[4])), "{name}");
        let of_which = if is_off { &["--config"][..] } else { &[] };
        let link = virsh(&[&["domif-getlink", name, row[4]], of_which].concat());
        assert_eq!(interface["link_up"], json!(!link.contains("down")), "{name}: {link}");
    }
    let definition = api.send(reqwest::Method::GET, &format!("/api/vms/{uuid}/xml"), None).await;
    assert_eq!(definition.text().await.expect("XML is text").trim(), virsh(&["dumpxml", name]).trim(), "{name}");
}

fn disks_equal_virshs(demo: &Demo, name: &str, shown: &Value) {
    let table = demo.virsh_succeeds(HOST, &["domblklist", name, "--details"]);
    let (disks, rows) = (shown["disks"].as_array().expect("a list"), rows(&table));
    assert_eq!(disks.len(), rows.len(), "{name}");
    for (disk, row) in disks.iter().zip(&rows) {
        assert_eq!((&disk["device"], &disk["target"]), (&json!(row[1]), &json!(row[2])), "{name}");
        if row[3] == "-" {
            assert_eq!((&disk["source"], &disk["capacity_bytes"]), (&Value::Null, &Value::Null), "{name}");
            continue;
        }
        assert_eq!((&disk["source"], &disk["pool"]), (&json!(row[3]), &json!(POOL)), "{name}");
        let info = demo.virsh_succeeds(HOST, &["domblkinfo", name, row[2]]);
        let number = |of: &str| json!(after(&info, of).parse::<u64>().expect("virsh says bytes"));
        assert_eq!(disk["capacity_bytes"], number("Capacity"), "{name}");
        assert_eq!(disk["allocation_bytes"], number("Allocation"), "{name}");
    }
}

#[tokio::test]
async fn every_number_equals_virshs() {
    let demo = DEMO.lock().await;
    let api = demo.login().await;
    let shown = Shown::make(&demo);
    for kind in &shown.kinds {
        equals_virshs(&demo, &api, kind.name).await;
    }
    let off = demo.virsh_succeeds(HOST, &["domuuid", "off"]);
    let (_, off) = api.get(&format!("/api/vms/{}", off.trim())).await;
    assert_eq!((&off["title"], &off["tags"]), (&json!("Archive of 2019"), &json!(["cold", "audit"])));
    assert_eq!(off["description"], json!("Kept for the auditors."));

    // What is plugged in while it runs is shown at once: libvirt tells of no CPU, so that the host is asked.
    demo.virsh_succeeds(HOST, &["setvcpus", "grown", "3", "--live"]);
    let memory = demo.dir().join("memory.xml");
    let module = "<memory model='dimm'><target><size unit='MiB'>128</size><node>0</node></target></memory>";
    fs::write(&memory, module).expect("the demo's directory takes files");
    demo.virsh_succeeds(HOST, &["attach-device", "grown", &memory.to_string_lossy(), "--live"]);
    let path = format!("/api/vms/{}", demo.virsh_succeeds(HOST, &["domuuid", "grown"]).trim());
    let has_grown = async { while api.get(&path).await.1["memory_bytes"] != json!(384_u64 << 20) {} };
    timeout(LIMIT, has_grown).await.expect("what is plugged in is shown");
    equals_virshs(&demo, &api, "grown").await;
    let (_, grown) = api.get(&path).await;
    assert_eq!((&grown["vcpus"], &grown["memory_bytes"]), (&json!(3), &json!(384_u64 << 20)));
}
