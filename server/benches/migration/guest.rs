//! The guest that is moved, in six kinds: what it writes to its memory, and how its heartbeat is received.

use std::{
    fs,
    path::{Path, PathBuf},
};

use model::VmId;

/// Its name.
pub(crate) const NAME: &str = "guest";
/// Its memory in MiB, of which the first is not its own. The console predicts by moves that sent 64 MiB at least.
const MEMORY_MIB: u32 = 72;
/// How often it ticks: once each tick it sends a heartbeat and writes.
pub(crate) const TICKS_PER_S: u32 = 100;
/// The smallest disk that the firmware boots from, in bytes.
const DISK_SIZE: usize = 1 << 20;
const FIRST_PAGE: u32 = 1 << 20;
const PAGES_PER_MIB: u32 = 256;
/// guest.S, assembled.
const ASSEMBLED: &[u8; 512] = include_bytes!("guest.bin");
/// Where its parameters begin.
const PARAMETERS: usize = 0x1b0;
/// The table has room for five phases and for the zero that ends it.
const MOST_PHASES: usize = 5;

/// What a guest does for a while: how many seconds, how much of its memory it writes to again and again, and how fast, in MiB (a second).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    pub(crate) seconds: u32,
    pub(crate) working_set_mib: u32,
    pub(crate) mib_s: u32,
}

/// What a kind of guest does, again and again.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) phases: &'static [Phase],
}

const fn phase(seconds: u32, working_set_mib: u32, mib_s: u32) -> Phase {
    Phase { seconds, working_set_mib, mib_s }
}

/// All kinds. "Below" and "above" are so of what the link carries ([`super::bed::LIMIT_MIB_S`]).
pub(crate) const KINDS: [Kind; 6] = [
    Kind { name: "idle", phases: &[phase(3600, 0, 0)] },
    Kind { name: "steady below", phases: &[phase(3600, 24, 16)] },
    Kind { name: "steady above", phases: &[phase(3600, 44, 48)] },
    Kind { name: "bursty", phases: &[phase(5, 40, 64), phase(3, 0, 0)] },
    Kind {
        name: "growing",
        phases: &[phase(3, 8, 40), phase(3, 16, 40), phase(3, 26, 40), phase(3, 36, 40), phase(3, 46, 40)],
    },
    Kind { name: "phase-changing", phases: &[phase(6, 8, 12), phase(4, 44, 56), phase(4, 24, 24)] },
];

impl Kind {
    /// How long it takes until it begins again, in seconds.
    pub(crate) fn cycle_s(&self) -> u32 {
        self.phases.iter().map(|phase| phase.seconds).sum()
    }

    /// In a line, for the report.
    pub(crate) fn describe(&self) -> String {
        let words = |phase: &Phase| match phase.mib_s {
            0 => "nothing".to_owned(),
            mib_s => format!("{mib_s} MiB/s within {} MiB", phase.working_set_mib),
        };
        match self.phases {
            [one] => words(one),
            many => {
                many.iter().map(|phase| format!("{} s {}", phase.seconds, words(phase))).collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn boot_sector(&self) -> [u8; 512] {
        let mut sector = *ASSEMBLED;
        let mut words = vec![MEMORY_MIB << 20];
        assert!(self.phases.len() <= MOST_PHASES, "the table has no room for {}", self.name);
        for phase in self.phases {
            let pages = (phase.mib_s * PAGES_PER_MIB).div_ceil(TICKS_PER_S);
            words.extend([phase.seconds * TICKS_PER_S, FIRST_PAGE + (phase.working_set_mib << 20), pages]);
        }
        for (place, word) in sector[PARAMETERS..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        sector
    }

    /// Writes its disk and its definition into a directory; the path of the definition. Its heartbeat goes to this UDP port.
    pub(crate) fn write(&self, directory: &Path, address: &str, port: u16) -> PathBuf {
        let [disk, definition] = ["img", "xml"].map(|end| directory.join(format!("{NAME}.{end}")));
        let mut contents = vec![0; DISK_SIZE];
        contents[..512].copy_from_slice(&self.boot_sector());
        fs::write(&disk, contents).expect("there is room");
        fs::write(&definition, xml(&disk, address, port)).expect("there is room");
        definition
    }
}

/// Its UUID.
pub(crate) fn id() -> VmId {
    "766d6665-7272-4905-8000-000000000001".parse().expect("it is a UUID")
}

fn xml(disk: &Path, address: &str, port: u16) -> String {
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
    <serial type='udp'><source mode='connect' host='{address}' service='{port}'/></serial>
    <video><model type='none'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
",
        id(),
        disk.display(),
    )
}
