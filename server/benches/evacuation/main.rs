//! A real host is emptied over limited links, measured: by a plan of the console, and by a script that moves so many at once, all in one
//! run and in shuffled order. `cargo xtask bench evacuation -- --help` lists the options.
//!
//! Start reading at `run`: the `bed` is three privileged hosts and a console in namespaces, `guests` are what runs on the first of them;
//! `planned` empties it by the console, `fixed` by a script, and `report` says what came of both.

#[allow(dead_code, reason = "the other bench uses the rest")]
#[path = "../migration/figures.rs"]
mod figures;
#[path = "../../tests/lab/mod.rs"]
mod lab;
#[path = "../../tests/support/mod.rs"]
mod support;

mod bed;
mod fixed;
mod guests;
mod options;
mod planned;
mod report;

use clap::Parser;

use bed::Bed;
use figures::Dice;
use lab::{Entry, Sandbox};
use options::Options;
use report::{Report, Way};

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Entry::Inside(sandbox) = Sandbox::enter_with(&arguments, "the bench") {
        run(&options, Bed::make(sandbox, &options).await).await;
    }
}

/// Empties the host in all ways, round after round; prints the table after each round.
async fn run(options: &Options, bed: Bed) {
    let mut dice = Dice(options.seed);
    let mut report = Report::default();
    for _ in 0..options.rounds {
        let mut ways: Vec<Way> = options.ways();
        dice.shuffle(&mut ways);
        for way in ways {
            bed.start_guests().await;
            let outcome = match way {
                Way::Planned => planned::empty(&bed).await,
                Way::Fixed(at_once) => fixed::empty(&bed, at_once).await,
            };
            println!("{}", report::line(way, &outcome));
            report.add(way, outcome);
        }
        println!("\n{}", report.table());
    }
}
