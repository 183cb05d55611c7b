//! Moves under way in a simulated time: when they leave the links, have sent everything, and are over.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{
    END_MS, READY_MS,
    desk::{Desk, Task},
};

/// Moves under way.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    now: u64,
    events: BinaryHeap<Reverse<(u64, Event, usize)>>,
    shares: Vec<u64>,
}

/// What becomes of a move. Of what happens at one time, that which gives back most comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// It is over.
    Ended,
    /// It has sent everything.
    Sent,
    /// One that begins now sends when this one no longer does.
    Leaves,
}

/// What has changed.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The hosts whose outgoing link has become free, wholly or in part.
    pub(crate) sources: Vec<usize>,
    /// The hosts whose incoming link has.
    pub(crate) destinations: Vec<usize>,
    /// The tasks that are over.
    pub(crate) ended: Vec<usize>,
}

impl Flows {
    /// A task begins now, with a share of the links, and sends for so long: when it begins and ends.
    pub(crate) fn begin(&mut self, task: usize, share: u64, sending_ms: u64) -> [u64; 2] {
        if self.shares.len() <= task {
            self.shares.resize(task + 1, 0);
        }
        self.shares[task] = share;
        let sent = self.now.saturating_add(READY_MS).saturating_add(sending_ms);
        self.events.push(Reverse((sent - READY_MS, Event::Leaves, task)));
        self.events.push(Reverse((sent, Event::Sent, task)));
        self.events.push(Reverse((sent.saturating_add(END_MS), Event::Ended, task)));
        [self.now, sent.saturating_add(END_MS)]
    }

    /// Goes on to the next time at which something changes; none if all is over.
    pub(crate) fn advance(&mut self, desk: &mut Desk, tasks: &[Task]) -> Option<Changes> {
        let Reverse((time, ..)) = *self.events.peek()?;
        self.now = time;
        let mut changes = Changes::default();
        while let Some(Reverse((at, event, number))) = self.events.peek().copied() {
            if at > time {
                break;
            }
            self.events.pop();
            let task = &tasks[number];
            let frees_links = match event {
                Event::Leaves => {
                    desk.unlink(task.source, task.destination, self.shares[number]);
                    true
                }
                Event::Sent => desk.sent(task.source, task.destination),
                Event::Ended => {
                    desk.give_back(task);
                    changes.ended.push(number);
                    false
                }
            };
            if frees_links {
                changes.sources.push(task.source);
                changes.destinations.push(task.destination);
            }
        }
        Some(changes)
    }
}
