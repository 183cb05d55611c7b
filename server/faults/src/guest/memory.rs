//! The guest's memory, all that it has filled.

use std::fs;

use anyhow::{Context, Result};
use demo::next_word;

use super::MEMORY_MIB;
use crate::host::Host;

/// Where the memory that it fills begins.
pub(super) const FIRST_PAGE: u32 = 1 << 20;
/// What the guest leaves to the firmware's tables at the end of its memory, in bytes.
pub(super) const TABLES: u32 = 1 << 20;
/// How much memory it fills, from its first page on, and the size of a page, in bytes.
const FILLED: u32 = (MEMORY_MIB << 20) - TABLES - FIRST_PAGE;
const PAGE: usize = 4096;
/// How much of its memory the guest goes over, and how fast: 1 MiB, at 2 pages a tick.
pub(super) const WORKING_SET: u32 = 1 << 20;
pub(super) const PAGES_PER_TICK: u32 = 2;

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
            wanted = next_word(wanted);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_word_of_the_memory_is_found() {
        let mut word = 0x10_u32;
        let words = (0..FILLED / 4).flat_map(|place| {
            word = next_word(word);
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
}
