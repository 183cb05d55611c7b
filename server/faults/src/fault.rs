//! What goes wrong: which parts are struck, how, and for how long.

use std::{fmt, time::Duration};

use anyhow::Result;
use rustix::process::Signal;
use tokio::time::{Instant, sleep_until};

use crate::{bed::Bed, dice::Dice, run::Move};

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
pub struct Fault {
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

impl Fault {
    /// Draws one.
    pub fn draw(dice: &mut Dice) -> Self {
        let targets = *dice.one_of(TARGETS);
        let parts = targets.iter().map(|&part| (part, Blow::draw(dice))).collect();
        let away_ms = match dice.within(0..100) {
            0..65 => dice.within(300..2_000),
            65..90 => dice.within(2_000..6_000),
            90..99 => dice.within(6_000..20_000),
            _ => dice.within(70_000..120_000),
        };
        Self { parts, away_ms }
    }

    /// What is struck, without how: the row of the table.
    pub fn kind(&self) -> String {
        let parts: Vec<_> = self.parts.iter().map(|(part, _)| part.to_string()).collect();
        parts.join(" + ")
    }

    /// Whether a QEMU is struck, after which no copy may be left.
    pub fn may_end_the_vm(&self) -> bool {
        self.parts.iter().any(|(part, _)| matches!(part, Part::SourceQemu | Part::DestinationQemu))
    }

    /// Strikes now.
    pub fn strike(&self, bed: &Bed, moved: &Move) {
        for &(part, blow) in &self.parts {
            let signal = blow.signal();
            match part {
                Part::Console => bed.console.signal(signal),
                Part::SourceDaemon => bed.daemon(moved.source).signal(signal),
                Part::DestinationDaemon => bed.daemon(moved.destination).signal(signal),
                Part::SourceQemu => bed.hosts[moved.source].signal_qemu(moved.vm, signal),
                Part::DestinationQemu => bed.hosts[moved.destination].signal_qemu(moved.vm, signal),
            }
        }
    }

    /// Brings everything back once its time is over: returns when all daemons and the console answer.
    pub async fn heal(&self, bed: &mut Bed, moved: &Move) -> Result<()> {
        sleep_until(Instant::now() + Duration::from_millis(self.away_ms)).await;
        for &(part, blow) in &self.parts {
            if blow == Blow::Stop {
                match part {
                    Part::Console => bed.console.signal(Signal::CONT),
                    Part::SourceDaemon => bed.daemon(moved.source).signal(Signal::CONT),
                    Part::DestinationDaemon => bed.daemon(moved.destination).signal(Signal::CONT),
                    Part::SourceQemu => bed.hosts[moved.source].signal_qemu(moved.vm, Signal::CONT),
                    Part::DestinationQemu => bed.hosts[moved.destination].signal_qemu(moved.vm, Signal::CONT),
                }
                continue;
            }
            match part {
                Part::Console => bed.console.wait_until_ended().await?,
                Part::SourceDaemon => bed.daemon_mut(moved.source).wait_until_ended().await?,
                Part::DestinationDaemon => bed.daemon_mut(moved.destination).wait_until_ended().await?,
                Part::SourceQemu | Part::DestinationQemu => {}
            }
        }
        bed.ensure_all_answer().await
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

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (part, blow)) in self.parts.iter().enumerate() {
            let and = if index == 0 { "" } else { ", " };
            write!(formatter, "{and}{blow:?} {part}")?;
        }
        write!(formatter, ", back after {} ms", self.away_ms)
    }
}
