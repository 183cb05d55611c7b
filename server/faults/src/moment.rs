//! When it goes wrong.

use std::{fmt, process::Stdio, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::{Instant, sleep},
};

use crate::{
    bed::Bed,
    dice::Dice,
    host::Host,
    run::Move,
    vm::{Disk, Vm},
};

/// How long a migration may take to reach its moment.
const LIMIT: Duration = Duration::from_secs(60);
/// How often the record is looked at: some phases are short.
const LOOK_AGAIN: Duration = Duration::from_millis(30);
/// How long virsh may take to print what has happened.
const PRINTED: Duration = Duration::from_millis(500);

/// The moment to strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// So many ms after the request was accepted.
    After(u64),
    /// So many ms after this phase was first told.
    Phase(&'static str, u64),
    /// So many ms after the source paused the guest to switch over.
    Switch(u64),
}

impl Moment {
    /// Draws one; of a VM that runs a third are the switch-over.
    pub fn draw(dice: &mut Dice, vm: &Vm) -> Self {
        let phases: &[&'static str] = match (vm.runs, vm.disk) {
            (false, _) => &["queued", "preparing", "copying-disks", "verifying"],
            (true, Disk::Copied) => &["preparing", "copying-disks", "copying-memory", "switching-over", "verifying"],
            _ => &["queued", "preparing", "copying-memory", "switching-over", "verifying"],
        };
        match dice.within(0..100) {
            0..45 if vm.runs => Self::Switch(dice.within(0..60)),
            0..65 => Self::After(dice.within(0..2_500)),
            _ => {
                let phase = dice.one_of(phases);
                Self::Phase(phase, dice.within(0..120))
            }
        }
    }

    /// The column of the table.
    pub fn kind(self) -> &'static str {
        match self {
            Self::After(_) => "random",
            Self::Phase(phase, _) => phase,
            Self::Switch(_) => "switch",
        }
    }

    /// Returns at the moment; whether it was hit: the migration may have ended before.
    pub async fn wait(self, bed: &Bed, moved: &Move, id: &str, events: Option<&mut Events>) -> Result<bool> {
        match (self, events) {
            (Self::After(ms), _) => {
                sleep(Duration::from_millis(ms)).await;
                Ok(true)
            }
            (Self::Phase(phase, ms), _) => {
                let hit = until_phase(bed, id, phase).await?;
                sleep(Duration::from_millis(ms)).await;
                Ok(hit)
            }
            (Self::Switch(ms), Some(events)) => {
                let hit = events.until_suspended(moved.vm).await?;
                sleep(Duration::from_millis(ms)).await;
                Ok(hit)
            }
            (Self::Switch(_), None) => Ok(false),
        }
    }
}

/// Waits until a record is in this phase; whether it was.
async fn until_phase(bed: &Bed, id: &str, phase: &str) -> Result<bool> {
    let started = Instant::now();
    while started.elapsed() < LIMIT {
        let record = bed.console.record(id).await?;
        if record.phase() == phase || record.has_ended() {
            return Ok(record.phase() == phase);
        }
        sleep(LOOK_AGAIN).await;
    }
    Ok(false)
}

/// The events of the VMs of a host, as virsh prints them. It is ended with this value.
pub struct Events {
    lines: Lines<BufReader<ChildStdout>>,
    /// Whether the VM was suspended, as far as lines were read.
    suspended: bool,
    _virsh: Child,
}

impl Events {
    /// Subscribes.
    pub async fn of(host: &Host) -> Result<Self> {
        let mut virsh = Command::new("stdbuf")
            .args(["-oL", "virsh", "--connect", &host.uri, "event", "--event", "lifecycle", "--loop"])
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("virsh can't be run")?;
        let lines = BufReader::new(virsh.stdout.take().context("it was asked for")?).lines();
        Ok(Self { lines, suspended: false, _virsh: virsh })
    }

    /// Waits until a VM is suspended; whether it was before it stopped and before the limit.
    async fn until_suspended(&mut self, vm: &str) -> Result<bool> {
        let of_vm = format!("'{vm}': ");
        let suspended = async {
            while let Some(line) = self.lines.next_line().await? {
                match line.split_once(&of_vm) {
                    Some((_, what)) if what.starts_with("Suspended") => {
                        self.suspended = true;
                        return Ok(true);
                    }
                    Some((_, what)) if what.starts_with("Stopped") => return Ok(false),
                    _ => {}
                }
            }
            Ok(false)
        };
        tokio::time::timeout(LIMIT, suspended).await.unwrap_or(Ok(false))
    }

    /// Whether the VM was suspended until now.
    pub async fn was_suspended(&mut self, vm: &str) -> bool {
        if !self.suspended {
            // What was printed is read at once; a daemon that has ended prints nothing more.
            let _ = tokio::time::timeout(PRINTED, self.until_suspended(vm)).await;
        }
        self.suspended
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(ms) => write!(formatter, "{ms} ms after the request"),
            Self::Phase(phase, ms) => write!(formatter, "{phase} + {ms} ms"),
            Self::Switch(ms) => write!(formatter, "switch + {ms} ms"),
        }
    }
}
