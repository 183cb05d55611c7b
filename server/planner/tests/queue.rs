//! What begins next.

mod support;

use std::time::{Duration, Instant};

use model::{HostName, PlacementKind};
use planner::{AT_ONCE, Begin, Fleet, Queue, Raise, Running, Stage, VmToMove, Waiting, next, place, raise};
use support::{
    fleets::{GIB, Size, host, large, room, rule, small, tight, to_move, vm},
    replay::difference,
};

const LINK: u64 = 1_170_000_000;

#[test]
fn a_plan_is_carried_out_as_it_was_foretold() {
    for seed in 0..if cfg!(debug_assertions) { 60 } else { 600 } {
        let fleet = match seed % 3 {
            0 => tight(seed, 8, 20),
            1 => small(seed),
            _ => large(seed, Size { hosts: 8, emptied: 3, vms_a_host: 6 }),
        };
        assert_eq!(difference(&fleet, &place(&fleet)), None, "seed {seed}");
    }
}

/// VMs of a host that wait to go to others.
struct Scene {
    vms: Vec<VmToMove>,
    to: Vec<HostName>,
    fleet: Fleet,
}

impl Scene {
    /// VMs of these sizes in GiB, each to the host of that number, away from host 0.
    fn new(vms: &[(u64, u64)]) -> Self {
        let fleet = Fleet { hosts: (0..5).map(|number| (host(number), room(64 * GIB))).collect(), ..Fleet::default() };
        let made = vms.iter().enumerate().map(|(number, (size, _))| to_move(number as u64, &host(0), size * GIB));
        Self { vms: made.collect(), to: vms.iter().map(|(_, to)| host(*to)).collect(), fleet }
    }

    fn queue(&self) -> Queue<'_> {
        let waiting = |(vm, destination)| Waiting { vm, source: &vm.source, destination };
        Queue {
            waiting: self.vms.iter().zip(&self.to).map(waiting).collect(),
            hosts: self.fleet.hosts.clone(),
            places: self.vms.iter().map(|one| (one.vm, one.source.clone())).collect(),
            ..Queue::default()
        }
    }
}

fn begun(queue: &Queue) -> Vec<usize> {
    next(queue).iter().map(|begin| begin.index).collect()
}

fn under_way<'a>(source: &'a HostName, destination: &'a HostName, stage: Stage, left_ms: Option<u64>) -> Running<'a> {
    Running { vm: vm(99), source, destination, bytes_s: Some(LINK), stage, left_ms }
}

#[test]
fn one_fills_the_link_and_the_next_begins_while_it_ends() {
    let scene = Scene::new(&[(4, 1), (4, 2)]);
    let mut queue = scene.queue();
    assert_eq!(next(&queue), [Begin { index: 0, bytes_s: Some(LINK) }]);
    let (source, destination) = (host(0), host(3));
    for (stage, left_ms, begins) in [
        (Stage::Preparing, None, 0),
        (Stage::Sending, Some(10_000), 0),
        (Stage::Sending, None, 0),
        (Stage::Sending, Some(500), 1),
        (Stage::Ending, None, 1),
    ] {
        queue.running = vec![under_way(&source, &destination, stage, left_ms)];
        assert_eq!(next(&queue).len(), begins, "{stage:?} {left_ms:?}");
    }
}

#[test]
fn of_links_that_are_not_known_four_go_at_once() {
    let mut scene = Scene::new(&[(4, 1), (4, 2), (4, 3), (4, 4), (4, 1), (4, 2)]);
    for room in scene.fleet.hosts.values_mut() {
        (room.outgoing_bytes_s, room.incoming_bytes_s) = (None, None);
    }
    let begins = next(&scene.queue());
    assert_eq!(begins.len(), AT_ONCE as usize);
    assert!(begins.iter().all(|begin| begin.bytes_s.is_none()));
}

#[test]
fn a_busy_guest_gets_a_share_with_which_it_converges() {
    let mut scene = Scene::new(&[(4, 1), (4, 2)]);
    scene.fleet.hosts.get_mut(&host(0)).unwrap().each_bytes_s = Some(700_000_000);
    assert_eq!(next(&scene.queue()).len(), 2);
    scene.vms[0].dirty_bytes_s = 390_000_000;
    let begins = next(&scene.queue());
    assert_eq!(begins[0].index, 0);
    assert!(begins[0].bytes_s >= Some(680_000_000), "{begins:?}");
}

#[test]
fn what_one_waits_for_is_kept_for_it_and_others_go_on() {
    let mut scene = Scene::new(&[(40, 1), (4, 1), (4, 2)]);
    scene.fleet.hosts.get_mut(&host(1)).unwrap().memory_bytes = 20 * GIB;
    assert_eq!(begun(&scene.queue()), [2]);
}

#[test]
fn rules_are_looked_at_again() {
    let scene = Scene::new(&[(4, 1), (4, 2), (4, 3), (4, 4)]);
    let with = |rule| {
        let mut queue = scene.queue();
        queue.places.insert(vm(50), host(1));
        queue.rules.rules = vec![rule];
        begun(&queue)
    };
    assert_eq!(with(rule("apart", vec![vm(0), vm(50)], PlacementKind::KeepApart)), [1]);
    assert_eq!(with(rule("on", vec![vm(0), vm(1)], PlacementKind::MayRunOn(vec![host(3)]))), [2]);
}

#[test]
fn a_vm_that_is_held_or_elsewhere_or_under_way_does_not_begin() {
    let scene = Scene::new(&[(4, 1), (4, 2), (4, 3), (4, 4)]);
    let mut queue = scene.queue();
    queue.held.insert(vm(0));
    queue.places.insert(vm(1), host(4));
    queue.hosts.get_mut(&host(3)).unwrap().takes = false;
    assert_eq!(begun(&queue), [3]);
    let (source, destination) = (host(0), host(4));
    queue.running = vec![Running { vm: vm(3), ..under_way(&source, &destination, Stage::Ending, None) }];
    assert_eq!(begun(&queue), []);
}

#[test]
#[ignore = "prints a time"]
fn ten_thousand_wait() {
    let fleet = large(3, Size { hosts: 200, emptied: 100, vms_a_host: 100 });
    let placement = place(&fleet);
    let vms: std::collections::BTreeMap<_, _> = fleet.vms.iter().map(|one| (one.vm, one)).collect();
    let waiting = placement.moves.iter().map(|one| Waiting {
        vm: vms[&one.vm],
        source: &one.source,
        destination: &one.destination,
    });
    let mut queue = Queue { waiting: waiting.collect(), hosts: fleet.hosts.clone(), ..Queue::default() };
    queue.rules.clone_from(&fleet.rules);
    queue.places.clone_from(&fleet.others);
    queue.places.extend(fleet.vms.iter().map(|one| (one.vm, one.source.clone())));
    let time = |queue: &Queue| {
        let begun = Instant::now();
        let begins = next(queue).len();
        (begins, begun.elapsed())
    };
    let worst = |queue: &Queue| (0..20).map(|_| time(queue)).min_by_key(|(_, took)| *took);
    println!("{} wait: {:?}", queue.waiting.len(), worst(&queue));
    queue.held = fleet.vms.iter().map(|one| one.vm).collect();
    println!("all held: {:?}", worst(&queue));
    assert!(time(&queue).1 < Duration::from_secs(5));
}

/// Moves from host 0, each with a part of its link in percent, to the host of that number, with so much time left in ms; all can be raised.
fn sending<'a>(hosts: &'a [HostName], moves: &[(u64, usize, u64)]) -> Vec<Running<'a>> {
    let under_way = |(number, (percent, to, left_ms)): (usize, &(u64, usize, u64))| Running {
        vm: vm(90 + number as u64),
        bytes_s: Some(LINK / 100 * percent),
        ..under_way(&hosts[0], &hosts[*to], Stage::Sending, Some(*left_ms))
    };
    moves.iter().enumerate().map(under_way).collect()
}

/// Whom the rest of the links is given to, and how much they then have, in percent of a link.
fn raised(queue: &Queue) -> Vec<(u64, u64)> {
    let told = |Raise { vm: raised, bytes_s }: &Raise| {
        let number = (0..10).find(|number| vm(90 + number) == *raised);
        (number.unwrap_or(u64::MAX), (bytes_s * 100).div_ceil(LINK))
    };
    raise(queue).iter().map(told).collect()
}

#[test]
fn the_rest_of_a_link_goes_to_what_takes_longest() {
    let scene = Scene::new(&[]);
    let hosts: Vec<HostName> = (0..5).map(host).collect();
    let mut queue = scene.queue();
    queue.raisable = (90..95).map(vm).collect();
    queue.running = sending(&hosts, &[(30, 1, 5_000), (40, 2, 9_000)]);
    assert_eq!(raised(&queue), [(1, 70)], "of the link of host 0 nothing is left for the other");
    // Host 2 can't receive so much more.
    queue.hosts.get_mut(&hosts[2]).unwrap().incoming_bytes_s = Some(LINK / 2);
    assert_eq!(raised(&queue), [(1, 50), (0, 50)]);
    // Nor may one migration from host 0.
    queue.hosts.get_mut(&hosts[0]).unwrap().each_bytes_s = Some(LINK * 35 / 100);
    assert_eq!(raised(&queue), [(0, 35)], "what has more keeps it");
}

#[test]
fn what_can_not_be_told_or_is_not_worth_it_keeps_what_it_has() {
    let scene = Scene::new(&[]);
    let hosts: Vec<HostName> = (0..5).map(host).collect();
    let mut queue = scene.queue();
    queue.running = sending(&hosts, &[(40, 1, 9_000)]);
    assert_eq!(raised(&queue), [], "a person has set it");
    queue.raisable = [vm(90)].into();
    assert_eq!(raised(&queue), [(0, 100)]);
    queue.running = sending(&hosts, &[(40, 1, 500)]);
    assert_eq!(raised(&queue), [], "it is about to end");
    queue.running = sending(&hosts, &[(93, 1, 9_000)]);
    assert_eq!(raised(&queue), [], "by less than a tenth");
    queue.running = sending(&hosts, &[(40, 1, 9_000)]);
    queue.running[0].stage = Stage::Preparing;
    assert_eq!(raised(&queue), []);
    // One that has no limit has whatever the link carries.
    queue.running = sending(&hosts, &[(40, 1, 9_000)]);
    queue.running[0].bytes_s = None;
    assert_eq!(raised(&queue), []);
}

#[test]
fn what_waits_for_a_link_has_it_first() {
    let hosts: Vec<HostName> = (0..5).map(host).collect();
    // It has more than half of the link, so that none begins beside it.
    let scene = Scene::new(&[(4, 2)]);
    let mut queue = scene.queue();
    queue.raisable = [vm(90)].into();
    queue.running = sending(&hosts, &[(60, 1, 9_000)]);
    assert_eq!((begun(&queue), raised(&queue)), (vec![], vec![]));
    // What may not begin whatever the links carry does not count.
    queue.held = [scene.vms[0].vm].into();
    assert_eq!(raised(&queue), [(0, 100)]);
}
