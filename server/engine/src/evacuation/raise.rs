//! Gives moves under way what others have left of the links, through their ordinary steering. Never less than they have, and never where a person has
//! set the limit.

use std::collections::{BTreeMap, BTreeSet};

use model::{Evacuation, EvacuationId, Migration, MigrationId, Steering, VmId};
use planner::Queue;

use super::{Evacuations, begin::MIB};
use crate::inventory::Inventory;

/// By less than this part, in percent, a migration is not told another limit.
const LEAST_PERCENT: u64 = 10;

/// The limits that migrations were told by their evacuations, in MiB/s: their records have them a moment later.
#[derive(Default)]
pub(super) struct Raised(BTreeMap<MigrationId, u32>);

impl Raised {
    /// The limit of a migration now, in MiB/s.
    pub(super) fn limit(&self, migration: &Migration) -> Option<u32> {
        let told = self.0.get(&migration.id).copied().filter(|_| migration.bandwidth_asked_for().is_none());
        migration.bandwidth_now().max(told)
    }

    fn forget_ended(&mut self, inventory: &Inventory) {
        let is_open = |id: &MigrationId| inventory.migration(*id).is_some_and(|migration| !migration.phase.has_ended());
        self.0.retain(|id, _| is_open(id));
    }
}

/// The VMs whose migrations can be told to use more: parts of evacuations, where no person has set a limit.
pub(super) fn raisable(inventory: &Inventory, open: &BTreeMap<EvacuationId, Evacuation>) -> BTreeSet<VmId> {
    let is_part = |migration: &&Migration| migration.evacuation.is_some_and(|id| open.contains_key(&id));
    let can_be_told = |migration: &&Migration| {
        migration.bandwidth_asked_for().is_none() && Steering::Bandwidth { mib_s: 1 }.refusal(migration).is_none()
    };
    inventory.open_migrations().filter(is_part).filter(can_be_told).map(|migration| migration.vm).collect()
}

/// Which migrations may use how much from now on, in MiB/s.
pub(super) fn raises(inventory: &Inventory, queue: &Queue, raised: &Raised) -> Vec<(MigrationId, u32)> {
    let of = |vm: VmId| inventory.open_migrations().find(|migration| migration.vm == vm);
    let told = |raise: planner::Raise| {
        let migration = of(raise.vm)?;
        let (now, mib_s) = (raised.limit(migration)?, u32::try_from(raise.bytes_s / MIB).unwrap_or(u32::MAX));
        let is_worth_it = mib_s > now && u64::from(mib_s - now) * 100 >= u64::from(now) * LEAST_PERCENT;
        is_worth_it.then_some((migration.id, mib_s))
    };
    planner::raise(queue).into_iter().filter_map(told).collect()
}

impl Evacuations {
    /// Tells migrations what they may use from now on.
    pub(super) fn raise(&self, raises: Vec<(MigrationId, u32)>, raised: &mut Raised) {
        if raises.is_empty() {
            return;
        }
        raised.forget_ended(&self.context.inventory());
        for (migration, mib_s) in raises {
            raised.0.insert(migration, mib_s);
            self.migrations.raise(migration, mib_s);
        }
    }
}
