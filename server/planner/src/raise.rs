//! Which moves under way may use more of the links than they began with.

use std::cmp::Reverse;

use model::VmId;

use crate::{
    Queue, READY_MS, Raise, Running, Stage,
    names::Names,
    next::{Blocked, names},
    rules::Rules,
};

/// By less than this part a move is not raised: it would end hardly earlier.
const LEAST_PART: u64 = 10;

/// What is left of a host's links, in bytes a second.
#[derive(Clone, Copy)]
struct Rest {
    outgoing: u64,
    incoming: u64,
}

/// Which moves under way may use more of the links, now that others have ended; none is ever given less than it has.
///
/// What waits for a link has it first: as long as a move may begin on it, nothing of it is given away. The rest goes to the moves that take
/// longest. To be asked when [`next()`](crate::next()) lets nothing begin.
pub fn raise(queue: &Queue) -> Vec<Raise> {
    let names = names(queue);
    let mut rest = rest(queue, &names);
    let mut raises = Vec::new();
    for (running, has) in longest_first(queue) {
        let [from, to] = [running.source, running.destination].map(|host| names.number(host));
        let most = names.links(from).alone(&names.links(to));
        let share = most.min(has.saturating_add(rest[from].outgoing.min(rest[to].incoming)));
        let more = share.saturating_sub(has);
        if more > 0 && more >= has / LEAST_PART {
            rest[from].outgoing -= more;
            rest[to].incoming -= more;
            raises.push(Raise { vm: running.vm, bytes_s: share });
        }
    }
    raises
}

/// The moves that can be raised and will send for a while, with what they have.
fn longest_first<'a>(queue: &'a Queue) -> Vec<(&'a Running<'a>, u64)> {
    let lasts = |running: &Running| running.left_ms.is_none_or(|left| left > READY_MS);
    let mut order: Vec<(&Running, u64)> = queue
        .running
        .iter()
        .filter(|running| running.stage == Stage::Sending && lasts(running) && queue.raisable.contains(&running.vm))
        .filter_map(|running| Some((running, running.bytes_s?)))
        .collect();
    order.sort_by_key(|(running, _)| -> (Reverse<u64>, VmId) {
        (Reverse(running.left_ms.unwrap_or_default()), running.vm)
    });
    order
}

/// What moves under way leave of the links; nothing of one that a move waits for.
fn rest(queue: &Queue, names: &Names) -> Vec<Rest> {
    let whole = |host| Rest { outgoing: names.links(host).outgoing, incoming: names.links(host).incoming };
    let mut rest: Vec<Rest> = (0..names.len()).map(whole).collect();
    for running in queue.running.iter().filter(|running| running.stage != Stage::Ending) {
        let [from, to] = [running.source, running.destination].map(|host| names.number(host));
        let used = names.links(from).used(running.bytes_s);
        rest[from].outgoing = rest[from].outgoing.saturating_sub(used);
        rest[to].incoming = rest[to].incoming.saturating_sub(used);
    }
    let rules = Rules::new(&queue.rules);
    let blocked = Blocked::new(queue, names, &rules);
    for (_, waiting) in queue.waiting.iter().enumerate().filter(|(index, _)| !blocked.is(*index)) {
        rest[names.number(waiting.source)].outgoing = 0;
        rest[names.number(waiting.destination)].incoming = 0;
    }
    rest
}
