//! Plans for fleets made from a seed.

mod support;

use planner::place;
use support::{
    fleets::tight,
    judge::{faults, link_faults},
};

#[test]
fn no_host_is_overcommitted_and_no_rule_broken_at_any_moment() {
    for seed in 0..1000 {
        let fleet = tight(seed, 8, 30);
        let placement = place(&fleet);
        let faults = [faults(&fleet, &placement), link_faults(&fleet, &placement)].concat();
        assert!(faults.is_empty(), "seed {seed}: {faults:#?}");
    }
}
