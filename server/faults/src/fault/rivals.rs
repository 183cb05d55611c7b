//! Others who want the same VM, or the same data directory: another console, or virsh.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result};
use serde_json::json;
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::Struck;
use crate::{bed::Bed, console::Start, dice::Dice, moment::Moment, run::Move, violation::Violation};

/// How long another program's migration may take.
const TOOL_LIMIT: Duration = Duration::from_secs(60);

/// Another console.
#[derive(Clone, Debug)]
pub enum OtherConsole {
    /// It has a data directory of its own and moves the same VM, to the same host or another one.
    Rival { same_destination: bool },
    /// It is started with the same data directory, and has to refuse.
    SameDirectory,
}

impl OtherConsole {
    pub fn draw(dice: &mut Dice) -> Self {
        match dice.within(0..5) {
            0 => Self::SameDirectory,
            1..3 => Self::Rival { same_destination: true },
            _ => Self::Rival { same_destination: false },
        }
    }

    pub fn kind(&self) -> String {
        let kind = match self {
            Self::Rival { same_destination: true } => "another console, same destination",
            Self::Rival { same_destination: false } => "another console, another destination",
            Self::SameDirectory => "a second console on the same data",
        };
        kind.to_owned()
    }

    pub async fn prepare(&self, bed: &mut Bed) -> Result<()> {
        match self {
            Self::Rival { .. } => bed.rival().await.map(drop),
            Self::SameDirectory => Ok(()),
        }
    }

    pub async fn strike(&self, bed: &mut Bed, moved: &Move, struck: &mut Struck) -> Result<()> {
        match self {
            Self::Rival { same_destination } => {
                let to = if *same_destination { moved.destination } else { moved.third() };
                let request = json!({"destination": bed.hosts[to].name, "bandwidth_mib_s": 25});
                // A refusal is an answer, too.
                struck.rival = bed.rival().await?.migrate(moved.vm, request).await?.ok();
            }
            Self::SameDirectory => {
                if let Start::Runs = bed.console.try_second_on_same_data().await? {
                    let text = "it started, and answered".to_owned();
                    struck.violations.push(Violation::new("second console", text));
                }
            }
        }
        Ok(())
    }
}

/// virsh moves the VM.
#[derive(Clone, Debug)]
pub enum Tool {
    /// It begins so many ms before our migration is asked for.
    Before(u64),
    /// It begins while ours is under way.
    During,
    /// It moves the VM on as soon as ours has moved it.
    After,
}

impl Tool {
    pub fn draw(dice: &mut Dice) -> Self {
        match dice.within(0..3) {
            0 => Self::Before(dice.within(0..1_500)),
            1 => Self::During,
            _ => Self::After,
        }
    }

    pub fn kind(&self) -> String {
        let kind = match self {
            Self::Before(_) => "virsh migrates before",
            Self::During => "virsh migrates meanwhile",
            Self::After => "virsh migrates afterwards",
        };
        kind.to_owned()
    }

    pub fn moment(&self, dice: &mut Dice) -> Option<Moment> {
        match self {
            Self::Before(_) => Some(Moment::After(0)),
            Self::During => None,
            Self::After => Some(Moment::Phase("verifying", dice.within(0..300))),
        }
    }

    pub async fn prepare(&self, bed: &Bed, moved: &Move, struck: &mut Struck) -> Result<()> {
        if let Self::Before(ms) = self {
            struck.tool = Some(migrate(bed, moved.vm, moved.source, moved.third())?);
            sleep(Duration::from_millis(*ms)).await;
        }
        Ok(())
    }

    pub fn strike(&self, bed: &Bed, moved: &Move, struck: &mut Struck) -> Result<()> {
        let from = match self {
            Self::Before(_) => return Ok(()),
            Self::During => moved.source,
            Self::After => moved.destination,
        };
        struck.tool = Some(migrate(bed, moved.vm, from, moved.third())?);
        Ok(())
    }

    /// Waits until virsh has ended.
    pub async fn heal(struck: &mut Struck) -> Result<()> {
        if let Some(mut virsh) = struck.tool.take() {
            // Whether it moved the VM, the judge sees.
            let _ = timeout(TOOL_LIMIT, virsh.wait()).await.context("virsh does not end")?;
        }
        Ok(())
    }
}

fn migrate(bed: &Bed, vm: &str, from: usize, to: usize) -> Result<Child> {
    let options = "--live --p2p --persistent --undefinesource --bandwidth 20";
    let mut command = Command::new("virsh");
    command.args(["--connect", &bed.hosts[from].uri, "migrate", vm, &bed.hosts[to].uri]).args(options.split(' '));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().context("virsh can't be run")
}
