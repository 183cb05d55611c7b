//! A VM, made by virsh, whose disk is in a directory pool of its host's own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use model::Phase;
use serde_json::json;

use super::{
    guest::{self, Console},
    support::{Api, Demo, Stream},
};

/// The pool's name on every host; each has its own directory.
pub(crate) const POOL: &str = "images";
/// Another pool, which is on beta only.
pub(crate) const OTHER_POOL: &str = "archive";

/// A VM of this name, with the guest of guest.S.
pub(crate) struct Vm<'a> {
    pub(crate) demo: &'a Demo,
    pub(crate) name: &'static str,
    pub(crate) console: Console,
}

impl<'a> Vm<'a> {
    /// Makes the pools if they are missing, and a disk and a definition on alpha; does not start the VM.
    pub(crate) fn define(demo: &'a Demo, name: &'static str) -> Self {
        for (host, pool) in [("alpha", POOL), ("beta", POOL), ("beta", OTHER_POOL)] {
            make_pool(demo, host, pool);
        }
        let console = Console(demo.dir().join("shared").join(format!("{name}.console")));
        let vm = Self { demo, name, console };
        vm.make_disk();
        let file = demo.dir().join(format!("{name}.xml"));
        fs::write(&file, domain_xml(name, &file_disk_xml(&vm.image("alpha")), &vm.console.0))
            .expect("the demo's directory takes files");
        demo.virsh_succeeds("alpha", &["define", &file.to_string_lossy()]);
        vm
    }

    /// Defines the VM, starts it, and waits until the guest has written to its disk.
    pub(crate) async fn start(demo: &'a Demo, name: &'static str) -> Self {
        let vm = Self::define(demo, name);
        demo.virsh_succeeds("alpha", &["start", name]);
        vm.console.until_passes(1).await;
        vm
    }

    /// Begins a migration to beta, and returns its task as soon as a part of the disk is copied.
    pub(crate) async fn begin_copy(&self, api: &Api, stream: &mut Stream, bandwidth_mib_s: u32) -> String {
        let request = json!({"destination": "beta", "bandwidth_mib_s": bandwidth_mib_s});
        let task = api.migrate_with(self.name, request).await;
        stream
            .until_migration(self.name, |now| {
                assert!(!now.phase.has_ended(), "{now:?}");
                now.phase == Phase::CopyingDisks && now.progress.bytes_processed > 0
            })
            .await;
        assert_eq!(self.files_on("beta"), 1, "the copy is there");
        task
    }

    /// Where the disk's image is on a host.
    pub(crate) fn image(&self, host: &str) -> PathBuf {
        self.image_in(host, POOL)
    }

    /// Where the image would be in this pool.
    pub(crate) fn image_in(&self, host: &str, pool: &str) -> PathBuf {
        pool_directory(self.demo, host, pool).join(self.volume())
    }

    /// Where its disk is, according to libvirt on a host: in the live definition, and in the persistent one.
    pub(crate) fn disk_according_to(&self, host: &str) -> [PathBuf; 2] {
        [&["domblklist", self.name][..], &["domblklist", self.name, "--inactive"]].map(|arguments| {
            let table = self.demo.virsh_succeeds(host, arguments);
            let disk = table.lines().find_map(|line| line.trim().strip_prefix("vda"));
            disk.expect("it has a disk").trim().into()
        })
    }

    /// Fails unless a host has nothing of the VM: no definition, no volume, no file.
    pub(crate) fn assert_nothing_on(&self, host: &str) {
        assert!(!self.demo.defined_on(self.name).contains(&host), "{host} has a definition");
        assert_eq!(self.files_on(host), 0, "{host} has a file");
        let volumes = self.demo.virsh_succeeds(host, &["vol-list", POOL]);
        assert!(!volumes.contains(self.name), "{host} has a volume: {volumes}");
    }

    /// How many files of the VM are in a host's pool.
    pub(crate) fn files_on(&self, host: &str) -> usize {
        let files = fs::read_dir(pool_directory(self.demo, host, POOL)).expect("the pool has a directory");
        files.flatten().filter(|file| file.file_name().to_string_lossy().starts_with(self.name)).count()
    }

    /// Forces the VM off.
    pub(crate) fn stop(&self, host: &str) {
        self.demo.virsh_succeeds(host, &["destroy", self.name]);
    }

    fn volume(&self) -> String {
        format!("{}.qcow2", self.name)
    }

    fn make_disk(&self) {
        let new = self.demo.dir().join(self.volume());
        guest::write_new_disk(&new);
        let volume = self.volume();
        self.demo.virsh_succeeds("alpha", &["vol-create-as", POOL, &volume, "64M", "--format", "qcow2"]);
        self.demo.virsh_succeeds("alpha", &["vol-upload", "--pool", POOL, &volume, &new.to_string_lossy()]);
        fs::remove_file(new).expect("it was just written");
    }
}

/// A VM of this name with the guest of guest.S, its disk and the file that its serial console is logged to.
pub(crate) fn domain_xml(name: &str, disk: &str, console: &Path) -> String {
    format!(
        "<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>16</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <devices>
    {disk}
    <controller type='usb' model='none'/>
    <serial type='pty'><log file='{}' append='on'/></serial>
    <memballoon model='none'/>
  </devices>
</domain>
",
        console.display()
    )
}

/// A disk that is a qcow2 image in a file.
pub(crate) fn file_disk_xml(image: &Path) -> String {
    format!(
        "<disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/><source file='{}'/><target dev='vda' bus='virtio'/>
    </disk>",
        image.display()
    )
}

fn pool_directory(demo: &Demo, host: &str, pool: &str) -> PathBuf {
    demo.dir().join(host).join(pool)
}

fn make_pool(demo: &Demo, host: &str, pool: &str) {
    if demo.virsh(host, &["pool-list", "--name"]).lines().any(|name| name.trim() == pool) {
        return;
    }
    let directory = pool_directory(demo, host, pool);
    demo.virsh_succeeds(host, &["pool-define-as", pool, "dir", "--target", &directory.to_string_lossy()]);
    demo.virsh_succeeds(host, &["pool-build", pool]);
    // So that it is active again after the daemon was killed.
    demo.virsh_succeeds(host, &["pool-autostart", pool]);
    demo.virsh_succeeds(host, &["pool-start", pool]);
}
