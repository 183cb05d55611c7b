//! Two privileged hosts with a console, for storage that session mode lacks.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use model::{Phase, VmState};
use serde_json::{Value, json};

use super::{
    guest::Console,
    lab::{Lab, LabHost, Sandbox},
    support::{Api, Served, Stream},
    vm::domain_xml,
};

/// The hosts red and blue, the console that knows them, and a client of its API.
pub(crate) struct Site {
    pub(crate) lab: Lab,
    pub(crate) api: Api,
    pub(crate) stream: Stream,
    sandbox: Sandbox,
    _served: Served,
}

impl Site {
    pub(crate) async fn start(sandbox: Sandbox) -> Self {
        let lab = sandbox.start().await;
        let host = |host: &LabHost| (host.name, host.address.parse().expect("it is an address"), "system");
        let served = Served::start(&sandbox.shared(), [host(&lab.red), host(&lab.blue)]);
        let api = served.login().await;
        let mut stream = api.stream().await;
        for name in ["red", "blue"] {
            stream.until_host(name, model::Host::is_connected).await;
        }
        Self { lab, api, stream, sandbox, _served: served }
    }

    /// Starts a pool on a host.
    pub(crate) fn start_pool(&self, host: &LabHost, name: &str, xml: &str) {
        host.virsh(&["pool-define", &self.file(&format!("{name}.pool.xml"), xml)]);
        host.virsh(&["pool-start", name]);
    }

    /// Starts a VM with the guest of guest.S and this disk on red; returns when the guest has written to it.
    pub(crate) async fn start_vm(&mut self, name: &str, disk: &str) -> Console {
        let console = self.define_vm(name, disk).await;
        self.lab.red.virsh(&["start", name]);
        console.until_passes(1).await;
        self.stream.until_vm(name, |vm| vm.state.is_active()).await;
        console
    }

    /// Defines a VM with this disk on red.
    pub(crate) async fn define_vm(&mut self, name: &str, disk: &str) -> Console {
        let console = Console(self.sandbox.shared().join(format!("{name}.console")));
        let file = self.file(&format!("{name}.xml"), &domain_xml(name, disk, &console.0));
        self.lab.red.virsh(&["define", &file]);
        self.stream.until_vm(name, |vm| vm.state == VmState::ShutOff).await;
        console
    }

    /// The console's preflight report for a VM's move to blue.
    pub(crate) async fn preflight(&self, vm: &str) -> Value {
        let (status, answer) = self.api.get(&format!("/plugins/kimchi/vms/{vm}/migrate?destination=blue")).await;
        assert!(status.is_success(), "{answer}");
        answer["destinations"][0].clone()
    }

    /// Moves a VM to blue. Fails unless the migration succeeds and copies no disk, and waits until the guest has read there what it
    /// wrote before.
    pub(crate) async fn move_memory_only(&mut self, vm: &str, console: &Console) {
        self.api.migrate_with(vm, json!({"destination": "blue", "remove_source_disks": true})).await;
        let states = self.stream.migration_of(vm).await;
        assert_eq!(states.last().map(|end| end.phase), Some(Phase::Succeeded), "{states:?}");
        assert!(states.iter().all(|state| state.phase != Phase::CopyingDisks && state.disks.is_empty()), "{states:?}");
        console.until_two_more_passes().await;
        assert_eq!((self.vms_on(&self.lab.red), self.vms_on(&self.lab.blue)), (String::new(), vm.to_owned()));
    }

    /// The VMs of a host, according to virsh.
    pub(crate) fn vms_on(&self, host: &LabHost) -> String {
        host.virsh(&["list", "--all", "--name"]).trim().to_owned()
    }

    /// A new directory outside all hosts, for servers.
    pub(crate) fn directory(&self, name: &str) -> PathBuf {
        let directory = self.sandbox.shared().join(name);
        fs::create_dir(&directory).expect("it is new");
        directory
    }

    fn file(&self, name: &str, content: &str) -> String {
        let file = self.sandbox.shared().join(name);
        fs::write(&file, content).expect("the sandbox has room");
        file.display().to_string()
    }
}

/// Whether something that a test needs is missing here; prints it.
pub(crate) fn is_missing(what: &str, found: bool) -> bool {
    if !found {
        // Not with a macro, whose output the test harness captures.
        let _ = writeln!(io::stderr(), "\nPASSED OVER: there is no {what} here\n");
    }
    !found
}

/// The severities of a preflight report's findings with this code.
pub(crate) fn severities<'a>(preflight: &'a Value, code: &str) -> Vec<&'a str> {
    let findings = preflight["findings"].as_array().expect("a preflight has findings");
    let of_code = findings.iter().filter(|finding| finding["code"] == code);
    of_code.filter_map(|finding| finding["severity"].as_str()).collect()
}

/// The names of the files in a directory, in order.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).expect("it is a directory");
    let mut names: Vec<_> = files.flatten().map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
