//! The demo's VMs: how much memory each has, and how fast it changes it.

use crate::boot_sector::{BootSector, FIRST_PAGE};

/// A VM of the demo.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) name: &'static str,
    pub(crate) uuid: &'static str,
    /// What it does, for people.
    pub(crate) title: &'static str,
    pub(crate) memory_mib: u32,
    /// How fast it changes its memory, in MiB/s.
    pub(crate) dirty_mib_per_second: u32,
    /// How much of its memory it changes, again and again, in MiB.
    pub(crate) working_set_mib: u32,
}

/// All of them.
pub(crate) const GUESTS: [Guest; 3] = [
    Guest {
        name: "web",
        uuid: "766d6665-7272-4901-8000-000000000001",
        title: "idle",
        memory_mib: 64,
        dirty_mib_per_second: 0,
        working_set_mib: 0,
    },
    Guest {
        name: "db",
        uuid: "766d6665-7272-4901-8000-000000000002",
        title: "busy: a migration can follow",
        memory_mib: 128,
        dirty_mib_per_second: 8,
        working_set_mib: 64,
    },
    Guest {
        name: "cache",
        uuid: "766d6665-7272-4901-8000-000000000003",
        title: "too busy: a migration cannot follow",
        memory_mib: 256,
        dirty_mib_per_second: 64,
        working_set_mib: 192,
    },
];

impl Guest {
    /// What it writes on its screen and its serial console once its memory is full.
    pub(crate) fn text(&self) -> String {
        let Self { name, memory_mib, dirty_mib_per_second, .. } = self;
        format!("vmferry demo: {name} uses {memory_mib} MiB and changes {dirty_mib_per_second} MiB/s")
    }

    /// The first sector of its disk.
    pub(crate) fn boot_sector(&self) -> [u8; 512] {
        let boot_sector = BootSector {
            memory_end: self.memory_mib << 20,
            working_set_end: FIRST_PAGE + (self.working_set_mib << 20),
            dirty_mib_per_second: self.dirty_mib_per_second,
            text: &self.text(),
        };
        boot_sector.assembled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guest_has_a_boot_sector_and_stays_in_its_memory() {
        for guest in &GUESTS {
            let sector = guest.boot_sector();
            assert_eq!(sector[510..], [0x55, 0xaa], "{}", guest.name);
            assert_eq!(sector[509], 0, "{}: the text ends", guest.name);
            assert!(guest.working_set_mib < guest.memory_mib, "{}", guest.name);
            assert!((64..=256).contains(&guest.memory_mib), "{}", guest.name);
        }
    }
}
