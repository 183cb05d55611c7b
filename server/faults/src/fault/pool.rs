//! The destination's pool fills up while a disk is copied to it.

use std::fs;

use anyhow::{Context, Result};

use super::{pause, store::fill};
use crate::{bed::Bed, dice::Dice, guest::DISK_SIZE, run::Move};

/// What the file that takes the room is called.
const FILLER: &str = "filler";

/// Other files take the room that the copy needs.
#[derive(Clone, Debug)]
pub struct PoolFull {
    /// What they leave, in bytes: all of the copy fits but for this part.
    left: u64,
    /// How long until there is room again, in ms.
    away_ms: u64,
}

impl PoolFull {
    pub fn draw(dice: &mut Dice) -> Self {
        let size = DISK_SIZE as u64;
        // Half of them within the last tenth.
        let left = if dice.happens(50) { dice.within(size * 9 / 10..size) } else { dice.within(0..size * 9 / 10) };
        Self { left, away_ms: dice.within(3_000..9_000) }
    }

    pub fn strike(&self, bed: &Bed, moved: &Move) -> Result<()> {
        let pool = bed.pool(moved.destination);
        // What the copy takes already counts as left to it.
        let copied: u64 = fs::read_dir(&pool)?.flatten().filter_map(|file| taken(&file)).sum();
        fill(&pool.join(FILLER), self.left.saturating_sub(copied))
    }

    pub async fn heal(&self, bed: &Bed, moved: &Move) -> Result<()> {
        pause(self.away_ms).await;
        fs::remove_file(bed.pool(moved.destination).join(FILLER)).context("the filler can't be removed")
    }
}

fn taken(file: &fs::DirEntry) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    Some(file.metadata().ok()?.blocks() * 512)
}
