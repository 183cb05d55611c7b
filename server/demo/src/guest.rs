//! The demo's VMs: how much memory each has, and how fast it changes it.

use crate::boot_sector::{BootSector, FIRST_PAGE};

/// A VM of the demo.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) uuid: String,
    /// What it does, for people.
    pub(crate) title: &'static str,
    /// The number of the host that it starts on: 0 is alpha.
    pub(crate) host: usize,
    pub(crate) memory_mib: u32,
    /// How fast it changes its memory, in MiB/s.
    pub(crate) dirty_mib_per_second: u32,
    /// How much of its memory it changes, again and again, in MiB.
    pub(crate) working_set_mib: u32,
}

/// The fewest VMs that a demo has: those that the documents and tests know by name.
pub(crate) const FEWEST: u8 = 3;
/// The most: names and UUIDs have two digits, and each VM takes some hundred MiB of this machine.
pub(crate) const MOST: u8 = 48;

/// Memory in MiB, MiB/s that it changes, and what of its memory that is, in MiB: of the VMs beyond the first three, in turn.
const OTHERS: [(u32, u32, u32); 4] = [(64, 0, 0), (128, 0, 0), (96, 2, 32), (192, 4, 64)];

/// The VMs of a demo that has so many: the first three on alpha, the others on beta and gamma.
pub(crate) fn guests(count: u8) -> Vec<Guest> {
    let first = [
        ("web", "idle", 64, 0, 0),
        ("db", "busy: a migration can follow", 128, 8, 64),
        ("cache", "too busy: a migration cannot follow", 256, 64, 192),
    ];
    let named = first.into_iter().zip(1_u8..).map(|((name, title, memory, dirty, working_set), number)| {
        guest(number, name.to_owned(), title, 0, (memory, dirty, working_set))
    });
    let others = (FEWEST + 1..=count).map(|number| {
        let size = OTHERS[usize::from(number) % OTHERS.len()];
        let title = if size.1 == 0 { "idle" } else { "busy: a migration can follow" };
        guest(number, format!("app-{number:02}"), title, 1 + usize::from(number) % 2, size)
    });
    named.chain(others).collect()
}

fn guest(
    number: u8,
    name: String,
    title: &'static str,
    host: usize,
    (memory_mib, dirty_mib_per_second, working_set_mib): (u32, u32, u32),
) -> Guest {
    let uuid = format!("766d6665-7272-4901-8000-{number:012}");
    Guest { name, uuid, title, host, memory_mib, dirty_mib_per_second, working_set_mib }
}

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
        for guest in guests(MOST) {
            let sector = guest.boot_sector();
            assert_eq!(sector[510..], [0x55, 0xaa], "{}", guest.name);
            assert_eq!(sector[509], 0, "{}: the text ends", guest.name);
            assert!(guest.working_set_mib < guest.memory_mib, "{}", guest.name);
            assert!((64..=256).contains(&guest.memory_mib), "{}", guest.name);
        }
    }
}
