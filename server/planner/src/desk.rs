//! What is taken of hosts at a moment of a plan: links, memory, pools, and where VMs are that are kept apart. By number, so that plans of
//! thousands of VMs are gone through quickly. Both [`next()`](crate::next()) and the simulation decide by it.

use crate::{
    AT_ONCE,
    links::{Links, Wish},
};

/// A move, with all that is asked of hosts for it.
#[derive(Clone, Debug)]
pub(crate) struct Task<'a> {
    /// The VM, by number.
    pub(crate) vm: usize,
    /// From that host.
    pub(crate) source: usize,
    /// To that host.
    pub(crate) destination: usize,
    /// The memory that it takes there.
    pub(crate) memory: u64,
    /// What its guest changes, in bytes a second.
    pub(crate) dirty: u64,
    /// What it takes of which pools.
    pub(crate) disks: &'a [(usize, u64)],
    /// The sets of VMs kept apart that it belongs to.
    pub(crate) sets: &'a [usize],
}

/// The free space of a pool of which it is not known. Nothing is taken from it.
pub(crate) const UNKNOWN: u64 = u64::MAX;

/// A host.
#[derive(Clone, Debug)]
pub(crate) struct HostNow {
    pub(crate) links: Links,
    /// Free memory.
    pub(crate) memory: u64,
    /// What moves use of the outgoing link, and how many prepare or send.
    pub(crate) outgoing: Used,
    /// The same of the incoming link.
    pub(crate) incoming: Used,
}

/// What is used of a link.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    bytes_s: u64,
    moves: u32,
}

/// What is taken of all hosts.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) hosts: Vec<HostNow>,
    /// Free space, by the number of the pool.
    pub(crate) pools: Vec<u64>,
    /// How many VMs of a set are on a host or on their way to it, by set and host.
    apart: Vec<u32>,
}

/// Which link keeps a move from beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Narrow {
    Source,
    Destination,
}

impl Desk {
    pub(crate) fn new(hosts: Vec<(Links, u64)>, pools: Vec<u64>, sets: usize) -> Self {
        let apart = vec![0; sets * hosts.len()];
        let host = |(links, memory)| HostNow { links, memory, outgoing: Used::default(), incoming: Used::default() };
        Self { hosts: hosts.into_iter().map(host).collect(), pools, apart }
    }

    /// What is left of a host's outgoing link; 0 if no further move may begin there.
    pub(crate) fn outgoing_left(&self, host: usize) -> u64 {
        let host = &self.hosts[host];
        let left = host.outgoing.left(host.links.outgoing);
        if host.links.is_out_full(left) { 0 } else { left }
    }

    /// What is left of a host's incoming link; 0 if no further move may begin there.
    pub(crate) fn incoming_left(&self, host: usize) -> u64 {
        let host = &self.hosts[host];
        let left = host.incoming.left(host.links.incoming);
        if host.links.is_in_full(left) { 0 } else { left }
    }

    /// The share of the links that a move would begin with now; the last that waits to leave a host need not leave anything to others.
    pub(crate) fn share(&self, source: usize, destination: usize, dirty: u64, is_last: bool) -> Result<u64, Narrow> {
        let wish = self.hosts[source].links.wish(&self.hosts[destination].links, dirty);
        self.share_of(source, destination, wish, is_last)
    }

    /// The share of the links that a move with this wish would begin with now.
    pub(crate) fn share_of(&self, source: usize, destination: usize, wish: Wish, is_last: bool) -> Result<u64, Narrow> {
        let outgoing = self.outgoing_left(source);
        if outgoing < wish.least {
            return Err(Narrow::Source);
        }
        let incoming = self.incoming_left(destination);
        if incoming < wish.least {
            return Err(Narrow::Destination);
        }
        let [from, to] = [source, destination].map(|host| &self.hosts[host].links);
        let best = if is_last { from.last(to, wish) } else { wish.best };
        Ok(best.min(outgoing).min(incoming))
    }

    /// Whether there is space for disks, beside what is kept for others.
    pub(crate) fn has_space(&self, disks: &[(usize, u64)], kept: impl Fn(usize) -> u64) -> bool {
        disks.iter().all(|(pool, bytes)| self.pools[*pool] >= bytes.saturating_add(kept(*pool)))
    }

    /// How many VMs of a set are on a host, or on their way.
    pub(crate) fn together(&self, set: usize, host: usize) -> u32 {
        self.apart[set * self.hosts.len() + host]
    }

    /// Whether no VM that is to be kept apart from one of these sets is on the host.
    pub(crate) fn is_apart(&self, sets: &[usize], host: usize) -> bool {
        sets.iter().all(|set| self.together(*set, host) == 0)
    }

    /// A VM of these sets is on a host.
    pub(crate) fn settle(&mut self, sets: &[usize], host: usize) {
        for set in sets {
            self.apart[set * self.hosts.len() + host] += 1;
        }
    }

    /// A VM of these sets is no longer on a host.
    pub(crate) fn leave(&mut self, sets: &[usize], host: usize) {
        for set in sets {
            let count = &mut self.apart[set * self.hosts.len() + host];
            *count = count.saturating_sub(1);
        }
    }

    /// A move takes what it needs at its destination.
    pub(crate) fn take(&mut self, task: &Task) {
        let memory = &mut self.hosts[task.destination].memory;
        *memory = memory.saturating_sub(task.memory);
        for (pool, bytes) in task.disks {
            if self.pools[*pool] != UNKNOWN {
                self.pools[*pool] = self.pools[*pool].saturating_sub(*bytes);
            }
        }
        self.settle(task.sets, task.destination);
    }

    /// A move that was only thought of is forgotten: its disks take no space.
    pub(crate) fn free_pools(&mut self, task: &Task) {
        for (pool, bytes) in task.disks {
            if self.pools[*pool] != UNKNOWN {
                self.pools[*pool] += bytes;
            }
        }
    }

    /// A move that was only thought of is forgotten: its VM is at its source as before.
    pub(crate) fn retake(&mut self, task: &Task) {
        self.hosts[task.source].memory -= task.memory;
        self.settle(task.sets, task.source);
    }

    /// A move has ended: its source has the memory back.
    pub(crate) fn give_back(&mut self, task: &Task) {
        self.hosts[task.source].memory += task.memory;
        self.leave(task.sets, task.source);
    }

    /// A move has this share of the links from now on.
    pub(crate) fn link(&mut self, source: usize, destination: usize, share: u64) {
        self.count(source, destination);
        self.hosts[source].outgoing.bytes_s += share;
        self.hosts[destination].incoming.bytes_s += share;
    }

    /// A move counts among those that prepare or send.
    pub(crate) fn count(&mut self, source: usize, destination: usize) {
        self.hosts[source].outgoing.moves += 1;
        self.hosts[destination].incoming.moves += 1;
    }

    /// A move leaves its share of the links to the next.
    pub(crate) fn unlink(&mut self, source: usize, destination: usize, share: u64) {
        self.hosts[source].outgoing.bytes_s -= share;
        self.hosts[destination].incoming.bytes_s -= share;
    }

    /// A move has sent everything; true if only the number of moves kept others from beginning.
    pub(crate) fn sent(&mut self, source: usize, destination: usize) -> bool {
        let [outgoing, incoming] = [self.hosts[source].outgoing.moves, self.hosts[destination].incoming.moves];
        self.hosts[source].outgoing.moves -= 1;
        self.hosts[destination].incoming.moves -= 1;
        outgoing >= AT_ONCE || incoming >= AT_ONCE
    }
}

impl Used {
    fn left(self, of: u64) -> u64 {
        if self.moves >= AT_ONCE { 0 } else { of.saturating_sub(self.bytes_s) }
    }
}
