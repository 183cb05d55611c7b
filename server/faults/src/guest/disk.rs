//! The guest's disk: what it starts with, and what is wrong with it afterwards.

use demo::{pass_of, written_sector};

use super::{
    Facts, MEMORY_MIB,
    memory::{FIRST_PAGE, PAGES_PER_TICK, TABLES, WORKING_SET},
};

/// guest.S, assembled.
const BOOT_SECTOR: &[u8; SECTOR] = include_bytes!("../guest.bin");
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

fn sector(number: usize, pass: u32) -> [u8; SECTOR] {
    written_sector(number as u32, pass) // the disk is small
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
        match pass_of(number as u32, &disk[range.clone()]) {
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
}
