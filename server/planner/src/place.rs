//! Which VM goes where, and in which order.

use std::{cmp::Reverse, collections::BTreeSet};

use crate::{
    Fleet, Move, Placement,
    bound::bound_ms,
    course::Course,
    desk::Task,
    exhaustive::exhaustive,
    pack::pack,
    reasons::Reasons,
    schedule::{Schedule, schedule},
    sequence::{Step, sequence},
    units::Units,
    world::World,
    worth::Worth,
};

/// How often a plan is made anew without the VM that is most in the way, where no order works.
const TRIES: usize = 20;

/// A plan: the tasks in their order, and what becomes of it.
struct Draft<'w> {
    tasks: Vec<Task<'w>>,
    course: Course,
    /// The VMs that found no place.
    without: Vec<usize>,
}

/// Makes a plan. The same fleet gives the same plan.
pub fn place(fleet: &Fleet) -> Placement {
    let world = World::new(fleet);
    let (units, draft) = drafted(&world);
    finished(&world, &units, draft)
}

/// Rules that are broken already are mended where that is possible, and given up where VMs would find no place otherwise.
fn drafted<'w>(world: &'w World<'w>) -> (Units, Draft<'w>) {
    let mut given_up = BTreeSet::new();
    loop {
        let units = Units::new(world, &given_up);
        let draft = draft(world, &units);
        let more: BTreeSet<usize> =
            draft.without.iter().flat_map(|vm| units.mendable(units.of[*vm])).copied().collect();
        if more.is_subset(&given_up) {
            return (units, draft);
        }
        given_up.extend(more);
    }
}

/// Where there is room, the time says where VMs go; where it is short, what fits; and of a small fleet every plan is looked at.
fn draft<'w>(world: &'w World<'w>, units: &Units) -> Draft<'w> {
    let by_size = world.by_size();
    let stays = vec![false; units.all.len()];
    let roomy = Draft::new(world, direct(world, &schedule(world, units, &by_size, &stays)));
    if roomy.without.is_empty() {
        return roomy;
    }
    let better = better(world);
    let mut best = better(roomy, tight(world, units, &by_size));
    if !best.without.is_empty()
        && let Some(steps) = exhaustive(world)
    {
        best = better(best, Draft::new(world, in_steps(world, &steps)));
    }
    best
}

/// The one of two drafts that moves more; of equals the shorter.
fn better<'w>(world: &'w World<'w>) -> impl Fn(Draft<'w>, Draft<'w>) -> Draft<'w> {
    let rank = |draft: &Draft| {
        let mut moved = vec![true; world.guests.len()];
        draft.without.iter().for_each(|vm| moved[*vm] = false);
        (Worth::of(world, &moved), Reverse(draft.course.total_ms))
    };
    move |one, other| if rank(&other) > rank(&one) { other } else { one }
}

/// A plan for hosts that are nearly full: first which VM ends where, then an order in which that works. VMs stay for which there is none.
fn tight<'w>(world: &'w World<'w>, units: &Units, by_size: &[usize]) -> Draft<'w> {
    let mut stays = vec![false; units.all.len()];
    let mut tries = 0;
    loop {
        let hosts = pack(world, units, &stays);
        let unplaced: Vec<usize> = (0..hosts.len()).filter(|unit| hosts[*unit].is_none() && !stays[*unit]).collect();
        if !unplaced.is_empty() {
            // They do not leave, so there is less room for others.
            unplaced.into_iter().for_each(|unit| stays[unit] = true);
            continue;
        }
        let goals: Vec<Option<usize>> = units.of.iter().map(|unit| hosts[*unit]).collect();
        let steps = match sequence(world, &goals, by_size) {
            Ok(steps) => steps,
            Err(stuck) => {
                tries += 1;
                let mut stuck: Vec<usize> = stuck.iter().map(|vm| units.of[*vm]).collect();
                stuck.sort_by_key(|unit| (units.all[*unit].priority, Reverse(units.all[*unit].memory), *unit));
                let gives_up = if tries > TRIES { stuck.len() } else { 1 };
                stuck.into_iter().take(gives_up).for_each(|unit| stays[unit] = true);
                continue;
            }
        };
        // The order in which it works is not the quickest: that is tried first.
        let quick = schedule(world, &units.bound_to(&hosts), by_size, &stays);
        let is_whole = quick.order.len() == goals.iter().flatten().count();
        return Draft::new(world, if is_whole { direct(world, &quick) } else { in_steps(world, &steps) });
    }
}

fn direct<'w>(world: &'w World<'w>, schedule: &Schedule) -> Vec<Task<'w>> {
    schedule.order.iter().map(|(vm, host)| world.task(*vm, world.guests[*vm].source, *host)).collect()
}

fn in_steps<'w>(world: &'w World<'w>, steps: &[Step]) -> Vec<Task<'w>> {
    steps.iter().map(|step| world.task(step.vm, step.source, step.destination)).collect()
}

impl<'w> Draft<'w> {
    fn new(world: &World, tasks: Vec<Task<'w>>) -> Self {
        let (tasks, course) = in_order(world, tasks);
        debug_assert!(course.is_whole(), "a plan that works one move after the other works with several at once");
        let mut moves = vec![false; world.guests.len()];
        for task in &tasks {
            moves[task.vm] = true;
        }
        Self { tasks, course, without: (0..moves.len()).filter(|vm| !moves[*vm]).collect() }
    }
}

/// The tasks in the order in which they begin, if they end no later that way, and what becomes of them.
fn in_order<'w>(world: &World, tasks: Vec<Task<'w>>) -> (Vec<Task<'w>>, Course) {
    let course = Course::of(world, &tasks);
    if course.at_ms.is_sorted() || !course.is_whole() {
        return (tasks, course);
    }
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|number| (course.at_ms[*number], *number));
    let sorted: Vec<Task> = order.into_iter().map(|number| tasks[number].clone()).collect();
    let other = Course::of(world, &sorted);
    if other.total_ms <= course.total_ms { (sorted, other) } else { (tasks, course) }
}

fn finished(world: &World, units: &Units, draft: Draft) -> Placement {
    let reasons = Reasons::new(world, units, &draft.tasks);
    let mut last = vec![None; world.guests.len()];
    for (number, task) in draft.tasks.iter().enumerate() {
        last[task.vm] = Some(number);
    }
    let moved = |number: usize| {
        let task = &draft.tasks[number];
        let share = draft.course.shares[number];
        let [source, destination] = [task.source, task.destination].map(|host| world.names.links(host));
        Move {
            vm: world.guests[task.vm].vm.vm,
            source: world.names.name(task.source).clone(),
            destination: world.names.name(task.destination).clone(),
            is_halt: last[task.vm] != Some(number),
            at_ms: draft.course.at_ms[number].unwrap_or_default(),
            bytes: world.bytes(task.vm, task.destination, share),
            bytes_s: source.limit(&destination, share),
            why: reasons.why(task),
        }
    };
    let moving = (0..world.guests.len()).filter(|vm| last[*vm].is_some());
    Placement {
        moves: (0..draft.tasks.len()).map(moved).collect(),
        without: draft.without.iter().map(|vm| (world.guests[*vm].vm.vm, reasons.no_place(*vm))).collect(),
        total_ms: draft.course.total_ms,
        bound_ms: bound_ms(world, moving),
    }
}
