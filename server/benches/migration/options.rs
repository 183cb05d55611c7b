//! What can be chosen.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::bed::LIMIT_MIB_S;

/// Moves six kinds of guest by our policies and by what other consoles do, and says how long it took and what the guest noticed.
#[derive(Clone, Debug, Parser)]
#[command(name = "migration")]
pub(crate) struct Options {
    /// How often each schedule moves each kind of guest.
    #[arg(long, default_value_t = 2)]
    pub(crate) rounds: u32,
    /// Only kinds whose name contains this.
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only schedules whose name contains this.
    #[arg(long)]
    pub(crate) schedule: Option<String>,
    /// Order and moments follow from this number.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// After so many seconds a move is stopped: it did not end. That schedule does not move this kind of guest again.
    #[arg(long, default_value_t = 90)]
    pub(crate) limit_s: u64,
    /// What limits the link.
    #[arg(long, value_enum, default_value_t = Link::Wire)]
    pub(crate) link: Link,
    /// The budget of our policies, in s; left out, their own, which is longer than any of these moves.
    #[arg(long)]
    pub(crate) budget_s: Option<u32>,
    /// How often the idle guest is moved by the console and by virsh without a limit.
    #[arg(long, default_value_t = 10)]
    pub(crate) idle_moves: usize,
    /// The directory that table and picture are written to (measured-table.md, measured.svg), from the root of the repository.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What limits the link between the hosts to [`LIMIT_MIB_S`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Link {
    /// The network: the kernel's token bucket filter before each host.
    Wire,
    /// libvirt's bandwidth limit, which QEMU drops for what is left at the switch-over.
    Libvirt,
}

impl Link {
    /// The limit that libvirt is told, in MiB/s.
    pub(crate) fn bandwidth_mib_s(self) -> Option<u32> {
        (self == Self::Libvirt).then_some(LIMIT_MIB_S)
    }

    /// What it is called in the report.
    pub(crate) fn describe(self) -> String {
        match self {
            Self::Wire => format!("a network of {LIMIT_MIB_S} MiB/s"),
            Self::Libvirt => format!("libvirt's limit of {LIMIT_MIB_S} MiB/s"),
        }
    }
}
