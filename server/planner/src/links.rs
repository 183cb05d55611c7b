//! What a move has of the links: how much it sends at which rate, and which share is enough for it.

use crate::HostRoom;

/// Moves that prepare or send at once, away from a host and to it. The engine's own queue lets no more through.
pub const AT_ONCE: u32 = 4;

/// From the beginning of a move until it sends, in ms: preflight, disks, QEMU's start at the destination. A guess: of the 1 to 2 s that
/// moves on the demo take beside what they send, the larger part.
pub const READY_MS: u64 = 900;

/// From the last byte of a move until both hosts have confirmed its end, in ms. A guess: the smaller part.
pub const END_MS: u64 = 600;

/// What a link is taken to carry where nothing is known of any, in bytes a second: 1 Gbit/s, less what headers take.
pub const LINK_BYTES_S: u64 = 117_000_000;

/// A share of the links that is less than one part in so many of the best is not worth beginning with.
const LEAST_PART: u64 = 2;

/// So many times what its guest changes a move needs, to be done in a few passes.
const CONVERGES: (u64, u64) = (7, 4);

/// At most so much is sent of a guest's memory, in percent of what is sent with the best share.
const MORE_PERCENT: u64 = 110;

/// A link with less than one part in so many left is full.
const FULL_PART: u64 = 20;

/// Passes over a memory that are planned for at most: then the policy ends it.
const MOST_PASSES: u64 = 3;

/// What a host's links carry, in bytes a second. Never 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links {
    /// Away from it, in all.
    pub(crate) outgoing: u64,
    /// To it, in all.
    pub(crate) incoming: u64,
    /// What one move from there may use.
    each: u64,
    /// What one move from there has where nothing else limits it: a part of a link of which nothing is known.
    part: u64,
    /// Whether what leaves is limited; else what a move has is not, either, and its share only says how many go at once.
    is_out_limited: bool,
    is_in_limited: bool,
    is_each_limited: bool,
}

impl Links {
    /// Of a host, where an unknown link is taken to carry `assumed`.
    pub(crate) fn of(room: &HostRoom, assumed: u64) -> Self {
        let assumed = assumed.max(1);
        let each = room.each_bytes_s.map(|each| each.max(1));
        let known = room.outgoing_bytes_s.map(|outgoing| outgoing.max(1));
        let outgoing = known.unwrap_or_else(|| each.map_or(assumed, four_times));
        let incoming = room.incoming_bytes_s.map_or(assumed, |incoming| incoming.max(1));
        let most = each.unwrap_or(outgoing).min(outgoing);
        let part = if known.is_some() { most } else { each.unwrap_or(outgoing / u64::from(AT_ONCE)).max(1) };
        Self {
            outgoing,
            incoming,
            each: most,
            part,
            is_out_limited: known.is_some(),
            is_in_limited: room.incoming_bytes_s.is_some(),
            is_each_limited: each.is_some(),
        }
    }

    /// The most that all that leaves can use, with as many at once as the engine lets through.
    pub(crate) fn most_outgoing(&self) -> u64 {
        self.outgoing.min(four_times(self.each))
    }

    /// The most that one move from here to there can have.
    pub(crate) fn alone(&self, to: &Self) -> u64 {
        self.each.min(to.incoming)
    }

    /// What a move is taken to use that was begun with that limit.
    pub(crate) fn used(&self, bytes_s: Option<u64>) -> u64 {
        bytes_s.unwrap_or(self.part)
    }

    /// What a move is begun with that has this share: its limit, where there is a budget at all.
    pub(crate) fn limit(&self, to: &Self, share: u64) -> Option<u64> {
        (self.is_out_limited || self.is_each_limited || to.is_in_limited).then_some(share)
    }

    /// What a move from here to there wants, of a guest that changes so much.
    pub(crate) fn wish(&self, to: &Self, dirty: u64) -> Wish {
        let alone = self.alone(to);
        let converges = (dirty.saturating_mul(CONVERGES.0) / CONVERGES.1).min(alone);
        let best = self.even(self.part.min(to.incoming), dirty).max(converges);
        let least = (best / LEAST_PART).max(converges).max(worthwhile(best, dirty)).max(1);
        Wish { best, least }
    }

    /// Whether a move from here leaves no room for another.
    pub(crate) fn is_alone(&self, dirty: u64) -> bool {
        self.wish(self, dirty).least > self.outgoing / 2
    }

    /// The most that a move uses that is the last to leave.
    pub(crate) fn last(&self, to: &Self, wish: Wish) -> u64 {
        if self.is_out_limited { self.alone(to).max(wish.best) } else { wish.best }
    }

    /// At most so much, and what brings the link furthest if all have it: what guests change meanwhile is lost, for each that is sent.
    fn even(&self, most: u64, dirty: u64) -> u64 {
        let gained = |moves: &u64| moves.saturating_mul(most.min(self.outgoing / moves).saturating_sub(dirty));
        // Of equals the one with the fewest at once.
        let moves = (1..=u64::from(AT_ONCE)).rev().max_by_key(gained).unwrap_or(1);
        most.min(self.outgoing / moves)
    }

    /// Whether so little is left of the outgoing link that nothing begins.
    pub(crate) fn is_out_full(&self, left: u64) -> bool {
        left < (self.outgoing / FULL_PART).max(1)
    }

    /// Whether so little is left of the incoming link that nothing begins.
    pub(crate) fn is_in_full(&self, left: u64) -> bool {
        left < (self.incoming / FULL_PART).max(1)
    }
}

/// The share that a move wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// More than this it does not use.
    pub(crate) best: u64,
    /// With less it does not begin: its guest would change memory about as fast as it is sent, or it would be the last to end.
    pub(crate) least: u64,
}

/// The rate at which so much more is sent than at the best, because a guest changes memory meanwhile, and not yet more.
fn worthwhile(best: u64, dirty: u64) -> u64 {
    let more = best.saturating_mul(MORE_PERCENT) / 100;
    let lost = more.saturating_sub(best.saturating_sub(dirty)).max(1);
    u64::try_from(u128::from(dirty) * u128::from(more) / u128::from(lost)).unwrap_or(best).min(best)
}

/// What links are taken to carry of which nothing is known: as much as the best of which something is.
pub(crate) fn assumed<'a>(rooms: impl Iterator<Item = &'a HostRoom>) -> u64 {
    let known = |room: &HostRoom| {
        let together = room.each_bytes_s.map(four_times).filter(|_| room.outgoing_bytes_s.is_none());
        room.outgoing_bytes_s.max(room.incoming_bytes_s).max(together)
    };
    rooms.filter_map(known).max().unwrap_or(LINK_BYTES_S)
}

/// What is sent of a guest's memory at that rate, in bytes: M·r/(r−d), and never more than three passes.
pub(crate) fn memory_bytes(pass: u64, dirty: u64, rate: u64) -> u64 {
    let most = pass.saturating_mul(MOST_PASSES);
    let Some(gained) = rate.checked_sub(dirty).filter(|gained| *gained > 0) else { return most };
    let bytes = u128::from(pass) * u128::from(rate) / u128::from(gained);
    u64::try_from(bytes).unwrap_or(most).min(most)
}

/// How long so many bytes take, in ms.
pub(crate) fn sending_ms(bytes: u64, rate: u64) -> u64 {
    u64::try_from((u128::from(bytes) * 1000).div_ceil(u128::from(rate.max(1)))).unwrap_or(u64::MAX / 4)
}

fn four_times(bytes_s: u64) -> u64 {
    bytes_s.saturating_mul(AT_ONCE.into())
}
