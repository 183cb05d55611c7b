//! What of a plan begins now.

use std::collections::{HashMap, HashSet};

use model::{HostName, VmId};

use crate::{
    Begin, Queue, READY_MS, Stage, Waiting,
    desk::{Desk, Task},
    line::Line,
    names::Names,
    rules::Rules,
};

/// What of a plan begins now, and with which share of the links.
///
/// In the order that is wished for, all begin for which there are memory and space at the destination, a place by the rules, and a share of
/// the links that is worth it. That VMs are kept together is for the plan: while they move they are not. One that can't begin holds back only those that would take from it what it waits for.
///
/// To be asked at each change, and at least twice a second: a move may begin [`READY_MS`] before another leaves the links.
pub fn next(queue: &Queue) -> Vec<Begin> {
    let names = names(queue);
    let rules = Rules::new(&queue.rules);
    let disks: Vec<_> = queue.waiting.iter().map(|waiting| disks(&names, waiting)).collect();
    let tasks: Vec<Task> = queue
        .waiting
        .iter()
        .zip(&disks)
        .map(|(waiting, disks)| Task {
            vm: 0,
            source: names.number(waiting.source),
            destination: names.number(waiting.destination),
            memory: waiting.vm.memory_bytes,
            dirty: waiting.vm.dirty_bytes_s,
            disks,
            sets: rules.apart(waiting.vm.vm),
        })
        .collect();
    let mut desk = desk(queue, &names, &rules);
    let blocked = Blocked::new(queue, &names, &rules);
    let mut begins = Vec::new();
    Line::new(&tasks, names.len()).begin(
        &mut desk,
        &tasks,
        |index| !blocked.is(index),
        |index, share| {
            let [source, destination] = [tasks[index].source, tasks[index].destination].map(|host| names.links(host));
            begins.push(Begin { index, bytes_s: source.limit(&destination, share) });
        },
    );
    begins
}

/// All hosts that a queue knows of.
pub(crate) fn names<'a>(queue: &'a Queue) -> Names<'a> {
    let waiting = queue.waiting.iter().flat_map(|waiting| [waiting.source, waiting.destination]);
    let running = queue.running.iter().flat_map(|running| [running.source, running.destination]);
    Names::new(&queue.hosts, waiting.chain(running).chain(queue.places.values()))
}

fn disks(names: &Names, waiting: &Waiting) -> Vec<(usize, u64)> {
    let pair = waiting.vm.pairs.get(waiting.destination);
    pair.map_or_else(Vec::new, |pair| names.disks(pair, names.number(waiting.destination)))
}

/// What is taken now.
fn desk(queue: &Queue, names: &Names, rules: &Rules) -> Desk {
    let mut desk = names.desk(rules.sets());
    let ends = |host: &[&HostName; 2]| host.map(|host| names.number(host));
    let running: HashMap<VmId, [&HostName; 2]> =
        queue.running.iter().map(|running| (running.vm, [running.source, running.destination])).collect();
    for (vm, sets) in rules.kept_apart() {
        match (running.get(&vm), queue.places.get(&vm)) {
            (Some(hosts), _) => ends(hosts).into_iter().for_each(|host| desk.settle(sets, host)),
            (None, Some(host)) => desk.settle(sets, names.number(host)),
            (None, None) => {}
        }
    }
    for running in &queue.running {
        let [source, destination] = ends(&[running.source, running.destination]);
        match running.stage {
            Stage::Ending => {}
            Stage::Preparing | Stage::Sending if running.left_ms.is_some_and(|left| left <= READY_MS) => {
                desk.count(source, destination);
            }
            Stage::Preparing | Stage::Sending => {
                desk.link(source, destination, names.links(source).used(running.bytes_s));
            }
        }
    }
    desk
}

/// What may not begin now, whatever room there is.
pub(crate) struct Blocked<'a> {
    queue: &'a Queue<'a>,
    names: &'a Names<'a>,
    rules: &'a Rules<'a>,
    running: HashSet<VmId>,
}

impl<'a> Blocked<'a> {
    pub(crate) fn new(queue: &'a Queue, names: &'a Names, rules: &'a Rules) -> Self {
        let running: HashSet<VmId> = queue.running.iter().map(|running| running.vm).collect();
        Self { queue, names, rules, running }
    }

    pub(crate) fn is(&self, index: usize) -> bool {
        let waiting = &self.queue.waiting[index];
        let vm = waiting.vm.vm;
        !self.names.takes(self.names.number(waiting.destination))
            || self.queue.places.get(&vm).is_some_and(|host| host != waiting.source)
            || self.running.contains(&vm)
            || self.queue.held.contains(&vm)
            || waiting.vm.pairs.get(waiting.destination).is_some_and(|pair| pair.refused)
            || self.rules.forbids(vm, waiting.destination).is_some()
    }
}
