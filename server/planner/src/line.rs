//! Those that wait, in order, and which of them begin now. The one rule by which [`next()`](crate::next()) and the simulation go.

use std::collections::HashSet;

use crate::desk::{Desk, Narrow, Task};

/// The moves that wait, by their numbers, in the order that is wished for.
#[derive(Debug)]
pub(crate) struct Line {
    order: Vec<usize>,
    /// How many wait to leave each host.
    from: Vec<u32>,
    /// How many wait to come to each host.
    to: Vec<u32>,
}

/// What is kept for those that come earlier in the line, and which links are kept free for them.
struct Kept {
    memory: Vec<u64>,
    pools: Vec<u64>,
    sets: HashSet<(usize, usize)>,
    outgoing: Links,
    incoming: Links,
}

/// Links that something may still begin on.
struct Links {
    closed: Vec<bool>,
    /// How many are open that moves wait for.
    open: usize,
}

impl Line {
    pub(crate) fn new(tasks: &[Task], hosts: usize) -> Self {
        let (mut from, mut to) = (vec![0; hosts], vec![0; hosts]);
        for task in tasks {
            from[task.source] += 1;
            to[task.destination] += 1;
        }
        Self { order: (0..tasks.len()).collect(), from, to }
    }

    /// Whether any wait to come to a host.
    pub(crate) fn is_waited_for(&self, host: usize) -> bool {
        self.to[host] > 0
    }

    /// Lets all begin that can, in their order, and takes from the desk what they need; their shares of the links are told. What one lacks is
    /// kept for it: memory, pools and rules at its destination, whatever it waits for, and the link that is too full for it.
    pub(crate) fn begin(
        &mut self,
        desk: &mut Desk,
        tasks: &[Task],
        may: impl Fn(usize) -> bool,
        mut begun: impl FnMut(usize, u64),
    ) {
        let mut kept = Kept::new(self, desk);
        let mut taken = Vec::new();
        for (at, &number) in self.order.iter().enumerate() {
            if kept.outgoing.open == 0 || kept.incoming.open == 0 {
                break;
            }
            let task = &tasks[number];
            let share = if may(number) { kept.share(desk, task, self.from[task.source] == 1) } else { None };
            let Some(share) = share else {
                kept.keep(task);
                continue;
            };
            desk.take(task);
            desk.link(task.source, task.destination, share);
            kept.close_full(desk, task);
            self.from[task.source] -= 1;
            self.to[task.destination] -= 1;
            begun(number, share);
            taken.push(at);
        }
        for at in taken.into_iter().rev() {
            self.order.remove(at);
        }
    }
}

impl Kept {
    fn new(line: &Line, desk: &Desk) -> Self {
        Self {
            memory: vec![0; desk.hosts.len()],
            pools: vec![0; desk.pools.len()],
            sets: HashSet::new(),
            outgoing: Links::new(&line.from, |host| desk.outgoing_left(host)),
            incoming: Links::new(&line.to, |host| desk.incoming_left(host)),
        }
    }

    /// The share that a move begins with now, if it can.
    fn share(&mut self, desk: &Desk, task: &Task, is_last: bool) -> Option<u64> {
        if self.outgoing.closed[task.source] || self.incoming.closed[task.destination] {
            return None;
        }
        let there = task.destination;
        if desk.hosts[there].memory < self.memory[there].saturating_add(task.memory)
            || !desk.has_space(task.disks, |pool| self.pools[pool])
            || !desk.is_apart(task.sets, there)
            || task.sets.iter().any(|set| self.sets.contains(&(*set, there)))
        {
            return None;
        }
        match desk.share(task.source, there, task.dirty, is_last) {
            Ok(share) => Some(share),
            Err(Narrow::Source) => {
                self.outgoing.close(task.source);
                None
            }
            Err(Narrow::Destination) => {
                self.incoming.close(there);
                None
            }
        }
    }

    fn keep(&mut self, task: &Task) {
        let memory = &mut self.memory[task.destination];
        *memory = memory.saturating_add(task.memory);
        for (pool, bytes) in task.disks {
            self.pools[*pool] = self.pools[*pool].saturating_add(*bytes);
        }
        self.sets.extend(task.sets.iter().map(|set| (*set, task.destination)));
    }

    fn close_full(&mut self, desk: &Desk, task: &Task) {
        if desk.outgoing_left(task.source) == 0 {
            self.outgoing.close(task.source);
        }
        if desk.incoming_left(task.destination) == 0 {
            self.incoming.close(task.destination);
        }
    }
}

impl Links {
    fn new(waiting: &[u32], left: impl Fn(usize) -> u64) -> Self {
        let closed: Vec<bool> =
            waiting.iter().enumerate().map(|(host, moves)| *moves == 0 || left(host) == 0).collect();
        let open = closed.iter().filter(|closed| !**closed).count();
        Self { closed, open }
    }

    fn close(&mut self, host: usize) {
        if !self.closed[host] {
            self.closed[host] = true;
            self.open -= 1;
        }
    }
}
