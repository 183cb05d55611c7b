//! The guest of guest.S: the disk it starts with, the passes it reports, and what has to be on its disk after each.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::support::LIMIT;

/// guest.S, assembled.
const BOOT_SECTOR: &[u8; SECTOR] = include_bytes!("guest.bin");
const SECTOR: usize = 512;
/// Where the guest's block is in each MiB, and its length, in sectors (FIRST and BLOCK in guest.S).
const BLOCK: std::ops::Range<usize> = 64..128;
/// Sectors of a MiB (STRIDE in guest.S).
const MIB: usize = 2048;
/// The disk's size in MiB (END in guest.S).
const DISK_MIB: usize = 64;
/// The first MiBs of the disk have data in their second half that the guest never reads: it makes the copy take longer.
const FILLED_MIB: usize = 32;

/// What pass `pass` writes into a sector; pass 0 stands for the contents before the guest started.
fn sector(number: usize, pass: u32) -> [u8; SECTOR] {
    demo::written_sector(u32::try_from(number).expect("the disk is small"), pass)
}

/// The disk before the guest started.
fn new_disk() -> Vec<u8> {
    let mut disk = vec![0; DISK_MIB * MIB * SECTOR];
    disk[..SECTOR].copy_from_slice(BOOT_SECTOR);
    for mib in 0..DISK_MIB {
        let filled = if mib < FILLED_MIB { MIB / 2..MIB } else { 0..0 };
        for number in BLOCK.chain(filled).map(|sector| mib * MIB + sector) {
            disk[number * SECTOR..][..SECTOR].copy_from_slice(&sector(number, 0));
        }
    }
    disk
}

/// Writes the disk as a qcow2 image.
pub(crate) fn write_new_disk(image: &Path) {
    let raw = image.with_extension("raw");
    fs::write(&raw, new_disk()).expect("there is room");
    qemu_img(&["convert", "-f", "raw", "-O", "qcow2"], &[&raw, image]);
    fs::remove_file(raw).expect("it was just written");
}

/// Fails unless an image holds, byte by byte, what the guest has written in so many passes. The guest was stopped during the next
/// pass, which has reached some block.
pub(crate) fn assert_disk(image: &Path, passes: u32) {
    let raw = image.with_extension("judged");
    qemu_img(&["convert", "-O", "raw"], &[image, &raw]);
    let found = fs::read(&raw).expect("it was just written");
    fs::remove_file(raw).expect("it was just written");
    let before = new_disk();
    assert_eq!(found.len(), before.len(), "{}: the disk's size", image.display());
    let mut pass = passes + 1;
    for (number, now) in found.chunks(SECTOR).enumerate() {
        let written_anew = (number / MIB).is_multiple_of(2) && BLOCK.contains(&(number % MIB));
        if written_anew && pass > passes && now != sector(number, pass) {
            pass = passes;
        }
        let wanted =
            if written_anew { sector(number, pass).to_vec() } else { before[number * SECTOR..][..SECTOR].to_vec() };
        assert!(now == wanted, "{}: sector {number} is not as pass {pass} left it", image.display());
    }
}

/// qemu-img's information about an image, even one in use.
pub(crate) fn image_info(image: &Path) -> serde_json::Value {
    let info = qemu_img(&["info", "--force-share", "--output", "json"], &[image]);
    serde_json::from_str(&info).expect("qemu-img writes JSON")
}

/// Runs qemu-img, which has to succeed; its output.
pub(crate) fn qemu_img(arguments: &[&str], files: &[&Path]) -> String {
    let output = Command::new("qemu-img").args(arguments).args(files).output().expect("qemu-img is installed");
    assert!(output.status.success(), "qemu-img {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("qemu-img writes text")
}

/// The guest's serial console: the file that libvirt logs it to, on whichever host it runs.
pub(crate) struct Console(pub(crate) PathBuf);

impl Console {
    /// How many passes the guest has completed. In each it has read back all that was written before.
    pub(crate) fn passes(&self) -> u32 {
        let output = fs::read_to_string(&self.0).unwrap_or_default();
        assert!(!output.contains("BAD"), "the guest lost what it wrote: {output}");
        let ended = |line: &str| line.strip_prefix("pass ")?.strip_suffix(" ok\r\n")?.parse().ok();
        output.split_inclusive('\n').filter_map(ended).next_back().unwrap_or(0)
    }

    /// Waits until the guest has completed so many passes.
    pub(crate) async fn until_passes(&self, passes: u32) {
        let reached = async {
            while self.passes() < passes {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(LIMIT, reached).await.expect("the guest goes on");
    }

    /// Waits for two passes that began on the guest's present host.
    pub(crate) async fn until_two_more_passes(&self) {
        // The present pass may have begun on another host.
        self.until_passes(self.passes() + 3).await;
    }
}

#[test]
fn one_wrong_byte_is_noticed() {
    let image = std::env::temp_dir().join(format!("vmferry-judge-{}.raw", std::process::id()));
    let mut disk = new_disk();
    // One byte in a block that the guest only reads, and one in the empty end of the disk.
    for place in [((MIB + BLOCK.start) * SECTOR) + 1, (DISK_MIB * MIB - 1) * SECTOR + 1] {
        fs::write(&image, &disk).unwrap();
        assert_disk(&image, 0);
        disk[place] ^= 1;
        fs::write(&image, &disk).unwrap();
        assert!(std::panic::catch_unwind(|| assert_disk(&image, 0)).is_err());
        disk[place] ^= 1;
    }
    fs::remove_file(image).unwrap();
}
