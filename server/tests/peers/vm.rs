//! A VM of a test's own on alpha, made by virsh and removed from all hosts at the end of the test.

use std::{
    fs,
    path::{Path, PathBuf},
};

use model::VmState;

use crate::support::{Demo, Stream};

/// A pool on alpha and beta, each with its own directory; gamma has none.
const POOL: &str = "peers";

/// A VM with 16 MiB of memory whose BIOS finds nothing to boot.
pub(crate) struct Vm<'a> {
    demo: &'a Demo,
    pub(crate) name: &'static str,
}

impl<'a> Vm<'a> {
    /// Starts one without a disk.
    pub(crate) async fn start(demo: &'a Demo, stream: &mut Stream, name: &'static str) -> Self {
        Self::define(demo, name, "").run(stream).await
    }

    /// Starts one with a disk that only alpha has.
    pub(crate) async fn start_with_disk(demo: &'a Demo, stream: &mut Stream, name: &'static str) -> Self {
        for host in ["alpha", "beta"] {
            make_pool(demo, host);
        }
        demo.virsh_succeeds("alpha", &["vol-create-as", POOL, &volume(name), "4M", "--format", "raw"]);
        let image = pool_directory(demo, "alpha").join(volume(name));
        Self::define(demo, name, &disk_xml(&image)).run(stream).await
    }

    /// Defines one without a disk, and does not start it.
    pub(crate) async fn shut_off(demo: &'a Demo, stream: &mut Stream, name: &'static str) -> Self {
        let vm = Self::define(demo, name, "");
        stream.until_vm(name, |vm| vm.state == VmState::ShutOff).await;
        vm
    }

    fn define(demo: &'a Demo, name: &'static str, disk: &str) -> Self {
        let vm = Self { demo, name };
        let file = demo.dir().join(format!("{name}.xml"));
        let xml = format!(
            "<domain type='qemu'><name>{name}</name><memory unit='MiB'>16</memory><vcpu>1</vcpu>
             <os><type arch='x86_64' machine='pc'>hvm</type></os><features><acpi/></features>
             <devices>{disk}<controller type='usb' model='none'/><memballoon model='none'/></devices></domain>"
        );
        fs::write(&file, xml).expect("the demo's directory takes files");
        demo.virsh_succeeds("alpha", &["define", &file.to_string_lossy()]);
        vm
    }

    async fn run(self, stream: &mut Stream) -> Self {
        self.demo.virsh_succeeds("alpha", &["start", self.name]);
        stream.until_vm(self.name, |vm| vm.state == VmState::Running).await;
        self
    }

    /// Fails unless the VM runs on alpha, and is defined on no other host.
    pub(crate) fn assert_stayed(&self) {
        assert_stayed(self.demo, self.name);
    }

    /// Fails unless the VM runs on this host, and is defined on no other.
    pub(crate) fn assert_moved_to(&self, host: &str) {
        assert_moved_to(self.demo, self.name, host);
    }

    /// Whether the VM is persistent on a host.
    pub(crate) fn is_persistent_on(&self, host: &str) -> bool {
        let output = self.demo.virsh_succeeds(host, &["dominfo", self.name]);
        output.lines().any(|line| line.starts_with("Persistent:") && line.ends_with("yes"))
    }

    /// Whether a host's pool has a volume of the VM.
    pub(crate) fn has_volume_on(&self, host: &str) -> bool {
        self.demo.virsh_succeeds(host, &["pool-refresh", POOL]);
        let output = self.demo.virsh_succeeds(host, &["vol-list", POOL]);
        output.lines().any(|line| line.split_whitespace().next() == Some(&volume(self.name)))
    }

    /// Makes a volume on beta with the disk's name and another size.
    pub(crate) fn make_other_volume_on_beta(&self) {
        self.demo.virsh_succeeds("beta", &["vol-create-as", POOL, &volume(self.name), "8M", "--format", "raw"]);
    }
}

impl Drop for Vm<'_> {
    fn drop(&mut self) {
        // Errors are ignored: most hosts have nothing of the VM, and one may not answer.
        for host in ["alpha", "beta", "gamma"] {
            self.demo.virsh(host, &["destroy", self.name]);
            self.demo.virsh(host, &["undefine", self.name]);
            self.demo.virsh(host, &["vol-delete", "--pool", POOL, &volume(self.name)]);
        }
    }
}

/// Fails unless a VM runs on alpha, and is defined on no other host.
pub(crate) fn assert_stayed(demo: &Demo, name: &str) {
    assert_eq!((demo.runs_on(name), demo.defined_on(name)), (vec!["alpha"], vec!["alpha"]), "{name} stays");
}

/// Fails unless a VM runs on this host, and is defined on no other.
pub(crate) fn assert_moved_to(demo: &Demo, name: &str, host: &str) {
    assert_eq!((demo.runs_on(name), demo.defined_on(name)), (vec![host], vec![host]), "{name} is on {host}");
}

fn volume(name: &str) -> String {
    format!("{name}.img")
}

fn disk_xml(image: &Path) -> String {
    format!(
        "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{}'/><target dev='vda' bus='virtio'/></disk>",
        image.display()
    )
}

fn pool_directory(demo: &Demo, host: &str) -> PathBuf {
    demo.dir().join(host).join(POOL)
}

fn make_pool(demo: &Demo, host: &str) {
    if demo.virsh(host, &["pool-list", "--name"]).lines().any(|name| name.trim() == POOL) {
        return;
    }
    let directory = pool_directory(demo, host);
    demo.virsh_succeeds(host, &["pool-define-as", POOL, "dir", "--target", &directory.to_string_lossy()]);
    demo.virsh_succeeds(host, &["pool-build", POOL]);
    // So that it is active again after the daemon was killed.
    demo.virsh_succeeds(host, &["pool-autostart", POOL]);
    demo.virsh_succeeds(host, &["pool-start", POOL]);
}
