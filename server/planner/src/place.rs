//! Which VM goes where, and in which order.

use std::collections::BTreeSet;

use crate::{
    Fleet, Move, Placement, bound::bound_ms, course::Course, desk::Task, reasons::Reasons, schedule::schedule,
    units::Units, world::World,
};

/// A plan: the tasks in their order, and what becomes of it.
pub(crate) struct Draft<'w> {
    pub(crate) tasks: Vec<Task<'w>>,
    pub(crate) course: Course,
    /// The VMs that found no place.
    pub(crate) without: Vec<usize>,
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

fn draft<'w>(world: &'w World<'w>, units: &Units) -> Draft<'w> {
    let by_size = world.by_size();
    let stay = vec![false; world.guests.len()];
    let schedule = schedule(world, units, &by_size, &stay);
    let direct = |(vm, host): &(usize, usize)| world.task(*vm, world.guests[*vm].source, *host);
    Draft::new(world, schedule.order.iter().map(direct).collect())
}

impl<'w> Draft<'w> {
    pub(crate) fn new(world: &World, tasks: Vec<Task<'w>>) -> Self {
        let mut moves = vec![false; world.guests.len()];
        for task in &tasks {
            moves[task.vm] = true;
        }
        let course = Course::of(world, &tasks);
        Self { tasks, course, without: (0..moves.len()).filter(|vm| !moves[*vm]).collect() }
    }
}

fn finished(world: &World, units: &Units, draft: Draft) -> Placement {
    let reasons = Reasons::new(world, units, &draft.tasks);
    let mut order: Vec<usize> = (0..draft.tasks.len()).collect();
    order.sort_by_key(|number| (draft.course.at_ms[*number].map_or(u64::MAX, |at| at[0]), *number));
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
        moves: order.into_iter().map(moved).collect(),
        without: draft.without.iter().map(|vm| (world.guests[*vm].vm.vm, reasons.no_place(*vm))).collect(),
        total_ms: draft.course.total_ms,
        bound_ms: bound_ms(world, moving),
    }
}
