//! The VM that is moved: the demo's guest, which writes faster than pre-copy may send. Its disk is in a directory that both hosts share.

use std::{
    fs,
    path::{Path, PathBuf},
};

use demo::BootSector;
use model::VmId;

/// What it says when its memory is full.
pub(crate) const FILLED: &str = "memory is full";
pub(crate) const NAME: &str = "cache";
/// Its memory, what of it is written to again and again, and how fast, in MiB (a second).
const MEMORY_MIB: u32 = 40;
const WORKING_SET_MIB: u32 = 32;
const DIRTY_MIB_S: u32 = 32;
/// The smallest disk that the firmware boots from, in bytes.
const DISK_SIZE: usize = 1 << 20;
/// The first address that it may write to.
const FIRST_PAGE: u32 = 1 << 20;

/// Its UUID.
pub(crate) fn id() -> VmId {
    "766d6665-7272-4903-8000-000000000001".parse().expect("it is a UUID")
}

/// Writes its disk and its definition into a directory; the paths of definition and console.
pub(crate) fn write(directory: &Path) -> [PathBuf; 2] {
    let [disk, console, definition] = ["img", "console", "xml"].map(|end| directory.join(format!("{NAME}.{end}")));
    let boot_sector = BootSector {
        memory_end: MEMORY_MIB << 20,
        working_set_end: FIRST_PAGE + (WORKING_SET_MIB << 20),
        dirty_mib_per_second: DIRTY_MIB_S,
        text: FILLED,
    };
    let mut contents = vec![0; DISK_SIZE];
    contents[..512].copy_from_slice(&boot_sector.assembled());
    fs::write(&disk, contents).expect("there is room");
    fs::write(&console, "").expect("there is room");
    fs::write(&definition, xml(&disk, &console)).expect("there is room");
    [definition, console]
}

fn xml(disk: &Path, console: &Path) -> String {
    format!(
        "<domain type='qemu'>
  <name>{NAME}</name>
  <uuid>{}</uuid>
  <memory unit='MiB'>{MEMORY_MIB}</memory>
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
    <serial type='pty'><log file='{}' append='on'/></serial>
    <video><model type='vga' vram='1024'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
",
        id(),
        disk.display(),
        console.display()
    )
}
