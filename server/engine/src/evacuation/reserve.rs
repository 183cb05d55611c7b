//! The memory that an evacuation reserves for its VMs at their destinations, from its begin until each is there.

use std::collections::BTreeMap;

use model::{Evacuation, EvacuationId, EvacuationItem, EvacuationState, HostName, ItemState, MigrationId};
use planner::HostRoom;

use crate::inventory::{Inventory, Reservation};

/// What an evacuation has reserved. One that is stopped begins nothing any more, and needs room only for what moves.
pub(super) fn reservations(evacuation: &Evacuation) -> Vec<Reservation> {
    let goes_on = matches!(evacuation.state, EvacuationState::Running | EvacuationState::Paused);
    evacuation.items.iter().flat_map(|item| of_item(item, goes_on)).collect()
}

/// One that halts on a third host has its place there, and where it goes afterwards.
fn of_item(item: &EvacuationItem, goes_on: bool) -> impl Iterator<Item = Reservation> {
    let migration = match item.state {
        ItemState::Moving { migration } => Some(migration),
        _ => None,
    };
    let is_left = migration.is_some() || (goes_on && item.state == ItemState::Waiting);
    let (first, then) = match &item.via {
        Some(via) => (Some(via), item.destination.as_ref()),
        None => (item.destination.as_ref(), None),
    };
    let reserve = |host: &HostName, migration: Option<MigrationId>| Reservation {
        vm: item.vm,
        host: host.clone(),
        memory_bytes: item.memory_bytes,
        migration,
    };
    let first = first.filter(|_| is_left).map(|host| reserve(host, migration));
    let then = then.filter(|_| is_left && goes_on).map(|host| reserve(host, None));
    first.into_iter().chain(then).filter(|reserved| reserved.memory_bytes > 0)
}

/// Takes from the hosts' room what evacuations have reserved, without this one.
pub(super) fn take_all(hosts: &mut BTreeMap<HostName, HostRoom>, inventory: &Inventory, but: Option<EvacuationId>) {
    inventory.reservations(but).for_each(|reserved| take(hosts, inventory, reserved));
}

/// Takes a reservation from a host's room, unless its migration is under way: what that needs was taken with all others (`fleet.rs`).
pub(super) fn take(hosts: &mut BTreeMap<HostName, HostRoom>, inventory: &Inventory, reserved: &Reservation) {
    if reserved.migration.is_some_and(|migration| inventory.migration(migration).is_some()) {
        return;
    }
    if let Some(room) = hosts.get_mut(&reserved.host) {
        room.memory_bytes = room.memory_bytes.saturating_sub(reserved.memory_bytes);
    }
}

#[cfg(test)]
mod tests {
    use model::examples;
    use uuid::Uuid;

    use super::*;

    fn reserved(change: impl FnOnce(&mut Evacuation)) -> Vec<(HostName, Option<MigrationId>)> {
        let mut evacuation = examples::evacuation(1, &["web"]);
        evacuation.items[0].destination = Some(host("beta"));
        change(&mut evacuation);
        reservations(&evacuation).into_iter().map(|reserved| (reserved.host, reserved.migration)).collect()
    }

    fn host(name: &str) -> HostName {
        name.parse().unwrap()
    }

    #[test]
    fn what_waits_or_moves_has_its_place() {
        let migration = MigrationId(Uuid::from_u128(7));
        assert_eq!(reserved(|_| {}), [(host("beta"), None)]);
        assert_eq!(reserved(|now| now.state = EvacuationState::Paused), [(host("beta"), None)]);
        let moving = |now: &mut Evacuation| now.items[0].state = ItemState::Moving { migration };
        assert_eq!(reserved(moving), [(host("beta"), Some(migration))]);
        assert_eq!(reserved(|now| now.items[0].state = ItemState::Moved { migration: None }), []);
        assert_eq!(reserved(|now| now.items[0].destination = None), []);
    }

    #[test]
    fn one_that_halts_has_two() {
        let migration = MigrationId(Uuid::from_u128(7));
        let halts = |now: &mut Evacuation| now.items[0].via = Some(host("gamma"));
        assert_eq!(reserved(halts), [(host("gamma"), None), (host("beta"), None)]);
        let moving = |now: &mut Evacuation| {
            halts(now);
            now.items[0].state = ItemState::Moving { migration };
        };
        assert_eq!(reserved(moving), [(host("gamma"), Some(migration)), (host("beta"), None)]);
    }

    #[test]
    fn one_that_is_stopped_needs_room_for_what_moves() {
        let migration = MigrationId(Uuid::from_u128(7));
        let stopped = |now: &mut Evacuation| now.state = EvacuationState::Stopping;
        assert_eq!(reserved(stopped), []);
        let moving = |now: &mut Evacuation| {
            stopped(now);
            now.items[0].state = ItemState::Moving { migration };
        };
        assert_eq!(reserved(moving), [(host("beta"), Some(migration))]);
    }
}
