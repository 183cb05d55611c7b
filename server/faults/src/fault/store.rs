//! The console's store can't be written to, or not be read, for a while.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::json;

use super::{Struck, pause};
use crate::{
    bed::{Bed, HOSTS},
    dice::Dice,
    run::Move,
    violation::Violation,
    vm::Vm,
};

/// What the file that takes the room is called.
const FILLER: &str = "filler";

/// Places in `Vm::ALL`.
const SERVED: usize = 1;
const SHELF: usize = 3;

/// What is the matter with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Its file system has no room left.
    Full,
    /// The console is killed, and finds its file system read-only when it starts.
    ReadOnly,
    /// The console is killed, and finds nonsense in place of the database when it starts.
    Corrupted,
}

/// The store fails.
#[derive(Clone, Debug)]
pub struct Store {
    what: What,
    /// For how long, in ms.
    away_ms: u64,
}

impl Store {
    pub fn draw(dice: &mut Dice) -> Self {
        let what = *dice.one_of(&[What::Full, What::Full, What::Full, What::ReadOnly, What::Corrupted]);
        Self { what, away_ms: dice.within(1_000..12_000) }
    }

    pub fn kind(&self) -> String {
        let kind = match self.what {
            What::Full => "store full",
            What::ReadOnly => "console killed, store read-only",
            What::Corrupted => "console killed, store corrupted",
        };
        kind.to_owned()
    }

    /// There is another VM, whose migration is asked for meanwhile.
    pub async fn prepare(bed: &mut Bed, moved: &Move, struck: &mut Struck) -> Result<()> {
        let vm = Self::other(moved);
        let ready = bed.ensure_vm(vm).await?;
        struck.violations.extend(ready.damage.map(|damage| Violation::new("kept", format!("{}: {damage}", vm.name))));
        bed.remove_old_images(vm, Some(ready.host)).await
    }

    fn other(moved: &Move) -> &'static Vm {
        // Whatever this libvirt can do: one that runs with a disk that is served, or one that is shut off.
        &Vm::ALL[if Vm::ALL[SERVED].name == moved.vm { SHELF } else { SERVED }]
    }

    pub async fn strike(&self, bed: &mut Bed) -> Result<()> {
        if self.what == What::Full {
            return fill(&bed.console.data().join(FILLER), 0);
        }
        bed.console.signal(Signal::KILL);
        bed.console.wait_until_ended().await?;
        match self.what {
            What::ReadOnly => remount(&bed.console.data(), "ro")?,
            _ => {
                copy(&bed.console.data(), &aside(bed))?;
                for file in databases(&bed.console.data())? {
                    fs::write(file, "nonsense ".repeat(10_000))?;
                }
            }
        }
        bed.console.begin_to_start()
    }

    /// A console that has no store begins nothing, and says why; then the store is well again.
    pub async fn heal(&self, bed: &mut Bed, moved: &Move, struck: &mut Struck) -> Result<()> {
        pause(self.away_ms).await;
        let vm = Self::other(moved);
        let home = bed.home(vm).context("it was just made")?;
        let request = json!({"destination": bed.hosts[(home + 1) % HOSTS].name});
        let path = format!("/plugins/kimchi/vms/{}/migrate", vm.name);
        match (self.what, bed.console.ask(Method::POST, &path, Some(request)).await) {
            (_, Err(_)) => {}
            (What::Full | What::ReadOnly, Ok((StatusCode::SERVICE_UNAVAILABLE, _))) => {}
            // The file system is full, but what the database has of it may have room. It has to be there afterwards, and to end.
            (What::Full, Ok((StatusCode::ACCEPTED, answer))) => {
                bed.forget(vm);
                struck.besides = answer["id"].as_str().map(str::to_owned);
            }
            (what, Ok((status, answer))) => {
                let text = format!("{what:?}: a migration was asked for, and the answer was {status}: {answer}");
                struck.violations.push(Violation::new("store", text));
            }
        }
        match self.what {
            What::Full => fs::remove_file(bed.console.data().join(FILLER)).context("the filler can't be removed"),
            What::ReadOnly => remount(&bed.console.data(), "rw"),
            What::Corrupted => {
                bed.console.signal(Signal::KILL);
                bed.console.wait_until_ended().await?;
                copy(&aside(bed), &bed.console.data())
            }
        }
    }
}

/// Writes a file until the file system has no more than `left` bytes.
pub fn fill(path: &Path, left: u64) -> Result<()> {
    let mut file = File::create(path).with_context(|| format!("{}", path.display()))?;
    let chunk = [0; 64 << 10];
    // In the end by sectors, until nothing fits any more.
    let mut size = 0;
    for chunk in [&chunk[..], &chunk[..512]] {
        while file.write_all(chunk).is_ok() {
            size += chunk.len() as u64;
        }
    }
    file.set_len(size.saturating_sub(left)).context("the filler can't be cut")
}

fn remount(directory: &Path, how: &str) -> Result<()> {
    let mounted = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(directory).status()?;
    ensure!(mounted.success(), "{} can't be made {how}", directory.display());
    Ok(())
}

/// Where the sound store is kept meanwhile.
fn aside(bed: &Bed) -> PathBuf {
    bed.console.data().with_extension("aside")
}

/// Copies the files of one directory to another.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(from)? {
        let file = file?;
        if file.file_type()?.is_file() {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}

fn databases(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for file in fs::read_dir(directory)? {
        let path = file?.path();
        // With its log, from which SQLite would mend the database.
        if path.file_name().is_some_and(|name| name.to_string_lossy().contains(".db")) {
            files.push(path);
        }
    }
    ensure!(!files.is_empty(), "{} has no database", directory.display());
    Ok(files)
}
