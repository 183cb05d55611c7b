//! The VMs of the host that is emptied: twelve, of mixed sizes, of which a third rests, a third changes a little, and a third a lot.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use demo::BootSector;
use model::VmId;
use tokio::time::{sleep, timeout};

use crate::support::LIMIT;

/// Memory in MiB, what it changes in MiB/s, and within which part of it, in MiB.
const SIZES: [(u32, u32, u32); 12] = [
    (96, 0, 0),
    (64, 8, 40),
    (160, 2, 64),
    (48, 0, 0),
    (128, 10, 48),
    (64, 3, 32),
    (192, 0, 0),
    (96, 12, 56),
    (80, 4, 40),
    (64, 0, 0),
    (112, 9, 64),
    (96, 3, 48),
];
/// The smallest disk that the firmware boots from, in bytes.
const DISK_BYTES: usize = 1 << 20;

/// A VM.
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) id: VmId,
    pub(crate) memory_mib: u32,
    dirty_mib_s: u32,
    working_set_mib: u32,
}

/// All of them, in the order of their names.
pub(crate) fn all() -> Vec<Guest> {
    let guest = |((memory_mib, dirty_mib_s, working_set_mib), number): ((u32, u32, u32), u32)| Guest {
        name: format!("vm-{number:02}"),
        id: format!("766d6665-7272-4907-8000-{number:012}").parse().expect("it is a UUID"),
        memory_mib,
        dirty_mib_s,
        working_set_mib,
    };
    SIZES.into_iter().zip(1..).map(guest).collect()
}

impl Guest {
    fn text(&self) -> String {
        format!("{} has filled its memory", self.name)
    }

    fn file(&self, directory: &Path, end: &str) -> PathBuf {
        directory.join(format!("{}.{end}", self.name))
    }

    /// Writes its disk and its definition into a directory; the path of the definition.
    pub(crate) fn write(&self, directory: &Path) -> PathBuf {
        let text = self.text();
        let sector = BootSector {
            memory_end: self.memory_mib << 20,
            working_set_end: (1 + self.working_set_mib) << 20,
            dirty_mib_per_second: self.dirty_mib_s,
            text: &text,
        };
        let mut contents = vec![0; DISK_BYTES];
        contents[..512].copy_from_slice(&sector.assembled());
        fs::write(self.file(directory, "img"), contents).expect("there is room");
        fs::write(self.file(directory, "console"), "").expect("there is room");
        let definition = self.file(directory, "xml");
        fs::write(&definition, self.xml(directory)).expect("there is room");
        definition
    }

    /// Returns when it has filled its memory.
    pub(crate) async fn until_filled(&self, directory: &Path) {
        let (console, text) = (self.file(directory, "console"), self.text());
        let filled = async {
            while !fs::read_to_string(&console).is_ok_and(|written| written.contains(&text)) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(LIMIT, filled).await.expect("it fills its memory");
    }

    fn xml(&self, directory: &Path) -> String {
        let Self { name, id, memory_mib, .. } = self;
        let [disk, console] = ["img", "console"].map(|end| self.file(directory, end));
        format!(
            "<domain type='qemu'>
  <name>{name}</name>
  <uuid>{id}</uuid>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/><tcg><tb-cache unit='MiB'>4</tb-cache></tcg></features>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <serial type='file'><source path='{}' append='on'/></serial>
    <video><model type='none'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
",
            disk.display(),
            console.display(),
        )
    }
}
