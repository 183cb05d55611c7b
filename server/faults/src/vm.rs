//! The VMs of a bed: one for each kind of disk.

use std::path::{Path, PathBuf};

use crate::guest;

/// How the hosts reach a VM's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// A file that all hosts share; QEMU locks it, so that no two copies can write to it.
    Locked,
    /// A file that a server serves to all; nothing keeps two copies from writing to it.
    Served,
}

/// A VM.
#[derive(Debug)]
pub struct Vm {
    pub name: &'static str,
    pub disk: Disk,
}

impl Vm {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self { name: "locked", disk: Disk::Locked }, Self { name: "served", disk: Disk::Served }];

    /// The image of its disk.
    pub fn image(&self, shared: &Path) -> PathBuf {
        shared.join(format!("{}.img", self.name))
    }

    /// Its definition.
    pub fn xml(&self, shared: &Path) -> String {
        let disk = match self.disk {
            Disk::Locked => guest::disk_xml(&self.image(shared), false),
            Disk::Served => guest::disk_xml(&shared.join(format!("{}.nbd", self.name)), true),
        };
        guest::xml(self.name, &disk)
    }
}
