//! The VM that is moved: its definition, the disk that it starts with, and what it did, read by QEMU's monitor (guest.S).

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tokio::time::{Instant, sleep};

use crate::host::Host;

/// guest.S, assembled.
const BOOT_SECTOR: &[u8; SECTOR] = include_bytes!("guest.bin");
const SECTOR: usize = 512;
/// Where the parameter block of guest.S begins.
const PARAMETERS: usize = 0x1e0;
/// The guest's blocks, as guest.S has them, in sectors.
const FIRST: usize = 64;
const STRIDE: usize = 1024;
const BLOCK: usize = 8;
const BLOCKS: usize = 16;
/// The disk's size in bytes.
pub const DISK_SIZE: usize = BLOCKS * STRIDE * SECTOR;
/// The guest's memory in MiB: the firmware and QEMU's devices need some of it, the guest fills the rest above the first.
pub const MEMORY_MIB: u32 = 32;
const FIRST_PAGE: u32 = 1 << 20;
/// What the guest leaves to the firmware's tables at the end of its memory, in bytes.
const TABLES: u32 = 1 << 20;
/// How much memory it fills, from its first page on, and the size of a page, in bytes.
const FILLED: u32 = (MEMORY_MIB << 20) - TABLES - FIRST_PAGE;
const PAGE: usize = 4096;
/// How much of its memory the guest goes over, and how fast: 1 MiB, at 2 pages a tick.
const WORKING_SET: u32 = 1 << 20;
const PAGES_PER_TICK: u32 = 2;
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
        let words =
            text.lines().filter_map(|line| line.split_once(": ")).flat_map(|(_, words)| words.split_whitespace());
        let word = |word: &str| u32::from_str_radix(word.trim_start_matches("0x"), 16).context("the monitor's words");
        let words: Vec<u32> = words.map(word).collect::<Result<_>>()?;
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

/// What pass `pass` writes into a sector; pass 0 stands for the contents before the guest started.
fn sector(number: usize, pass: u32) -> [u8; SECTOR] {
    let number = number as u32; // the disk is small
    let mut word = number.wrapping_mul(0x9e37_79b1).wrapping_add(pass.wrapping_mul(0x85eb_ca6b));
    let mut sector = [0; SECTOR];
    for place in sector.chunks_exact_mut(4) {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        place.copy_from_slice(&word.to_le_bytes());
    }
    sector
}

/// The pass that wrote a sector, if one did: `sector` the other way round.
fn pass_of(number: usize, contents: &[u8]) -> Option<u32> {
    let first = u32::from_le_bytes(contents.first_chunk().copied()?);
    let word = first.wrapping_sub(1_013_904_223).wrapping_mul(inverse(1_664_525));
    let pass = word.wrapping_sub((number as u32).wrapping_mul(0x9e37_79b1)).wrapping_mul(inverse(0x85eb_ca6b));
    (contents == sector(number, pass)).then_some(pass)
}

/// What an odd number is multiplied by to be 1, modulo 2³²: each of Newton's steps doubles the bits that are right, of which the
/// number itself has three.
fn inverse(odd: u32) -> u32 {
    (0..4).fold(odd, |inverse, _| inverse.wrapping_mul(2u32.wrapping_sub(odd.wrapping_mul(inverse))))
}

/// What is wrong with the disk of a guest that ended at a moment unknown, in or after this pass: none if its blocks are of one pass,
/// or the first of them of one and the others of the one before, and all else is as it was at first.
pub fn wrong_at_rest(disk: &[u8], earliest: u32) -> Option<String> {
    let mut expected = new_disk();
    if disk.len() != expected.len() {
        return Some(format!("the disk has {} bytes, not {DISK_SIZE}", disk.len()));
    }
    let mut passes = Vec::new();
    for number in (FIRST..BLOCKS * STRIDE).step_by(STRIDE).flat_map(|first| first..first + BLOCK) {
        let range = number * SECTOR..(number + 1) * SECTOR;
        match pass_of(number, &disk[range.clone()]) {
            Some(pass) => passes.push(pass),
            None => return Some(format!("sector {number} of the disk is of no pass")),
        }
        expected[range.clone()].copy_from_slice(&disk[range]);
    }
    let (first, last) = (passes[0], passes[passes.len() - 1]);
    if !passes.is_sorted_by(|one, next| one >= next) || first - last > 1 || first.saturating_add(1) < earliest {
        return Some(format!("the disk's blocks are of the passes {passes:?}; it had reached {earliest} before"));
    }
    let at = disk.iter().zip(&expected).position(|(now, wanted)| now != wanted)?;
    Some(format!("the disk is wrong at {at} (sector {})", at / SECTOR))
}

/// What is wrong with the guest's memory, from its first page on (guest.S): none if it holds the numbers that it was filled with,
/// and in the first place of each page how often the guest has gone over it.
pub fn wrong_memory(memory: &[u8]) -> Option<String> {
    let words: Vec<u32> = memory.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    if words.len() * 4 != FILLED as usize {
        return Some(format!("{} bytes of memory, not {FILLED}", memory.len()));
    }
    let mut wanted = words[1];
    let mut counts = Vec::new();
    for (place, &word) in words.iter().enumerate().skip(1) {
        if place > 1 {
            wanted = wanted.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        }
        let is_first_of_page = place * 4 % PAGE == 0;
        if is_first_of_page && place * 4 < WORKING_SET as usize {
            counts.push(word);
        } else if word != if is_first_of_page { 0 } else { wanted } {
            return Some(format!("the memory is wrong at {:#x}: {word:#x}", FIRST_PAGE as usize + place * 4));
        }
    }
    counts.insert(0, words[0]);
    let steps_down = counts.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let is_one_round = counts[0].wrapping_sub(counts[counts.len() - 1]) <= 1 && steps_down <= 1;
    (!is_one_round).then(|| format!("the guest went over its pages so often: {counts:?}"))
}

/// Reads the memory that the guest has filled; the VM has to be paused.
pub async fn memory(host: &Host, vm: &str) -> Result<Vec<u8>> {
    let file = host.home.join(format!("{vm}.memory"));
    let save = format!("pmemsave {FIRST_PAGE:#x} {FILLED:#x} \"{}\"", file.display());
    let said = host.virsh(&["qemu-monitor-command", vm, "--hmp", &save]).await?;
    let memory = fs::read(&file).with_context(|| format!("the memory of {vm} on {}: {said}", host.name))?;
    fs::remove_file(&file)?;
    Ok(memory)
}

/// The disk before the guest starts.
pub fn new_disk() -> Vec<u8> {
    let mut disk: Vec<u8> = (0..DISK_SIZE / SECTOR).flat_map(|number| sector(number, 0)).collect();
    disk[..SECTOR].copy_from_slice(BOOT_SECTOR);
    let memory_end = (MEMORY_MIB << 20) - TABLES;
    for (index, value) in [memory_end, FIRST_PAGE + WORKING_SET, PAGES_PER_TICK].into_iter().enumerate() {
        disk[PARAMETERS + 4 * index..][..4].copy_from_slice(&value.to_le_bytes());
    }
    disk
}

/// What is wrong with a disk whose guest, stopped now, had done this: none if every byte is as it should be.
pub fn wrong_bytes(disk: &[u8], facts: &Facts) -> Option<String> {
    let mut expected = new_disk();
    if disk.len() != expected.len() {
        return Some(format!("the disk has {} bytes, not {DISK_SIZE}", disk.len()));
    }
    let next = facts.next as usize;
    for first in (FIRST..BLOCKS * STRIDE).step_by(STRIDE) {
        let pass = if first < next { facts.pass } else { facts.pass - 1 };
        for number in first..first + BLOCK {
            let range = number * SECTOR..(number + 1) * SECTOR;
            // It may have been stopped while it wrote this block.
            let half_written = first == next && disk[range.clone()] == sector(number, facts.pass);
            let pass = if half_written { facts.pass } else { pass };
            expected[range].copy_from_slice(&sector(number, pass));
        }
    }
    let wrong = disk.iter().zip(&expected).filter(|(now, wanted)| now != wanted).count();
    let first = disk.iter().zip(&expected).position(|(now, wanted)| now != wanted)?;
    Some(format!("{wrong} bytes of the disk are wrong, the first at {first} (sector {}); {facts:?}", first / SECTOR))
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
    fn one_wrong_byte_is_found() {
        let facts = Facts { life: 1, ticks: 1, pass: 1, next: FIRST as u32, bad: 0 };
        let disk = new_disk();
        assert_eq!(wrong_bytes(&disk, &facts), None);
        for place in [DISK_SIZE - 1, FIRST * SECTOR, 5000] {
            let mut disk = disk.clone();
            disk[place] ^= 1;
            assert!(wrong_bytes(&disk, &facts).is_some(), "{place}");
        }
        assert!(wrong_bytes(&disk[..DISK_SIZE - 1], &facts).is_some());
    }

    #[test]
    fn a_block_is_what_its_pass_wrote() {
        let mut disk = new_disk();
        for number in FIRST..FIRST + BLOCK {
            disk[number * SECTOR..][..SECTOR].copy_from_slice(&sector(number, 1));
        }
        let next = (FIRST + STRIDE) as u32;
        assert_eq!(wrong_bytes(&disk, &Facts { life: 1, ticks: 1, pass: 1, next, bad: 0 }), None);
        assert!(wrong_bytes(&disk, &Facts { life: 1, ticks: 1, pass: 2, next, bad: 0 }).is_some());
    }

    #[test]
    fn a_disk_at_rest_is_of_one_pass_or_of_two_adjacent_ones() {
        let write = |disk: &mut Vec<u8>, block: usize, pass| {
            for number in FIRST + block * STRIDE..FIRST + block * STRIDE + BLOCK {
                disk[number * SECTOR..][..SECTOR].copy_from_slice(&sector(number, pass));
            }
        };
        let mut disk = new_disk();
        (0..BLOCKS).for_each(|block| write(&mut disk, block, if block < 5 { 8 } else { 7 }));
        assert_eq!(wrong_at_rest(&disk, 8), None);
        assert!(wrong_at_rest(&disk, 10).is_some(), "an older one");
        let damaged = |damage: &dyn Fn(&mut Vec<u8>)| {
            let mut disk = disk.clone();
            damage(&mut disk);
            wrong_at_rest(&disk, 8).is_some()
        };
        assert!(damaged(&|disk| write(disk, 2, 7)), "a write that was lost");
        assert!(damaged(&|disk| write(disk, 15, 6)), "a block of an earlier pass");
        assert!(damaged(&|disk| disk[FIRST * SECTOR + 9] ^= 1));
        assert!(damaged(&|disk| disk[DISK_SIZE - 1] ^= 1));
    }

    #[test]
    fn one_wrong_word_of_the_memory_is_found() {
        let mut word = 0x10_u32;
        let words = (0..FILLED / 4).flat_map(|place| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (page, is_first) = (place / 1024, place % 1024 == 0);
            let count = if page < 100 {
                4_u32
            } else if page < WORKING_SET / 4096 {
                3
            } else {
                0
            };
            if is_first { count } else { word }.to_le_bytes()
        });
        let memory: Vec<u8> = words.collect();
        assert_eq!(wrong_memory(&memory), None);
        for place in [0, 4, 8, 4096 * 50, 4096 * 300, FILLED as usize - 1] {
            let mut memory = memory.clone();
            memory[place] ^= 1;
            assert!(wrong_memory(&memory).is_some(), "{place}");
        }
    }

    #[test]
    fn another_life_or_an_earlier_time_is_noticed() {
        let before = Facts { life: 7, ticks: 100, pass: 3, next: 64, bad: 0 };
        assert_eq!(Facts { ticks: 101, ..before }.differs_from_earlier(&before), None);
        for now in [Facts { life: 8, ..before }, Facts { ticks: 99, ..before }, Facts { bad: 2, ..before }] {
            assert!(now.differs_from_earlier(&before).is_some(), "{now:?}");
        }
    }
}
