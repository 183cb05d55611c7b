//! A plan gone through from beginning to end, by the rule by which it is carried out.

use crate::{desk::Task, flows::Flows, line::Line, world::World};

/// What comes of a plan.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// When each task begins and ends, in ms; none of one that never can.
    pub(crate) at_ms: Vec<Option<[u64; 2]>>,
    /// What each has of the links, in bytes a second.
    pub(crate) shares: Vec<u64>,
    /// When all are over.
    pub(crate) total_ms: u64,
}

impl Course {
    /// Whether each has begun.
    pub(crate) fn is_whole(&self) -> bool {
        self.at_ms.iter().all(Option::is_some)
    }

    /// Goes through a plan: its tasks in the order that is wished for.
    pub(crate) fn of(world: &World, tasks: &[Task]) -> Self {
        let mut desk = world.desk();
        let mut line = Line::new(tasks, world.names.len());
        let mut flows = Flows::default();
        let mut course = Self { at_ms: vec![None; tasks.len()], shares: vec![0; tasks.len()], total_ms: 0 };
        let mut places: Vec<Option<usize>> = world.guests.iter().map(|guest| Some(guest.source)).collect();
        let halts =
            tasks.len() > world.guests.len() || tasks.iter().any(|task| task.source != world.guests[task.vm].source);
        loop {
            let mut left = Vec::new();
            let may = |number: usize| places[tasks[number].vm] == Some(tasks[number].source);
            line.begin(&mut desk, tasks, may, |number, share| {
                let task = &tasks[number];
                let sending = world.sending_ms(task.vm, task.destination, share);
                let at = flows.begin(number, share, sending);
                course.at_ms[number] = Some(at);
                course.shares[number] = share;
                course.total_ms = course.total_ms.max(at[1]);
                left.push(task.vm);
            });
            for vm in left {
                places[vm] = None;
            }
            loop {
                let Some(changes) = flows.advance(&mut desk, tasks) else { return course };
                let mut is_waited_for = !changes.sources.is_empty() || (halts && !changes.ended.is_empty());
                for number in changes.ended {
                    let task = &tasks[number];
                    places[task.vm] = Some(task.destination);
                    is_waited_for |= line.is_waited_for(task.source);
                }
                if is_waited_for {
                    break;
                }
            }
        }
    }
}
