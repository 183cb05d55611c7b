//! What goes wrong in a run: drawn, struck at its moment, and healed.

mod deaths;
mod link;
mod pool;
mod rivals;
mod store;

use std::{fmt, time::Duration};

use anyhow::Result;
use reqwest::Method;
use tokio::{process::Child, time::sleep};

pub use self::deaths::Deaths;
pub use self::rivals::Tool;
use self::{link::Link, pool::PoolFull, rivals::OtherConsole, store::Store};
use crate::{
    bed::Bed,
    dice::Dice,
    moment::Moment,
    run::Move,
    violation::Violation,
    vm::{Disk, Vm},
};

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Processes end or are stopped.
    Deaths(Deaths),
    /// Processes end while forty VMs move at once.
    Crowd(Deaths),
    /// Processes end, one strike after another, while a host is emptied, and while its VMs come home: half of the strikes each.
    Evacuation(Vec<Strike>),
    /// The console is killed so many times, one death after another.
    Kills(u32),
    /// The migration is cancelled, once or twice.
    Cancel { twice: bool },
    /// The console can't write to its store.
    Store(Store),
    /// The destination's pool fills up.
    Pool(PoolFull),
    /// Packets to a host are lost, or are slow.
    Link(Link),
    /// Another console moves the same VM, or wants the same data directory.
    Console(OtherConsole),
    /// Another program moves the same VM.
    Tool(Tool),
}

/// One strike of several.
#[derive(Clone, Debug)]
pub struct Strike {
    /// How long after the last one has healed, in ms.
    pub after_ms: u64,
    /// What ends.
    pub deaths: Deaths,
}

impl Strike {
    fn draw(dice: &mut Dice) -> Self {
        Self { after_ms: dice.within(100..6_000), deaths: Deaths::draw_without_qemus(dice) }
    }
}

/// What a strike began and the judge has to know.
#[derive(Default)]
pub struct Struck {
    /// The record of another console's migration.
    pub rival: Option<String>,
    /// Another program that moves the VM.
    pub tool: Option<Child>,
    /// The migration of another VM that was asked for while the console could not write, and was accepted.
    pub besides: Option<String>,
    /// Whether a QEMU was ended that may have been the VM: no copy may run then.
    pub may_end_the_vm: bool,
    /// What was seen at once.
    pub violations: Vec<Violation>,
}

impl Fault {
    /// Draws one for a VM.
    pub fn draw(dice: &mut Dice, vm: &Vm) -> Self {
        let copied = vm.disk == Disk::Copied;
        match dice.within(0..100) {
            0..60 => Self::Deaths(Deaths::draw(dice, vm)),
            60..62 if vm.runs => Self::Kills(10),
            60..70 => Self::Cancel { twice: dice.happens(50) },
            70..78 => Self::Store(Store::draw(dice)),
            78..90 if copied => Self::Pool(PoolFull::draw(dice)),
            78..85 => Self::Link(Link::draw(dice)),
            85..92 => Self::Console(OtherConsole::draw(dice)),
            _ if vm.runs => Self::Tool(Tool::draw(dice)),
            _ => Self::Console(OtherConsole::draw(dice)),
        }
    }

    /// Draws one for VMs that move all at once.
    pub fn draw_for_crowd(dice: &mut Dice) -> Self {
        Self::Crowd(Deaths::draw_without_qemus(dice))
    }

    /// Draws one for a host that is emptied.
    pub fn draw_for_evacuation(dice: &mut Dice) -> Self {
        Self::Evacuation((0..4).map(|_| Strike::draw(dice)).collect())
    }

    /// The row of the table.
    pub fn kind(&self) -> String {
        match self {
            Self::Deaths(deaths) => deaths.kind(),
            Self::Evacuation(_) => "evacuation: console and daemons".to_owned(),
            Self::Crowd(deaths) => format!("forty at once: {}", deaths.kind()),
            Self::Kills(times) => format!("console killed {times} times"),
            Self::Cancel { twice: false } => "cancelled".to_owned(),
            Self::Cancel { twice: true } => "cancelled twice".to_owned(),
            Self::Store(store) => store.kind(),
            Self::Pool(_) => "destination's pool full".to_owned(),
            Self::Link(link) => link.kind(),
            Self::Console(console) => console.kind(),
            Self::Tool(tool) => tool.kind(),
        }
    }

    /// When it strikes, if that is not to be drawn.
    pub fn moment(&self, dice: &mut Dice) -> Option<Moment> {
        match self {
            Self::Crowd(_) => Some(Moment::After(dice.within(0..8_000))),
            Self::Evacuation(_) => Some(Moment::After(0)),
            Self::Kills(_) => Some(Moment::Phase("copying-memory", 0)),
            Self::Pool(_) => Some(Moment::Phase("copying-disks", dice.within(0..40))),
            Self::Tool(tool) => tool.moment(dice),
            Self::Console(OtherConsole::Rival { .. }) if dice.happens(50) => Some(Moment::After(dice.within(0..60))),
            _ => None,
        }
    }

    /// The bandwidth that the migration needs for it, in MiB/s.
    pub fn bandwidth_mib_s(&self) -> Option<u64> {
        matches!(self, Self::Kills(_)).then_some(2)
    }

    /// Why it is not possible on this machine.
    pub fn lacks(&self) -> Option<&'static str> {
        let needs_root = matches!(self, Self::Store(_) | Self::Pool(_) | Self::Link(_));
        (needs_root && !crate::sandbox::is_possible()).then_some("full file systems and cut links need root")
    }

    /// Whether the destination's QEMU is ended: once the source has paused the guest, that may be the VM.
    pub fn ends_destination_qemu(&self) -> bool {
        matches!(self, Self::Deaths(deaths) if deaths.ends_destination_qemu())
    }

    /// Whether others move the VM, too: it may be on any host then, and the migration may be refused.
    pub fn others_move(&self) -> bool {
        matches!(self, Self::Tool(_) | Self::Console(OtherConsole::Rival { .. }))
    }

    /// What has to happen before the migration is asked for.
    pub async fn prepare(&self, bed: &mut Bed, moved: &Move, struck: &mut Struck) -> Result<()> {
        match self {
            Self::Tool(tool) => tool.prepare(bed, moved, struck).await,
            Self::Console(console) => console.prepare(bed).await,
            Self::Store(_) => Store::prepare(bed, moved, struck).await,
            _ => Ok(()),
        }
    }

    /// Strikes now.
    pub async fn strike(&self, bed: &mut Bed, moved: &Move, id: &str, struck: &mut Struck) -> Result<()> {
        match self {
            Self::Deaths(deaths) | Self::Crowd(deaths) => deaths.strike(bed, moved, struck),
            // evacuation.rs strikes and heals.
            Self::Evacuation(_) => {}
            Self::Kills(times) => deaths::kill_again_and_again(bed, id, *times, struck).await?,
            Self::Cancel { twice } => {
                for _ in 0..=u32::from(*twice) {
                    // It is refused if the migration has ended.
                    let _ = bed.console.ask(Method::DELETE, &format!("/plugins/kimchi/tasks/{id}"), None).await?;
                }
            }
            Self::Store(store) => store.strike(bed).await?,
            Self::Pool(pool) => pool.strike(bed, moved)?,
            Self::Link(link) => link.strike(bed, moved).await?,
            Self::Console(console) => console.strike(bed, moved, struck).await?,
            Self::Tool(tool) => tool.strike(bed, moved, struck)?,
        }
        Ok(())
    }

    /// Brings everything back once its time is over: returns when all daemons and the console answer.
    pub async fn heal(&self, bed: &mut Bed, moved: &Move, struck: &mut Struck) -> Result<()> {
        match self {
            Self::Deaths(deaths) | Self::Crowd(deaths) => deaths.heal(bed, moved).await?,
            Self::Evacuation(_) | Self::Kills(_) | Self::Cancel { .. } | Self::Console(_) => {}
            Self::Store(store) => store.heal(bed, moved, struck).await?,
            Self::Pool(pool) => pool.heal(bed, moved).await?,
            Self::Link(link) => link.heal().await?,
            Self::Tool(_) => Tool::heal(struck).await?,
        }
        bed.ensure_all_answer().await
    }
}

/// Draws how long something is away, in ms: mostly short.
fn away_ms(dice: &mut Dice) -> u64 {
    match dice.within(0..200) {
        0..130 => dice.within(300..2_000),
        130..190 => dice.within(2_000..6_000),
        190..199 => dice.within(6_000..20_000),
        _ => dice.within(70_000..120_000),
    }
}

async fn pause(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deaths(deaths) | Self::Crowd(deaths) => deaths.fmt(formatter),
            Self::Evacuation(strikes) => {
                formatter.write_str("host emptied")?;
                strikes
                    .iter()
                    .try_for_each(|Strike { after_ms, deaths }| write!(formatter, "; {after_ms} ms: {deaths}"))
            }
            Self::Store(store) => write!(formatter, "{store:?}"),
            Self::Pool(pool) => write!(formatter, "{pool:?}"),
            Self::Link(link) => write!(formatter, "{link:?}"),
            Self::Console(console) => write!(formatter, "{console:?}"),
            Self::Tool(tool) => write!(formatter, "{tool:?}"),
            Self::Kills(_) | Self::Cancel { .. } => formatter.write_str(&self.kind()),
        }
    }
}
