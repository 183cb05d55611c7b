//! A bed's own process: does the runs whose numbers it reads, and writes what came of each in a line.

use std::fs;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};

use crate::{
    bed::Bed,
    crowd, evacuation,
    fault::Fault,
    options::Options,
    plan::Plan,
    run::{self, Outcome},
};

/// What a bed's process says of a run.
#[derive(Serialize, Deserialize)]
pub enum Word {
    Done(Box<Outcome>),
    /// Not possible here, and why.
    PassedOver(u64, String),
    /// The bed is to be made anew.
    Broken(u64, String),
}

/// Makes the bed of this number, does the runs, and takes the bed down.
pub async fn work(options: &Options, number: u8) -> Result<()> {
    fs::create_dir_all(options.directory(number))?;
    let mut bed = Bed::make(&options.site(number)?).await?;
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
    let done = match &plan.fault {
        Fault::Crowd(_) => crowd::run(bed, plan).await,
        Fault::Evacuation(strikes) => evacuation::run(bed, plan, strikes).await,
        _ => run::run(bed, plan).await,
    };
    match done {
        Ok(outcome) => Word::Done(Box::new(outcome)),
        Err(error) => {
            Word::Broken(plan.run, format!("{plan}: {error:#}; the console's log: {}", bed.console.log_tail()))
        }
    }
}
