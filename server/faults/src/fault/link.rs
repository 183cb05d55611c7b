//! Packets are lost or slow for a while, by the rules of the kernel in the bed's own network.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use super::pause;
use crate::{bed::Bed, dice::Dice, run::Move};

/// What is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Nothing reaches the source any more.
    Source,
    /// Nothing reaches the destination any more.
    Destination,
    /// Nothing from the console reaches the source or the destination.
    Console,
    /// Nothing of the other hosts reaches the destination.
    Hosts,
    /// Everything is slow.
    Slow,
}

/// Links are cut or slow.
#[derive(Clone, Debug)]
pub struct Link {
    what: What,
    /// For how long, in ms.
    away_ms: u64,
}

/// The table of nft's rules.
const TABLE: &str = "vmferry-faults";

impl Link {
    pub fn draw(dice: &mut Dice) -> Self {
        let what = *dice.one_of(&[What::Source, What::Destination, What::Console, What::Hosts, What::Slow]);
        let away_ms = if dice.happens(80) { dice.within(500..6_000) } else { dice.within(20_000..60_000) };
        Self { what, away_ms }
    }

    pub fn kind(&self) -> String {
        let kind = match self.what {
            What::Source => "source cut off",
            What::Destination => "destination cut off",
            What::Console => "console cut off",
            What::Hosts => "link between hosts cut",
            What::Slow => "links slow",
        };
        kind.to_owned()
    }

    pub async fn strike(&self, bed: &Bed, moved: &Move) -> Result<()> {
        let (source, destination) = (bed.hosts[moved.source].address, bed.hosts[moved.destination].address);
        let rules: Vec<String> = match self.what {
            What::Source => vec![format!("ip daddr {source} drop"), format!("ip saddr {source} drop")],
            What::Destination => vec![format!("ip daddr {destination} drop"), format!("ip saddr {destination} drop")],
            // The console is root's; daemons and QEMUs are another user's.
            What::Console => vec![format!("meta skuid 0 ip daddr {{ {source}, {destination} }} drop")],
            What::Hosts => vec![format!("meta skuid != 0 ip daddr {destination} drop")],
            What::Slow => return run("tc", "qdisc add dev lo root tbf rate 24mbit burst 64k latency 2s").await,
        };
        let rules = rules.join("\n");
        let table = format!("table ip {TABLE} {{\nchain out {{\ntype filter hook output priority 0;\n{rules}\n}}\n}}");
        run("nft", &table).await
    }

    pub async fn heal(&self) -> Result<()> {
        pause(self.away_ms).await;
        match self.what {
            What::Slow => run("tc", "qdisc del dev lo root").await,
            _ => run("nft", &format!("delete table ip {TABLE}")).await,
        }
    }
}

async fn run(program: &str, words: &str) -> Result<()> {
    let mut command = Command::new(program);
    match program {
        "nft" => command.arg(words),
        _ => command.args(words.split(' ')),
    };
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let output = command.env("PATH", path).stdin(Stdio::null()).output().await;
    let output = output.with_context(|| format!("{program} can't be run"))?;
    ensure!(output.status.success(), "{program} {words}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
