//! The VMs of a bed: one for each kind of disk, one that is shut off, and a crowd.

use std::{path::Path, sync::LazyLock};

use crate::guest;

/// How many VMs are moved at once.
const CROWD: usize = 40;

/// How the hosts reach a VM's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// A file that all hosts share; QEMU locks it, so that no two copies can write to it.
    Locked,
    /// A file that a server serves to all; nothing keeps two copies from writing to it.
    Served,
    /// A volume of a pool that each host has for itself: it is copied.
    Copied,
}

/// A VM.
#[derive(Debug)]
pub struct Vm {
    pub name: &'static str,
    pub disk: Disk,
    /// Whether it runs.
    pub runs: bool,
}

impl Vm {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self { name: "locked", disk: Disk::Locked, runs: true },
        Self { name: "served", disk: Disk::Served, runs: true },
        Self { name: "copied", disk: Disk::Copied, runs: true },
        Self { name: "shelf", disk: Disk::Copied, runs: false },
    ];

    /// VMs that are moved all at once.
    pub fn crowd() -> &'static [Self] {
        static ALL: LazyLock<Vec<Vm>> = LazyLock::new(|| {
            let vm = |number| Vm { name: format!("crowd-{number:02}").leak(), disk: Disk::Locked, runs: true };
            (0..CROWD).map(vm).collect()
        });
        &ALL
    }

    /// The file name of its disk's image.
    pub fn file(&self) -> String {
        format!("{}.img", self.name)
    }

    /// Its definition, with the disk at this path: a file, or a socket.
    pub fn xml(&self, disk: &Path) -> String {
        guest::xml(self.name, &guest::disk_xml(disk, self.disk == Disk::Served))
    }
}
