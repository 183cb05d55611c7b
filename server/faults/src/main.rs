//! The fault matrix, as `cargo xtask faults`: moves real VMs between real libvirt daemons while processes die, and asks libvirt
//! and the guests afterwards whether the console kept its promises (docs/reliability.md).
//!
//! Start reading at `run`: a run is a plan (`plan`), carried out on a bed (`bed`) and judged (`judge`). `sitting` shares runs out
//! to the beds, each of which is a process of its own (`sandbox`, `worker`).

mod bed;
mod console;
mod crowd;
mod dice;
mod evacuation;
mod fault;
mod file_systems;
mod guest;
mod host;
mod judge;
mod moment;
mod options;
mod plan;
mod record;
mod report;
mod run;
mod sandbox;
mod sitting;
mod violation;
mod vm;
mod watch;
mod worker;

use std::process::ExitCode;

use crate::options::Options;

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::read();
    let done = match options.bed {
        Some(bed) => worker::work(&options, bed).await.map(|()| true),
        None => sitting::share_out(&options).await,
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
