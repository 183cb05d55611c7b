//! `cargo xtask attack`: attacks a console that it starts, and prints what that costs it: memory, threads, files, and how long another
//! client waits, before, during and after. Fails if an answer is wrong, the state of the console changes, the other client is locked
//! out, or anything stays behind for longer than a minute.

mod console;

use std::{net::Ipv4Addr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result};
use attack::{
    client::Target,
    floods::{self, Attacker, Flood},
    list,
    neighbour::{Neighbour, Waits},
    process::{Usage, Watch},
    state::State,
};
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::{Instant, sleep};

use console::Console;

/// How long what a flood has taken may stay.
const GIVE_BACK_LIMIT: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long the other client is watched before the first flood.
const QUIET: Duration = Duration::from_secs(3);

/// Attacks a console of its own.
#[derive(Debug, Parser)]
struct Options {
    /// Only floods with this in their name; `list` is the list of hostile requests.
    #[arg(long)]
    only: Option<String>,
    /// The program `vmferry`; the one beside this program by default.
    #[arg(long)]
    vmferry: Option<PathBuf>,
    /// The /24 of the loopback device that hosts and attackers are on.
    #[arg(long, default_value = "127.0.66.0")]
    network: Ipv4Addr,
}

impl Options {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match attack(&Options::parse()).await {
        Ok(faults) if faults.is_empty() => {
            println!("\nNothing is wrong, and nothing stays behind.");
            ExitCode::SUCCESS
        }
        Ok(faults) => {
            println!("\n{} faults:", faults.len());
            for fault in faults {
                println!("- {fault}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is wrong.
async fn attack(options: &Options) -> Result<Vec<String>> {
    allow_many_files();
    let beside = || Ok::<_, anyhow::Error>(std::env::current_exe()?.with_file_name("vmferry"));
    let program = options.vmferry.clone().map_or_else(beside, Ok)?;
    let console = Console::start(&program, options.network).await?;
    let found = on(&console, options).await;
    let is_sound = found.as_ref().is_ok_and(Vec::is_empty);
    if !is_sound {
        println!("\nThe console's log: {}", console.log().display());
    }
    console.end(!is_sound).await?;
    found
}

async fn on(console: &Console, options: &Options) -> Result<Vec<String>> {
    let (pid, target) = (console.pid()?, &console.target);
    let mut faults = Vec::new();
    if options.wants("list") {
        faults = list::send_all(target).await?;
        println!("{} hostile requests: {} faults", attack::request::Request::all()?.len(), faults.len());
        for fault in &faults {
            println!("- {fault}");
        }
    }
    let attacker = Attacker { target: target.clone(), network: options.network };
    let [a, b, c, _] = options.network.octets();
    let neighbour = Neighbour::start(target.clone(), Ipv4Addr::new(a, b, c, 99));
    sleep(QUIET).await;
    let state = State::of(target).await?;
    let before = Usage::of(pid)?;
    println!("\nbefore: {before} | {}", told(&neighbour.waits()));
    for flood in floods::ALL.iter().filter(|flood| options.wants(flood.name)) {
        faults.extend(endure(flood, &attacker, &neighbour, pid).await?.map(|fault| format!("{}: {fault}", flood.name)));
    }
    let after = Usage::of(pid)?;
    println!("\nafter:  {after} | {}", told(&neighbour.waits()));
    if !after.is_near(before) {
        faults.push(format!("all floods together leave something behind: {after}, and before them it was {before}"));
    }
    faults.extend(state_fault(target, &state).await?);
    Ok(faults)
}

/// Lets the console endure a flood; what is wrong with how it does.
async fn endure(flood: &Flood, attacker: &Attacker, neighbour: &Neighbour, pid: u32) -> Result<Option<String>> {
    let before = Usage::of(pid)?;
    neighbour.waits();
    let watch = Watch::start(pid);
    flood.run(attacker).await.context(flood.name)?;
    let (peak, during) = (watch.peak(), neighbour.waits());
    let ended = Instant::now();
    let mut after = Usage::of(pid).context("the console has ended")?;
    while !after.is_near(before) && ended.elapsed() < GIVE_BACK_LIMIT {
        sleep(LOOK_AGAIN).await;
        after = Usage::of(pid).context("the console has ended")?;
    }
    let given_back = ended.elapsed();
    sleep(4 * LOOK_AGAIN).await;
    println!("\n{}\n  before: {before}", flood.name);
    println!("  during: {peak} | {}", told(&during));
    println!("  after:  {after} | {} | {} s later", told(&neighbour.waits()), given_back.as_secs());
    Ok(if !after.is_near(before) {
        Some(format!("stays behind: {after}, and before it was {before}"))
    } else if during.lost > 0 {
        Some(format!("another client was locked out: {}", told(&during)))
    } else {
        None
    })
}

async fn state_fault(target: &Target, before: &State) -> Result<Option<String>> {
    let after = State::of(target).await?;
    Ok((after != *before).then(|| format!("the state has changed from {before:?} to {after:?}")))
}

fn told(waits: &Waits) -> String {
    let Waits { requests, median, longest, lost } = waits;
    let (median, longest) = (median.as_millis(), longest.as_millis());
    format!("another client waits {median} ms, at most {longest} ms ({requests} requests, {lost} lost)")
}

/// The attacker has as many connections as the console, and they must not be what is lacking.
fn allow_many_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // If it can't be raised, fewer connections are made.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}
