//! Processes end, or are stopped for a while: one, or several at the same moment.

use std::{fmt, time::Duration};

use anyhow::Result;
use rustix::process::Signal;
use tokio::time::sleep;

use super::{Struck, away_ms, pause};
use crate::{bed::Bed, dice::Dice, run::Move, violation::Violation, vm::Vm};

/// How long the migration goes on between two deaths of the console.
const BETWEEN_DEATHS: Duration = Duration::from_millis(500);

/// A process of the bed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Console,
    SourceDaemon,
    DestinationDaemon,
    SourceQemu,
    DestinationQemu,
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    Terminate,
    Kill,
    /// It is stopped, and goes on later.
    Stop,
}

/// Parts that are struck at one moment, and are back after some time.
#[derive(Clone, Debug)]
pub struct Deaths {
    /// The parts, in the order in which they are struck.
    pub parts: Vec<(Part, Blow)>,
    /// How long daemons and consoles are away, in ms.
    pub away_ms: u64,
}

/// The combinations that are struck, those that hurt most more often.
const TARGETS: &[&[Part]] = &[
    &[Part::DestinationDaemon],
    &[Part::DestinationDaemon],
    &[Part::SourceDaemon],
    &[Part::Console],
    &[Part::DestinationQemu],
    &[Part::SourceQemu],
    &[Part::Console, Part::DestinationDaemon],
    &[Part::Console, Part::SourceDaemon],
    &[Part::SourceDaemon, Part::DestinationDaemon],
    &[Part::DestinationDaemon, Part::DestinationQemu],
    &[Part::SourceDaemon, Part::SourceQemu],
    &[Part::Console, Part::SourceDaemon, Part::DestinationDaemon],
];

impl Deaths {
    /// Draws one.
    pub fn draw(dice: &mut Dice, vm: &Vm) -> Self {
        if !vm.runs {
            return Self::draw_without_qemus(dice);
        }
        let targets = *dice.one_of(TARGETS);
        Self::of(targets, dice)
    }

    /// Draws one that strikes the console or daemons only.
    pub fn draw_without_qemus(dice: &mut Dice) -> Self {
        let targets = *dice.one_of(TARGETS);
        let has_qemu = targets.iter().any(|part| part.is_qemu());
        Self::of(if has_qemu { &[Part::Console] } else { targets }, dice)
    }

    fn of(targets: &[Part], dice: &mut Dice) -> Self {
        let parts = targets.iter().map(|&part| (part, Blow::draw(dice))).collect();
        Self { parts, away_ms: away_ms(dice) }
    }

    /// What is struck, without how: the row of the table.
    pub fn kind(&self) -> String {
        let parts: Vec<_> = self.parts.iter().map(|(part, _)| part.to_string()).collect();
        parts.join(" + ")
    }

    /// Whether the destination's QEMU is ended, and not only stopped for a while.
    pub fn ends_destination_qemu(&self) -> bool {
        self.parts.iter().any(|&(part, blow)| part == Part::DestinationQemu && blow != Blow::Stop)
    }

    /// Strikes now.
    pub fn strike(&self, bed: &Bed, moved: &Move, struck: &mut Struck) {
        for &(part, blow) in &self.parts {
            let ends_source_qemu = part == Part::SourceQemu && blow != Blow::Stop;
            struck.may_end_the_vm |= ends_source_qemu && bed.hosts[moved.source].qemu(moved.vm).is_some();
            part.signal(bed, moved, blow.signal());
        }
    }

    /// Brings everything back once its time is over.
    pub async fn heal(&self, bed: &mut Bed, moved: &Move) -> Result<()> {
        pause(self.away_ms).await;
        for &(part, blow) in &self.parts {
            match (part, blow) {
                (_, Blow::Stop) => part.signal(bed, moved, Signal::CONT),
                (Part::Console, _) => bed.console.wait_until_ended().await?,
                (Part::SourceDaemon, _) => bed.daemon_mut(moved.source).wait_until_ended().await?,
                (Part::DestinationDaemon, _) => bed.daemon_mut(moved.destination).wait_until_ended().await?,
                (Part::SourceQemu | Part::DestinationQemu, _) => {}
            }
        }
        Ok(())
    }
}

/// Kills the console and starts it again, so many times. The record stays the only one, and its bar never goes back.
pub async fn kill_again_and_again(bed: &mut Bed, id: &str, times: u32, struck: &mut Struck) -> Result<()> {
    let mut percent = 0.0;
    for death in 1..=times {
        sleep(BETWEEN_DEATHS).await;
        bed.console.signal(Signal::KILL);
        bed.console.wait_until_ended().await?;
        bed.console.ensure_running().await?;
        let record = bed.console.record(id).await?;
        if record.percent() < percent {
            let text = format!("{percent} % before death {death}, {} % after it", record.percent());
            struck.violations.push(Violation::new("bar", text));
        }
        percent = record.percent();
    }
    Ok(())
}

impl Part {
    fn is_qemu(self) -> bool {
        matches!(self, Self::SourceQemu | Self::DestinationQemu)
    }

    fn signal(self, bed: &Bed, moved: &Move, signal: Signal) {
        match self {
            Self::Console => bed.console.signal(signal),
            Self::SourceDaemon => bed.daemon(moved.source).signal(signal),
            Self::DestinationDaemon => bed.daemon(moved.destination).signal(signal),
            Self::SourceQemu => bed.hosts[moved.source].signal_qemu(moved.vm, signal),
            Self::DestinationQemu => bed.hosts[moved.destination].signal_qemu(moved.vm, signal),
        }
    }
}

impl Blow {
    fn draw(dice: &mut Dice) -> Self {
        match dice.within(0..10) {
            0..5 => Self::Kill,
            5..8 => Self::Terminate,
            _ => Self::Stop,
        }
    }

    fn signal(self) -> Signal {
        match self {
            Self::Terminate => Signal::TERM,
            Self::Kill => Signal::KILL,
            Self::Stop => Signal::STOP,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Console => "console",
            Self::SourceDaemon => "source daemon",
            Self::DestinationDaemon => "destination daemon",
            Self::SourceQemu => "source QEMU",
            Self::DestinationQemu => "destination QEMU",
        })
    }
}

impl fmt::Display for Deaths {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (part, blow)) in self.parts.iter().enumerate() {
            let and = if index == 0 { "" } else { ", " };
            write!(formatter, "{and}{blow:?} {part}")?;
        }
        write!(formatter, ", back after {} ms", self.away_ms)
    }
}
