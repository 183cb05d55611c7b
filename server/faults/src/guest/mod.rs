//! The VM that is moved: its definition, the disk that it starts with, and what it did, read by QEMU's monitor (guest.S).

mod disk;
mod memory;

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tokio::time::{Instant, sleep};

pub use self::{
    disk::{DISK_SIZE, new_disk, wrong_at_rest, wrong_bytes},
    memory::{memory, wrong_memory},
};
use crate::host::Host;

/// The guest's memory in MiB: the firmware and QEMU's devices need some of it, the guest fills the rest above the first.
pub const MEMORY_MIB: u32 = 32;
/// Where the guest says what it did.
const FACTS: &str = "0x1000";
/// How long a guest may take until it has filled its memory.
const START_LIMIT: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What the guest did, according to its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Drawn when it started.
    pub life: u32,
    /// Grows while it runs.
    pub ticks: u32,
    /// How often it has gone over its disk, from 1.
    pub pass: u32,
    /// The sector at which its next block begins.
    pub next: u32,
    /// 0, or what it found wrong: memory (1), disk (2), or a disk that fails (3).
    pub bad: u32,
}

impl Facts {
    /// Reads them by the monitor of the VM on this host. Not during a migration.
    pub async fn read(host: &Host, vm: &str) -> Result<Self> {
        let text = host.virsh(&["qemu-monitor-command", vm, "--hmp", &format!("xp /5xw {FACTS}")]).await?;
        let words = demo::monitor_numbers(&text).context("the monitor's words")?;
        let [life, ticks, pass, next, bad] = words[..] else { bail!("the monitor of {vm} on {}: {text}", host.name) };
        Ok(Self { life, ticks, pass, next, bad })
    }

    /// Waits until a guest that was just started has filled its memory.
    pub async fn once_filled(host: &Host, vm: &str) -> Result<Self> {
        let started = Instant::now();
        loop {
            let facts = Self::read(host, vm).await?;
            if facts.life != 0 && facts.ticks > 0 {
                return Ok(facts);
            }
            ensure!(started.elapsed() < START_LIMIT, "{vm} on {} does not start: {facts:?}", host.name);
            sleep(LOOK_AGAIN).await;
        }
    }

    /// What is wrong if this is seen some time after `before`.
    pub fn differs_from_earlier(&self, before: &Self) -> Option<String> {
        if self.bad != 0 {
            Some(format!("the guest found its own memory or disk wrong: {self:?}"))
        } else if self.life != before.life {
            Some(format!("the guest was started anew: {before:?}, then {self:?}"))
        } else if self.ticks < before.ticks {
            Some(format!("the guest went back in time: {before:?}, then {self:?}"))
        } else {
            None
        }
    }
}

/// The VM's definition.
pub fn xml(vm: &str, disk: &str) -> String {
    format!(
        "<domain type='qemu'>
  <name>{vm}</name>
  <memory unit='MiB'>{MEMORY_MIB}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/><tcg><tb-cache unit='MiB'>4</tb-cache></tcg></features>
  <clock offset='utc'><timer name='hpet' present='no'/></clock>
  <devices>
    {disk}
    <controller type='usb' model='none'/>
    <video><model type='none'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
"
    )
}

/// A disk that is a raw file, or one that a socket serves.
pub fn disk_xml(path: &Path, served: bool) -> String {
    let path = path.display();
    let (kind, source) = if served {
        ("network", format!("<source protocol='nbd'><host transport='unix' socket='{path}'/></source>"))
    } else {
        ("file", format!("<source file='{path}'/>"))
    };
    format!(
        "<disk type='{kind}' device='disk'><driver name='qemu' type='raw'/>{source}<target dev='vda' bus='virtio'/></disk>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_life_or_an_earlier_time_is_noticed() {
        let before = Facts { life: 7, ticks: 100, pass: 3, next: 64, bad: 0 };
        assert_eq!(Facts { ticks: 101, ..before }.differs_from_earlier(&before), None);
        for now in [Facts { life: 8, ..before }, Facts { ticks: 99, ..before }, Facts { bad: 2, ..before }] {
            assert!(now.differs_from_earlier(&before).is_some(), "{now:?}");
        }
    }
}
