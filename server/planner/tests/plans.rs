//! Plans for fleets made from a seed.

mod support;

use std::collections::BTreeMap;

use model::{HostName, PlacementKind, PlacementRules, Why};
use planner::{Fleet, HostRoom, NoPlace, Pair, place};
use support::{
    brute::all_can_move,
    fleets::{GIB, Size, host, large, room, rule, small, tight, to_move, vm},
    judge::{faults, link_faults},
};

/// Fleets are made from these numbers: few in a build that is not optimised, a thousand with `cargo test --release -p planner`.
const SEEDS: std::ops::Range<u64> = 0..if cfg!(debug_assertions) { 200 } else { 1000 };

#[test]
fn no_host_is_overcommitted_and_no_rule_broken_at_any_moment() {
    let (mut vms, mut moved, mut halts) = (0, 0, 0);
    for seed in SEEDS {
        let fleet = tight(seed, 8, 30);
        let placement = place(&fleet);
        let faults = [faults(&fleet, &placement), link_faults(&fleet, &placement)].concat();
        assert!(faults.is_empty(), "seed {seed}: {faults:#?}");
        vms += fleet.vms.len();
        moved += fleet.vms.len() - placement.without.len();
        halts += placement.moves.iter().filter(|one| one.is_halt).count();
    }
    println!("{moved} of {vms} VMs moved, {halts} of them over a third host");
}

#[test]
fn where_all_can_move_all_do() {
    let (mut possible, mut halts) = (0, 0);
    for seed in SEEDS {
        let fleet = if seed % 4 == 0 { tight(seed, 3, 6) } else { small(seed) };
        let placement = place(&fleet);
        let faults = faults(&fleet, &placement);
        assert!(faults.is_empty(), "seed {seed}: {faults:#?}");
        let can = all_can_move(&fleet);
        assert_eq!(can, placement.without.is_empty(), "seed {seed}: {:?} of {fleet:#?}", placement.without);
        possible += usize::from(can);
        halts += usize::from(placement.moves.iter().any(|one| one.is_halt));
    }
    println!("{possible} of {} fleets can be moved, {halts} with a third host", SEEDS.end);
    assert!(possible > 40 && halts > 0);
}

#[test]
fn the_same_fleet_gives_the_same_plan() {
    let fleet = large(1, Size { hosts: 20, emptied: 4, vms_a_host: 20 });
    let first = place(&fleet);
    assert_eq!(first, place(&fleet));
    assert!(!first.moves.is_empty());
}

fn with(hosts: impl IntoIterator<Item = (HostName, HostRoom)>) -> Fleet {
    Fleet { hosts: hosts.into_iter().collect(), ..Fleet::default() }
}

/// Two hosts that are full, and each other's VMs on them.
fn swap() -> Fleet {
    let mut fleet = Fleet::default();
    for number in 0..2 {
        fleet.hosts.insert(host(number), room(GIB));
        let mut one = to_move(number, &host(number), 4 * GIB);
        one.destination = Some(host(1 - number));
        fleet.vms.push(one);
    }
    fleet
}

#[test]
fn vms_that_change_places_go_over_a_third_host() {
    let mut fleet = swap();
    fleet.hosts.insert(host(2), room(5 * GIB));
    let placement = place(&fleet);
    assert_eq!(faults(&fleet, &placement), Vec::<String>::new());
    let halts: Vec<bool> = placement.moves.iter().map(|one| one.is_halt).collect();
    assert_eq!(halts, [true, false, false]);
    assert_eq!(placement.moves[0].destination, host(2));
}

#[test]
fn without_a_third_host_they_stay_and_say_what_is_missing() {
    let placement = place(&swap());
    assert_eq!(placement.moves, []);
    let missing = NoPlace::Memory { host: host(1), missing_bytes: 3 * GIB };
    assert_eq!(placement.without[&vm(0)], missing);
}

#[test]
fn a_vm_without_a_place_is_named_with_the_reason_and_the_others_go() {
    let mut fleet = with([(host(0), room(0)), (host(1), room(10 * GIB)), (host(2), room(3 * GIB))]);
    fleet.hosts.get_mut(&host(0)).unwrap().takes = false;
    fleet.hosts.get_mut(&host(1)).unwrap().pools.insert("images".to_owned(), GIB);
    let mut vms: Vec<_> = (0..6).map(|number| to_move(number, &host(0), GIB)).collect();
    vms[1].memory_bytes = 20 * GIB;
    let refused = Pair { refused: true, ..Pair::default() };
    vms[2].pairs = BTreeMap::from([(host(1), refused.clone()), (host(2), refused.clone())]);
    let copied = Pair { disks: BTreeMap::from([("images".to_owned(), 3 * GIB)]), ..Pair::default() };
    vms[3].pairs = BTreeMap::from([(host(1), copied), (host(2), refused)]);
    fleet.vms = vms;
    fleet.others.insert(vm(9), host(1));
    let apart = rule("db", vec![vm(4), vm(9)], PlacementKind::KeepApart);
    let on = rule("licence", vec![vm(4)], PlacementKind::MayRunOn(vec![host(1)]));
    fleet.rules = PlacementRules { rules: vec![apart, on], ..PlacementRules::default() };

    let placement = place(&fleet);
    let space = NoPlace::Space { pool: "images".to_owned(), host: host(1), missing_bytes: 2 * GIB };
    let moved: Vec<_> = placement.moves.iter().map(|one| one.vm).collect();
    assert_eq!(moved, [vm(0), vm(5)]);
    assert!(matches!(&placement.without[&vm(1)], NoPlace::Memory { host: on, .. } if *on == host(1)));
    assert_eq!(placement.without[&vm(2)], NoPlace::Refused);
    assert_eq!(placement.without[&vm(3)], space);
    assert_eq!(placement.without[&vm(4)], NoPlace::Rule("db".to_owned()));
}

#[test]
fn vms_kept_together_go_to_one_host_and_stay_with_one_that_stays() {
    let mut fleet = with((0..4).map(|number| (host(number), room(5 * GIB))));
    fleet.vms = (0..6).map(|number| to_move(number, &host(0), 2 * GIB)).collect();
    fleet.others.insert(vm(9), host(0));
    let pair = rule("pair", vec![vm(0), vm(1)], PlacementKind::KeepTogether);
    let stays = rule("stays", vec![vm(2), vm(9)], PlacementKind::KeepTogether);
    fleet.rules.rules = vec![pair, stays];
    let placement = place(&fleet);
    let to = |number| placement.moves.iter().find(|one| one.vm == vm(number)).map(|one| &one.destination);
    assert!(to(0).is_some());
    assert_eq!(to(0), to(1));
    assert_eq!(placement.without, BTreeMap::from([(vm(2), NoPlace::Rule("stays".to_owned()))]));
    assert!(placement.moves.iter().any(|one| one.why == Why::Together("pair".to_owned())));
}

#[test]
fn a_host_that_less_speaks_against_and_that_has_free_cpus_is_better() {
    let mut fleet = with((0..4).map(|number| (host(number), room(50 * GIB))));
    let mut one = to_move(0, &host(0), GIB);
    one.pairs = BTreeMap::from([(host(1), Pair { against: 10, ..Pair::default() })]);
    fleet.vms = vec![one];
    fleet.hosts.get_mut(&host(2)).unwrap().vcpus = 1000;
    assert_eq!(place(&fleet).moves[0].destination, host(3));
}

#[test]
fn if_not_all_can_move_those_of_a_higher_priority_do() {
    let mut fleet = with([(host(0), room(0)), (host(1), room(4 * GIB))]);
    fleet.vms = (0..3).map(|number| to_move(number, &host(0), (number + 2) * GIB)).collect();
    fleet.rules.priorities.insert(vm(2), 10);
    let placement = place(&fleet);
    assert_eq!(placement.moves.iter().map(|one| one.vm).collect::<Vec<_>>(), [vm(2)]);
}
