//! Figures of plans for large fleets. Takes a while: `cargo test --release -p planner --test measure -- --ignored --nocapture`.

mod support;

use std::time::Instant;

use planner::place;
use support::{
    fixed::total_ms,
    fleets::{Size, large},
    judge::{faults, link_faults},
};

#[test]
#[ignore = "prints figures"]
fn total_over_bound() {
    let mut ratios = Vec::new();
    let only: Option<u64> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in (0..50).filter(|seed| only.is_none_or(|only| only == *seed)) {
        let emptied = [1, 2, 5, 10, 20, 40, 60, 80, 100, 120][seed as usize % 10];
        let fleet = large(seed, Size { hosts: 200, emptied, vms_a_host: 50 });
        let begun = Instant::now();
        let placement = place(&fleet);
        let took = begun.elapsed();
        let ratio = placement.total_ms as f64 / placement.bound_ms as f64;
        println!(
            "{seed:2}: {emptied:3} hosts emptied, {:5} VMs, {} without; {:6.1} s of {:6.1} s: {ratio:.3}; planned in {} ms",
            fleet.vms.len(),
            placement.without.len(),
            placement.total_ms as f64 / 1e3,
            placement.bound_ms as f64 / 1e3,
            took.as_millis(),
        );
        assert_eq!(faults(&fleet, &placement), Vec::<String>::new());
        assert_eq!(link_faults(&fleet, &placement), Vec::<String>::new());
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let at = |part: usize| ratios[(ratios.len() - 1) * part / 100];
    println!("total / bound: least {:.3}, median {:.3}, 90 % {:.3}, most {:.3}", at(0), at(50), at(90), at(100));
}

/// How long the same moves take with a fixed number at once, as other consoles have it.
#[test]
#[ignore = "prints figures"]
fn beside_fixed_concurrency() {
    println!("| hosts emptied | VMs | bound | planned | 1 at once | 2 | 4 | 8 |\n|---|---|---|---|---|---|---|---|");
    for emptied in [1, 4, 20] {
        let (mut vms, mut columns) = (0, [0.0; 6]);
        for seed in 0..10 {
            let fleet = large(seed, Size { hosts: 200, emptied, vms_a_host: 30 });
            let placement = place(&fleet);
            vms += placement.moves.len();
            columns[0] += placement.bound_ms as f64 / 1e4;
            columns[1] += placement.total_ms as f64 / 1e4;
            for (column, at_once) in [1, 2, 4, 8].into_iter().enumerate() {
                columns[column + 2] += total_ms(&fleet, &placement, at_once) as f64 / 1e4;
            }
        }
        let columns: Vec<String> = columns.iter().map(|seconds| format!("{seconds:.0} s")).collect();
        println!("| {emptied} | {} | {} |", vms / 10, columns.join(" | "));
    }
}

#[test]
#[ignore = "prints figures"]
fn ten_thousand_vms() {
    for seed in 0..5 {
        let fleet = large(seed, Size { hosts: 200, emptied: 100, vms_a_host: 100 });
        let begun = Instant::now();
        let placement = place(&fleet);
        let ratio = placement.total_ms as f64 / placement.bound_ms as f64;
        println!("{} VMs, total over bound {ratio:.3}, planned in {} ms", fleet.vms.len(), begun.elapsed().as_millis());
    }
}

#[test]
#[ignore = "prints figures"]
fn ten_thousand_vms_and_not_enough_memory() {
    for seed in 0..3 {
        let mut fleet = large(seed, Size { hosts: 200, emptied: 100, vms_a_host: 100 });
        fleet.hosts.values_mut().for_each(|room| room.memory_bytes = room.memory_bytes / 10 * 6);
        let begun = Instant::now();
        let placement = place(&fleet);
        let took = begun.elapsed();
        assert_eq!(faults(&fleet, &placement), Vec::<String>::new());
        let (vms, without) = (fleet.vms.len(), placement.without.len());
        println!("{vms} VMs, {without} without a place, planned in {} ms", took.as_millis());
    }
}
