//! What can be chosen.

use std::{env, net::Ipv4Addr, path::PathBuf};

use anyhow::Result;
use clap::Parser;

use crate::{bed::Site, plan::Plan};

/// Moves VMs while things go wrong, and asks libvirt and the guests whether all is well afterwards.
#[derive(Clone, Debug, Parser)]
pub struct Options {
    /// The selection that is part of `make test`: it takes about three minutes.
    #[arg(long, conflicts_with_all = ["runs", "seed", "only"])]
    pub quick: bool,
    /// How many runs.
    #[arg(long, default_value_t = 20)]
    pub runs: u64,
    /// The plans of all runs follow from this number.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only these runs: `run=7`, `fault=destination daemon`, `moment=switch`, `vm=served`; `fault` is a part of what is struck.
    #[arg(long)]
    pub only: Vec<String>,
    /// How many beds work at a time.
    #[arg(long, default_value_t = 1)]
    pub beds: u8,
    /// Where the table is written, in Markdown.
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// The program `vmferry`; the one beside this program by default.
    #[arg(long)]
    pub vmferry: Option<PathBuf>,
    /// The first bed's /24 of the loopback device; the next beds have the next.
    #[arg(long, default_value = "127.0.61.0")]
    pub network: Ipv4Addr,
    /// The bed that this process is.
    #[arg(long, hide = true)]
    pub bed: Option<u8>,
    /// The sitting that the bed belongs to: a process id.
    #[arg(long, hide = true)]
    sitting: Option<u32>,
}

/// What `--quick` selects.
const QUICK_RUNS: u64 = 50;
const QUICK_SEED: u64 = 9;
const QUICK_BEDS: u8 = 2;

impl Options {
    /// What was typed.
    pub fn read() -> Self {
        let options = Self::parse();
        match options.quick {
            true => Self { runs: QUICK_RUNS, seed: QUICK_SEED, beds: QUICK_BEDS, ..options },
            false => options,
        }
    }

    /// Whether a run is among those that `--only` names.
    pub fn want(&self, run: u64) -> bool {
        let plan = Plan::draw(self.seed, run);
        self.only.iter().all(|only| match only.split_once('=') {
            Some(("run", number)) => number == run.to_string(),
            Some(("fault", part)) => plan.fault.kind().contains(part),
            Some(("moment", moment)) => plan.moment.kind() == moment,
            Some(("vm", vm)) => plan.vm.name == vm,
            _ => false,
        })
    }

    /// Where the bed of this number is made.
    pub fn site(&self, bed: u8) -> Result<Site> {
        let [a, b, c, _] = self.network.octets();
        let beside = || Ok::<_, anyhow::Error>(env::current_exe()?.with_file_name("vmferry"));
        Ok(Site {
            // The directory itself may be a file system's root, which can't be removed.
            directory: self.directory(bed).join("bed"),
            network: Ipv4Addr::new(a, b, c + bed, 0),
            vmferry: self.vmferry.clone().map_or_else(beside, Ok)?,
        })
    }

    /// The directory of the bed of this number, of this sitting alone.
    pub fn directory(&self, bed: u8) -> PathBuf {
        let sitting = self.sitting.unwrap_or_else(std::process::id);
        env::temp_dir().join(format!("vmf-faults-{sitting}-{bed}"))
    }
}
