//! The boot sector that is all the software of a tiny VM: boot_sector.S, with its parameters filled in.

/// Where the parameter block of boot_sector.S begins, and the text in it.
const PARAMETERS: usize = 0x180;
const TEXT: usize = PARAMETERS + 12;
/// The boot sector's last two bytes are its signature, and the text ends with a zero byte before them.
const TEXT_LIMIT: usize = 510 - 1 - TEXT;
/// Memory below this is not the guest's to change (FIRST_PAGE in boot_sector.S).
pub(crate) const FIRST_PAGE: u32 = 1 << 20;
/// The PC timer's frequency in Hz, and what the BIOS divides it by: 18.2 ticks a second.
const TIMER_HZ: u64 = 1_193_182;
const TIMER_DIVISOR: u64 = 65_536;
/// Pages of 4 KiB in a MiB.
const PAGES_PER_MIB: u64 = 256;

/// boot_sector.S, assembled.
const ASSEMBLED: &[u8; 512] = include_bytes!("boot_sector.bin");

/// What the boot sector does, which boot_sector.S reads from its parameter block.
#[derive(Debug, Clone, Copy)]
pub struct BootSector<'a> {
    /// It fills the VM's memory up to this address: what it has, in bytes.
    pub memory_end: u32,
    /// It goes on changing its memory from 1 MiB up to this address. Has no meaning if it changes nothing.
    pub working_set_end: u32,
    /// How fast it changes its memory, in MiB/s.
    pub dirty_mib_per_second: u32,
    /// What it writes on its screen and its serial console once its memory is full: at most 113 bytes of ASCII.
    pub text: &'a str,
}

impl BootSector<'_> {
    /// The first sector of the VM's disk.
    ///
    /// # Panics
    /// If the text is too long.
    pub fn assembled(&self) -> [u8; 512] {
        let mut sector = *ASSEMBLED;
        let parameters = [self.memory_end, self.working_set_end, pages_per_tick(self.dirty_mib_per_second)];
        for (index, value) in parameters.into_iter().enumerate() {
            let at = PARAMETERS + 4 * index;
            sector[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        assert!(self.text.len() <= TEXT_LIMIT, "texts are ours and short");
        sector[TEXT..TEXT + self.text.len()].copy_from_slice(self.text.as_bytes());
        sector
    }
}

fn pages_per_tick(mib_per_second: u32) -> u32 {
    let pages_per_second = u64::from(mib_per_second) * PAGES_PER_MIB;
    let pages = (pages_per_second * TIMER_DIVISOR).div_ceil(TIMER_HZ);
    u32::try_from(pages).expect("a u32 of MiB/s comes to 14 times as many pages a tick, and ours are small")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path, process::Command};

    #[test]
    fn the_parameter_block_says_what_the_guest_does() {
        let sector = crate::guest::guests(3)[1].boot_sector();
        let number = |at: usize| u32::from_le_bytes(sector[at..at + 4].try_into().unwrap());
        assert_eq!(number(PARAMETERS), 128 << 20);
        assert_eq!(number(PARAMETERS + 4), 65 << 20);
        assert_eq!(number(PARAMETERS + 8), 113); // 8 MiB/s are 2048 pages a second, 112.5 a tick
        assert!(sector[TEXT..].starts_with(b"vmferry demo: db uses 128 MiB and changes 8 MiB/s\0"));
        assert_eq!(sector[..PARAMETERS], ASSEMBLED[..PARAMETERS]);
    }

    /// boot_sector.bin is committed so that a build needs no assembler. This test proves that it is boot_sector.S.
    #[test]
    fn the_binary_is_the_source_assembled() {
        is_assembled("src/boot_sector.S", ASSEMBLED);
        is_assembled("../tests/storage/guest.S", include_bytes!("../../tests/storage/guest.bin"));
        is_assembled("../benches/migration/guest.S", include_bytes!("../../benches/migration/guest.bin"));
        is_assembled("../faults/src/guest.S", include_bytes!("../../faults/src/guest.bin"));
    }

    fn is_assembled(source: &str, binary: &[u8; 512]) {
        let directory = std::env::temp_dir().join(format!("vmferry-guest-{}", std::process::id()));
        fs::create_dir(&directory).unwrap();
        let outcome = assemble(&directory, &Path::new(env!("CARGO_MANIFEST_DIR")).join(source));
        fs::remove_dir_all(&directory).unwrap();
        match outcome {
            Some(assembled) => assert_eq!(assembled, binary, "assemble {source} again, with these same three commands"),
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
        // Only an assembler that is not for x86 refuses the option; a mistake in the source has to fail the test.
        assert!(output.status.success() || errors.contains("--32"), "{program}: {errors}");
        output.status.success().then_some(())
    }
}
