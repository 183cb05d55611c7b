//! The VM that is moved: the demo's guest, which fills its memory with data that can't be compressed, says so on its serial console and
//! counts the timer's ticks on its screen. Its disk is served by NBD, so that both hosts have it, registered or not.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use demo::BootSector;
use tokio::time::{sleep, timeout};

use super::{
    lab::{LabHost, SANDBOX_ADDRESS},
    support::LIMIT,
};

/// What it says when its memory is full.
const FILLED: &str = "memory is full";
/// The address where it counts ticks: the first character of the screen's second line (HEARTBEAT in boot_sector.S).
const HEARTBEAT: &str = "0xb80a0";
/// The address of the marker, in the middle of its memory.
const MARKER: &str = "0x1000000";

/// The smallest disk that the firmware boots from, in bytes.
const DISK_SIZE: usize = 1 << 20;

pub(crate) const NAME: &str = "web";
/// Its memory in MiB.
pub(crate) const MEMORY_MIB: u32 = 32;

/// The VM.
pub(crate) struct Guest {
    definition: PathBuf,
    console: PathBuf,
}

impl Guest {
    /// Writes its disk and its definition into a directory, and serves the disk as long as the sandbox exists.
    pub(crate) fn new(directory: &Path) -> Self {
        let (disk, console, definition) =
            (directory.join("web.img"), directory.join("web.console"), directory.join("web.xml"));
        fs::write(&disk, new_disk()).expect("there is room");
        fs::write(&definition, xml(&console)).expect("there is room");
        let serve = Command::new("qemu-nbd")
            .args(["--fork", "--persistent", "--format=raw", "--shared=8", "--bind", SANDBOX_ADDRESS])
            .arg(&disk)
            .status();
        assert!(serve.expect("qemu-nbd is installed").success(), "the disk can't be served");
        Self { definition, console }
    }

    /// Starts it on a host; returns when its memory is full.
    pub(crate) async fn start(&self, host: &LabHost) {
        fs::write(&self.console, "").expect("there is room");
        host.virsh(&["define", &self.definition.to_string_lossy()]);
        host.virsh(&["start", NAME]);
        until("its memory is full", || fs::read_to_string(&self.console).is_ok_and(|text| text.contains(FILLED))).await;
    }

    /// Removes it from a host, running or not.
    pub(crate) fn remove(&self, host: &LabHost) {
        for arguments in [["destroy", NAME], ["undefine", NAME]] {
            // It may be shut off or not there.
            let _ = host.try_virsh(&arguments);
        }
    }

    /// Its state, according to libvirt on a host; none if it is not there.
    pub(crate) fn state(&self, host: &LabHost) -> Option<String> {
        let output = host.try_virsh(&["domstate", NAME]);
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Waits until it has executed something on this host.
    pub(crate) async fn until_alive(&self, host: &LabHost) {
        let before = memory(host, HEARTBEAT, 1);
        until("the guest goes on", || memory(host, HEARTBEAT, 1) != before).await;
    }

    /// 64 bytes of its memory, which occur in no other data.
    pub(crate) fn marker(&self, host: &LabHost) -> Vec<u8> {
        memory(host, MARKER, 64)
    }
}

/// Waits until a condition holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(LIMIT, wait).await.is_ok(), "{what}: not within {LIMIT:?}");
}

/// Bytes of its memory, read by QEMU's monitor.
fn memory(host: &LabHost, address: &str, count: usize) -> Vec<u8> {
    let output = host.virsh(&["qemu-monitor-command", NAME, "--hmp", &format!("xp /{count}xb {address}")]);
    let numbers = demo::monitor_numbers(&output).expect("QEMU writes hexadecimal");
    let bytes: Vec<u8> =
        numbers.into_iter().map(|number| u8::try_from(number).expect("it was asked for bytes")).collect();
    assert_eq!(bytes.len(), count, "{output}");
    bytes
}

/// A disk with nothing but the boot sector.
fn new_disk() -> Vec<u8> {
    let boot_sector =
        BootSector { memory_end: MEMORY_MIB << 20, working_set_end: 0, dirty_mib_per_second: 0, text: FILLED };
    let boot_sector = boot_sector.assembled();
    let mut disk = vec![0; DISK_SIZE];
    disk[..boot_sector.len()].copy_from_slice(&boot_sector);
    disk
}

fn xml(console: &Path) -> String {
    format!(
        "<domain type='qemu'>
  <name>{NAME}</name>
  <memory unit='MiB'>{MEMORY_MIB}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/><tcg><tb-cache unit='MiB'>4</tb-cache></tcg></features>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <devices>
    <disk type='network' device='disk'>
      <driver name='qemu' type='raw'/>
      <source protocol='nbd'><host name='{SANDBOX_ADDRESS}'/></source>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <serial type='pty'><log file='{}' append='on'/></serial>
    <video><model type='vga' vram='1024'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
",
        console.display()
    )
}
