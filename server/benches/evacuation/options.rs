//! What can be chosen.

use clap::Parser;

use crate::report::Way;

/// Empties a host with twelve VMs by plans and by scripts, and says how long it took.
#[derive(Clone, Debug, Parser)]
#[command(name = "evacuation")]
pub(crate) struct Options {
    /// How often the host is emptied in each way.
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: u32,
    /// So many at once are moved by scripts.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4, 8])]
    pub(crate) fixed: Vec<usize>,
    /// No plans, only scripts.
    #[arg(long)]
    pub(crate) no_plans: bool,
    /// What the host's link carries away from it, in MiB/s.
    #[arg(long, default_value_t = 32)]
    pub(crate) outgoing_mib_s: u32,
    /// What the link of each of the two others carries to it, in MiB/s.
    #[arg(long, default_value_t = 24)]
    pub(crate) incoming_mib_s: u32,
    /// The order of the ways follows from this number.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Given by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// The ways in which the host is emptied.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let planned = (!self.no_plans).then_some(Way::Planned);
        planned.into_iter().chain(self.fixed.iter().copied().map(Way::Fixed)).collect()
    }
}
