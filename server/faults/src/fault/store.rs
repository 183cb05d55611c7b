//! The file system of the console's data directory is full or read-only for a while.

use std::{
    fs::{self, File},
    io::Write,
};

use anyhow::{Context, Result};
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Struck, pause};
use crate::{bed::Bed, dice::Dice, judge::Violation};

/// What the file that takes the room is called.
const FILLER: &str = "filler";

/// The store can't be written to.
#[derive(Clone, Debug)]
pub struct Store {
    /// For how long, in ms.
    away_ms: u64,
}

impl Store {
    pub fn draw(dice: &mut Dice) -> Self {
        Self { away_ms: dice.within(1_000..12_000) }
    }

    pub fn kind(&self) -> String {
        "store full".to_owned()
    }

    pub async fn strike(&self, bed: &Bed) -> Result<()> {
        fill(bed.console.data().join(FILLER), 0)
    }

    /// Nothing is begun meanwhile, and the refusal says why; then there is room again.
    pub async fn heal(&self, bed: &Bed, struck: &mut Struck) -> Result<()> {
        pause(self.away_ms).await;
        let request = json!({"destination": "alpha"});
        let asked = bed.console.ask(Method::POST, "/plugins/kimchi/vms/nothing/migrate", Some(request)).await;
        if let Ok((status @ StatusCode::INTERNAL_SERVER_ERROR, answer)) = asked {
            struck.violations.push(Violation::new("store", format!("a request was answered with {status}: {answer}")));
        }
        fs::remove_file(bed.console.data().join(FILLER)).context("the filler can't be removed")
    }
}

/// Writes a file until the file system has no more than `left` bytes.
pub fn fill(path: std::path::PathBuf, left: u64) -> Result<()> {
    let mut file = File::create(&path).with_context(|| format!("{}", path.display()))?;
    let chunk = [0; 64 << 10];
    // In the end by single bytes, until nothing fits any more.
    let mut size = 0;
    for chunk in [&chunk[..], &chunk[..512]] {
        while file.write_all(chunk).is_ok() {
            size += chunk.len() as u64;
        }
    }
    file.set_len(size.saturating_sub(left)).context("the filler can't be cut")
}
