//! The VMs: how much memory each has and how fast it changes it, and the boot sector that does so (guest.S).

/// Where the parameter block of guest.S begins, and the text in it.
const PARAMETERS: usize = 0x180;
const TEXT: usize = PARAMETERS + 12;
/// The boot sector's last two bytes are its signature, and the text ends with a zero byte before them.
const TEXT_LIMIT: usize = 510 - 1 - TEXT;
/// Memory below this is not the guest's to change (FIRST_PAGE in guest.S).
const FIRST_PAGE: u32 = 1 << 20;
/// The PC timer's frequency in Hz, and what the BIOS divides it by: 18.2 ticks a second.
const TIMER_HZ: u64 = 1_193_182;
const TIMER_DIVISOR: u64 = 65_536;
/// Pages of 4 KiB in a MiB.
const PAGES_PER_MIB: u64 = 256;

/// guest.S, assembled.
const BOOT_SECTOR: &[u8; 512] = include_bytes!("guest.bin");

/// A VM of the demo.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) name: &'static str,
    pub(super) uuid: &'static str,
    /// What it does, for people.
    pub(super) title: &'static str,
    pub(super) memory_mib: u32,
    /// How fast it changes its memory, in MiB/s.
    pub(super) dirty_mib_per_second: u32,
    /// How much of its memory it changes, again and again, in MiB.
    pub(super) working_set_mib: u32,
}

/// All of them.
pub(super) const GUESTS: [Guest; 3] = [
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
    pub(super) fn text(&self) -> String {
        let Self { name, memory_mib, dirty_mib_per_second, .. } = self;
        format!("vmferry demo: {name} uses {memory_mib} MiB and changes {dirty_mib_per_second} MiB/s")
    }
}

/// The first sector of the VM's disk.
pub(super) fn boot_sector(guest: &Guest) -> [u8; 512] {
    let mut sector = *BOOT_SECTOR;
    let memory_end = guest.memory_mib << 20;
    let working_set_end = FIRST_PAGE + (guest.working_set_mib << 20);
    let parameters = [memory_end, working_set_end, pages_per_tick(guest.dirty_mib_per_second)];
    for (index, value) in parameters.into_iter().enumerate() {
        let at = PARAMETERS + 4 * index;
        sector[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    let text = guest.text();
    assert!(text.len() <= TEXT_LIMIT, "the texts are ours and short");
    sector[TEXT..TEXT + text.len()].copy_from_slice(text.as_bytes());
    sector
}

fn pages_per_tick(mib_per_second: u32) -> u32 {
    let pages_per_second = u64::from(mib_per_second) * PAGES_PER_MIB;
    let pages = (pages_per_second * TIMER_DIVISOR).div_ceil(TIMER_HZ);
    u32::try_from(pages).expect("a u32 of MiB/s comes to 14 times as many pages a tick, and ours are small")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;
    use std::process::Command;

    #[test]
    fn the_parameter_block_says_what_the_guest_does() {
        let sector = boot_sector(&GUESTS[1]);
        let number = |at: usize| u32::from_le_bytes(sector[at..at + 4].try_into().unwrap());
        assert_eq!(number(PARAMETERS), 128 << 20);
        assert_eq!(number(PARAMETERS + 4), 65 << 20);
        assert_eq!(number(PARAMETERS + 8), 113); // 8 MiB/s are 2048 pages a second, 112.5 a tick
        assert!(sector[TEXT..].starts_with(b"vmferry demo: db uses 128 MiB and changes 8 MiB/s\0"));
        assert_eq!(sector[..PARAMETERS], BOOT_SECTOR[..PARAMETERS]);
    }

    #[test]
    fn every_guest_has_a_boot_sector_and_stays_in_its_memory() {
        for guest in &GUESTS {
            let sector = boot_sector(guest);
            assert_eq!(sector[510..], [0x55, 0xaa], "{}", guest.name);
            assert_eq!(sector[509], 0, "{}: the text ends", guest.name);
            assert!(guest.working_set_mib < guest.memory_mib, "{}", guest.name);
            assert!((64..=256).contains(&guest.memory_mib), "{}", guest.name);
        }
    }

    /// guest.bin is committed so that nobody needs an assembler; here is the proof that it is guest.S.
    #[test]
    fn the_binary_is_the_source_assembled() {
        is_assembled("src/demo/guest.S", BOOT_SECTOR);
        is_assembled("tests/storage/guest.S", include_bytes!("../../tests/storage/guest.bin"));
    }

    fn is_assembled(source: &str, binary: &[u8; 512]) {
        let directory = std::env::temp_dir().join(format!("vmferry-guest-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let outcome = assemble(&directory, &Path::new(env!("CARGO_MANIFEST_DIR")).join(source));
        fs::remove_dir_all(&directory).unwrap();
        match outcome {
            Some(now) => assert_eq!(now, binary, "assemble {source} again, with these same three commands"),
            None => println!("skipped: there is no assembler for x86 here"),
        }
    }

    fn assemble(directory: &Path, source: &Path) -> Option<Vec<u8>> {
        run(directory, "as", &["--32", "-o", "guest.o", source.to_str().expect("a plain path")])?;
        run(directory, "ld", &["-m", "elf_i386", "-Ttext=0x7c00", "-e", "start", "-o", "guest.elf", "guest.o"])
            .expect("where `as` knows x86, `ld` does");
        run(directory, "objcopy", &["-O", "binary", "-j", ".text", "guest.elf", "guest.bin"])
            .expect("objcopy comes with as");
        Some(fs::read(directory.join("guest.bin")).unwrap())
    }

    fn run(directory: &Path, program: &str, arguments: &[&str]) -> Option<()> {
        let output = Command::new(program).args(arguments).current_dir(directory).output().ok()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        // Only an assembler that is not for x86 refuses the option; a mistake in guest.S has to fail the test.
        assert!(output.status.success() || errors.contains("--32"), "{program}: {errors}");
        output.status.success().then_some(())
    }
}
