//! A sitting: many runs, shared out to beds that work at the same time.

use std::{
    collections::VecDeque,
    env, fs,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Child,
    task::JoinSet,
};

use crate::{options::Options, report::Report, sandbox, worker::Word};

/// Shares the runs out to the beds, and reports; whether all went well.
pub async fn share_out(options: &Options) -> Result<bool> {
    let wanted = (0..u64::MAX).filter(|&run| options.want(run));
    let runs = if options.only.iter().any(|only| only.starts_with("run=")) { 1 } else { options.runs };
    let queue: VecDeque<u64> = wanted.take(usize::try_from(runs)?).collect();
    let report = Arc::new(Mutex::new(Report::of(queue.len())));
    let queue = Arc::new(Mutex::new(queue));
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

/// Gives a bed one run after another. A bed that breaks is made anew.
async fn serve(options: Options, bed: u8, queue: Arc<Mutex<VecDeque<u64>>>, report: Arc<Mutex<Report>>) -> Result<()> {
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let report = || report.lock().unwrap_or_else(PoisonError::into_inner);
    let mut child: Option<Child> = None;
    while let Some(run) = next() {
        let working = match &mut child {
            Some(child) => child,
            none => none.insert(sandbox::start(&options.directory(bed), &arguments(bed))?),
        };
        match one(working, run).await {
            Ok(Word::Done(outcome)) => {
                let clean = outcome.violations.is_empty();
                report().add(options.seed, *outcome);
                if !clean {
                    // So that the next runs are judged by what they do themselves.
                    end(&options, bed, child.take()).await;
                }
            }
            Ok(Word::PassedOver(run, why)) => report().add_passed_over(run, why),
            Ok(Word::Broken(run, error)) => {
                report().add_broken(run, &error);
                end(&options, bed, child.take()).await;
            }
            Err(error) => {
                report().add_broken(run, &format!("{error:#}"));
                end(&options, bed, child.take()).await;
            }
        }
    }
    end(&options, bed, child.take()).await;
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
async fn end(options: &Options, bed: u8, child: Option<Child>) {
    if let Some(mut child) = child {
        drop(child.stdin.take());
        // How it ends is of no interest any more.
        let _ = child.wait().await;
    }
    // It is empty, unless it is to be kept.
    let _ = fs::remove_dir(options.directory(bed));
}

fn arguments(bed: u8) -> Vec<String> {
    let own = env::args().skip(1);
    let sitting = std::process::id().to_string();
    own.chain(["--bed".to_owned(), bed.to_string(), "--sitting".to_owned(), sitting]).collect()
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
