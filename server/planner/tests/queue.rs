//! What begins next.

mod support;

use std::time::{Duration, Instant};

use model::{HostName, PlacementKind};
use planner::{AT_ONCE, Begin, Fleet, Queue, Running, Stage, VmToMove, Waiting, next, place};
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
