//! The VMs as libvirt sees them: their XML, their start, and waiting until they have filled their memory.

use std::{ffi::OsStr, fs, path::PathBuf, time::Duration};

use tokio::time::{sleep, timeout};

use crate::{
    DemoError,
    directory::Directory,
    guest::Guest,
    host::DemoHost,
    programs::Programs,
    service::{START_LIMIT, not_ready},
    storage::{self, Disks},
    virsh,
};

/// How much memory QEMU may use for translated code, in MiB: the boot sector needs next to nothing of its 1 GiB default.
const TRANSLATION_CACHE_MIB: u32 = 4;

/// Defines the VM on the host and starts it.
pub(crate) async fn start(
    programs: &Programs,
    host: &DemoHost,
    directory: &Directory,
    disks: Disks,
    guest: &Guest,
) -> Result<(), DemoError> {
    let file = directory.path().join(format!("{}.xml", guest.name));
    fs::write(&file, xml(directory, disks, guest)).map_err(DemoError::io("write", &file))?;
    let name = OsStr::new(&guest.name);
    virsh::run(programs, host, &format!("Defining VM {}", guest.name), &[OsStr::new("define"), file.as_ref()]).await?;
    virsh::run(programs, host, &format!("Starting VM {}", guest.name), &[OsStr::new("start"), name]).await
}

/// Returns when the VM has filled its memory, which it then writes on its serial console.
pub(crate) async fn wait_until_filled(directory: &Directory, guest: &Guest) -> Result<(), DemoError> {
    let console = console(directory, guest);
    let text = guest.text();
    let filled = async {
        while !fs::read_to_string(&console).is_ok_and(|written| written.contains(&text)) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(START_LIMIT, filled).await.map_err(|_| not_ready(&format!("VM {}", guest.name), &console))
}

/// What the VM wrote on its serial console, on whichever host.
fn console(directory: &Directory, guest: &Guest) -> PathBuf {
    storage::shared(directory).join(format!("{}.console", guest.name))
}

/// The machine that boot_sector.S was written for: a "pc" with its ACPI registers at 0x600, and as few devices as possible, so
/// that an idle VM leaves the processor alone.
fn xml(directory: &Directory, disks: Disks, guest: &Guest) -> String {
    let Guest { name, uuid, title, memory_mib, .. } = guest;
    let disk = disks.xml(directory, guest);
    let console = console(directory, guest);
    let console = console.display();
    format!(
        "<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <title>{title}</title>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/><tcg><tb-cache unit='MiB'>{TRANSLATION_CACHE_MIB}</tb-cache></tcg></features>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <devices>
    {disk}
    <controller type='usb' model='none'/>
    <serial type='pty'><log file='{console}' append='on'/></serial>
    <graphics type='vnc' autoport='yes'/>
    <video><model type='vga' vram='1024'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
"
    )
}
