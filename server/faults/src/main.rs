//! The fault matrix, as `cargo xtask faults`: moves real VMs between real libvirt daemons while processes die, and asks libvirt
//! and the guests afterwards whether the console kept its promises (docs/reliability.md).
//!
//! Start reading at [`run`]: a run is a plan (`plan`), carried out on a bed (`bed`) and judged (`judge`). This file shares runs out
//! to the beds, each of which is a process of its own (`sandbox`).

mod bed;
mod console;
mod crowd;
mod dice;
mod fault;
mod guest;
mod host;
mod judge;
mod moment;
mod plan;
mod record;
mod report;
mod run;
mod sandbox;
mod vm;

use std::{
    collections::VecDeque,
    env, fs,
    net::Ipv4Addr,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin},
    process::Child,
    task::JoinSet,
};

use crate::{
    bed::{Bed, Site},
    fault::Fault,
    plan::Plan,
    report::Report,
    run::Outcome,
};

/// Moves VMs while things go wrong, and asks libvirt and the guests whether all is well afterwards.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// The selection that is part of `make test`: it takes about three minutes.
    #[arg(long, conflicts_with_all = ["runs", "seed", "only"])]
    quick: bool,
    /// How many runs.
    #[arg(long, default_value_t = 20)]
    runs: u64,
    /// The plans of all runs follow from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only these runs: `run=7`, `fault=destination daemon`, `moment=switch`, `vm=served`; `fault` is a part of what is struck.
    #[arg(long)]
    only: Vec<String>,
    /// How many beds work at a time.
    #[arg(long, default_value_t = 1)]
    beds: u8,
    /// Where the table is written, in Markdown.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Leave the beds' directories there at the end.
    #[arg(long)]
    keep: bool,
    /// The program `vmferry`; the one beside this program by default.
    #[arg(long)]
    vmferry: Option<PathBuf>,
    /// The first bed's /24 of the loopback device; the next beds have the next.
    #[arg(long, default_value = "127.0.61.0")]
    network: Ipv4Addr,
    /// The bed that this process is.
    #[arg(long, hide = true)]
    bed: Option<u8>,
}

/// What `--quick` selects.
const QUICK_RUNS: u64 = 50;
const QUICK_SEED: u64 = 9;
const QUICK_BEDS: u8 = 2;

/// What a bed's process says of a run.
#[derive(Serialize, Deserialize)]
enum Word {
    Done(Box<Outcome>),
    /// Not possible here, and why.
    PassedOver(u64, String),
    /// The bed is to be made anew.
    Broken(u64, String),
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut options = Options::parse();
    if options.quick {
        options = Options { runs: QUICK_RUNS, seed: QUICK_SEED, beds: QUICK_BEDS, ..options };
    }
    let done = match options.bed {
        Some(bed) => work(&options, bed).await.map(|()| true),
        None => share_out(&options).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Shares the runs out to the beds, and reports; whether all went well.
async fn share_out(options: &Options) -> Result<bool> {
    let wanted = (0..u64::MAX).filter(|&run| is_wanted(options, run));
    let runs = if options.only.iter().any(|only| only.starts_with("run=")) { 1 } else { options.runs };
    let queue: VecDeque<u64> = wanted.take(usize::try_from(runs)?).collect();
    let (queue, report) = (Arc::new(Mutex::new(queue)), Arc::new(Mutex::new(Report::default())));
    let mut beds = JoinSet::new();
    for bed in 0..options.beds {
        beds.spawn(serve(options.clone(), bed, queue.clone(), report.clone()));
    }
    let all = async {
        while let Some(ended) = beds.join_next().await {
            ended??;
        }
        Ok::<_, anyhow::Error>(())
    };
    let worked = tokio::select! {
        worked = all => worked,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    let report = report.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{}", report.summary());
    match &options.report {
        Some(file) => fs::write(file, report.page(&versions()?)).context("the report can't be written")?,
        None => println!("\n{}", report.table()),
    }
    worked?;
    Ok(report.is_clean())
}

/// Whether a run is among those that `--only` names.
fn is_wanted(options: &Options, run: u64) -> bool {
    let plan = Plan::draw(options.seed, run);
    options.only.iter().all(|only| match only.split_once('=') {
        Some(("run", number)) => number == run.to_string(),
        Some(("fault", part)) => plan.fault.kind().contains(part),
        Some(("moment", moment)) => plan.moment.kind() == moment,
        Some(("vm", vm)) => plan.vm.name == vm,
        _ => false,
    })
}

/// Gives a bed one run after another. A bed that breaks is made anew.
async fn serve(options: Options, bed: u8, queue: Arc<Mutex<VecDeque<u64>>>, report: Arc<Mutex<Report>>) -> Result<()> {
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let report = || report.lock().unwrap_or_else(PoisonError::into_inner);
    let mut child: Option<Child> = None;
    while let Some(run) = next() {
        let working = match &mut child {
            Some(child) => child,
            none => none.insert(sandbox::start(&directory(bed), &arguments(bed))?),
        };
        match one(working, run).await {
            Ok(Word::Done(outcome)) => {
                let clean = outcome.violations.is_empty();
                report().add(options.seed, *outcome);
                if !clean {
                    // So that the next runs are judged by what they do themselves.
                    end(child.take()).await;
                }
            }
            Ok(Word::PassedOver(run, why)) => report().add_passed_over(run, why),
            Ok(Word::Broken(run, error)) => {
                report().add_broken(run, &error);
                end(child.take()).await;
            }
            Err(error) => {
                report().add_broken(run, &format!("{error:#}"));
                end(child.take()).await;
            }
        }
    }
    end(child.take()).await;
    Ok(())
}

/// Has a bed's process do one run.
async fn one(child: &mut Child, run: u64) -> Result<Word> {
    child.stdin.as_mut().context("it was asked for")?.write_all(format!("{run}\n").as_bytes()).await?;
    let mut line = String::new();
    // The process writes one line a run, so that nothing is lost with the buffer.
    BufReader::new(child.stdout.as_mut().context("it was asked for")?).read_line(&mut line).await?;
    ensure!(!line.is_empty(), "the bed ended");
    Ok(serde_json::from_str(&line)?)
}

/// Lets a bed's process end: it does when its standard input closes.
async fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        drop(child.stdin.take());
        // How it ends is of no interest any more.
        let _ = child.wait().await;
    }
}

fn arguments(bed: u8) -> Vec<String> {
    let own = env::args().skip(1);
    own.chain(["--bed".to_owned(), bed.to_string()]).collect()
}

/// The versions of what was tried.
fn versions() -> Result<String> {
    let first_line = |program: &str| {
        let output =
            std::process::Command::new(program).arg("--version").output().with_context(|| program.to_owned())?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok::<_, anyhow::Error>(text.lines().next().unwrap_or_default().trim().to_owned())
    };
    Ok(format!(
        "vmferry {}, {}, {}",
        env!("CARGO_PKG_VERSION"),
        first_line("/usr/sbin/libvirtd")?,
        first_line("qemu-system-x86_64")?
    ))
}

fn directory(bed: u8) -> PathBuf {
    env::temp_dir().join(format!("vmf-faults-{}-{bed}", rustix::process::geteuid().as_raw()))
}

/// The bed's process: does the runs whose numbers it reads.
async fn work(options: &Options, number: u8) -> Result<()> {
    let [a, b, c, _] = options.network.octets();
    let beside = || Ok::<_, anyhow::Error>(env::current_exe()?.with_file_name("vmferry"));
    let site = Site {
        // The directory itself may be a file system's root, which can't be removed.
        directory: directory(number).join("bed"),
        network: Ipv4Addr::new(a, b, c + number, 0),
        vmferry: options.vmferry.clone().map_or_else(beside, Ok)?,
        keep: options.keep,
    };
    fs::create_dir_all(directory(number))?;
    let mut bed = Bed::make(&site).await?;
    let mut lines = BufReader::new(stdin()).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line?,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(line) = line else { break };
        let run = line.parse()?;
        let word = do_run(&mut bed, &Plan::draw(options.seed, run)).await;
        println!("{}", serde_json::to_string(&word)?);
    }
    bed.end().await
}

async fn do_run(bed: &mut Bed, plan: &Plan) -> Word {
    if let Some(why) = plan.fault.lacks().or(bed.lacks(plan.vm.disk)) {
        return Word::PassedOver(plan.run, why.to_owned());
    }
    let done = match plan.fault {
        Fault::Crowd(_) => crowd::run(bed, plan).await,
        _ => run::run(bed, plan).await,
    };
    match done {
        Ok(outcome) => Word::Done(Box::new(outcome)),
        Err(error) => {
            Word::Broken(plan.run, format!("{plan}: {error:#}; the console's log: {}", bed.console.log_tail()))
        }
    }
}
