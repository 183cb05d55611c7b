//! Live migration, measured: real moves of real guests over a limited link, by our three policies and by what other consoles do, in one
//! run and in shuffled order, so that all meet the same machine. `cargo xtask bench migration -- --help` lists the options.
//!
//! Start reading at `run`: the `bed` is two privileged hosts and a console in namespaces; `moves` moves the `guest`, by a policy or by a
//! `schedule` of a peer; `heartbeat` says what the guest noticed, and `report` what came of it.

#[path = "../../tests/lab/mod.rs"]
mod lab;
#[path = "../../tests/support/mod.rs"]
mod support;

mod bed;
mod figures;
mod guest;
mod heartbeat;
mod idle;
mod kubevirt;
mod moves;
mod options;
mod outcome;
mod picture;
mod report;
mod schedule;

use std::time::Duration;

use clap::Parser;
use tokio::time::sleep;

use bed::Bed;
use figures::Dice;
use guest::{KINDS, Kind};
use idle::Idle;
use lab::{Entry, Sandbox};
use moves::Request;
use options::{Link, Options};
use outcome::{End, Mover};
use report::Report;

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Entry::Inside(sandbox) = Sandbox::enter_with(&arguments, "the bench") {
        run(&options, Bed::make(sandbox).await).await;
    }
}

/// Moves all kinds of guests by all schedules, round after round; writes the report after each kind.
async fn run(options: &Options, mut bed: Bed) {
    let mut dice = Dice(options.seed);
    let limit = Duration::from_secs(options.limit_s);
    let mut report = Report::of(options);
    if options.idle_moves > 0 {
        report.idle = Some(Idle::measure(&mut bed, options.idle_moves, limit).await);
    }
    if options.link == Link::Wire {
        bed.limit_wire();
        show_link(&mut bed, limit).await;
    }
    for round in 1..=options.rounds {
        for (index, kind) in KINDS.iter().enumerate().filter(|(_, kind)| is_wanted(&options.kind, kind.name)) {
            bed.start(kind).await;
            let offset = Duration::from_millis(dice.below(1_000 * u64::from(kind.cycle_s().min(60))));
            let mut movers: Vec<Mover> =
                Mover::all().filter(|mover| is_wanted(&options.schedule, mover.name())).collect();
            dice.shuffle(&mut movers);
            // What did not end is not tried again: it would take most of the time.
            movers.retain(|mover| !report.did_not_end(index, *mover));
            for mover in movers {
                let outcome = one(&mut bed, index, mover, offset, options).await;
                println!("{}", report.line(round, &outcome));
                if matches!(outcome.end, End::Failed(_)) {
                    bed.start(kind).await;
                }
                report.add(outcome);
            }
            report.write(round);
        }
    }
    println!("{}", report.page());
    println!("How good the predictions were, as the console says itself: {}", moves::predictions(&bed).await);
}

/// Moves the idle guest until the console knows by three moves each way what the link carries: the median of the newest five counts.
async fn show_link(bed: &mut Bed, limit: Duration) {
    bed.start(&KINDS[0]).await;
    for _ in 0..6 {
        moves::by_policy(bed, 0, Request::default(), limit).await;
    }
}

fn is_wanted(part: &Option<String>, name: &str) -> bool {
    part.as_ref().is_none_or(|part| name.contains(part.as_str()))
}

/// One move, which begins at this time after the guest has begun anew with its phases.
async fn one(bed: &mut Bed, index: usize, mover: Mover, offset: Duration, options: &Options) -> outcome::Outcome {
    if let Mover::Ours(_) = mover {
        moves::measure(bed).await;
    }
    let kind: &Kind = &KINDS[index];
    if kind.phases.len() > 1 {
        bed.heartbeats.until_cycle_begins().await;
        sleep(offset).await;
    }
    let (link, limit) = (options.link, Duration::from_secs(options.limit_s));
    match mover {
        Mover::Ours(policy) => {
            let request = Request { policy, bandwidth_mib_s: link.bandwidth_mib_s(), budget_s: options.budget_s };
            moves::by_policy(bed, index, request, limit).await
        }
        Mover::Peer(peer) => moves::by_peer(bed, index, peer, link, limit).await,
    }
}
