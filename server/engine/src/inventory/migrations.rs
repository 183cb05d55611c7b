//! The migrations that the inventory keeps: all that have not ended, all that need care, and the latest others.

use model::{HostName, Leftover, Migration, MigrationId, Phase, Progress};

use super::Inventory;

/// Ended migrations that are kept here, besides those that still need care.
const RECENT: usize = 50;

impl Inventory {
    pub(crate) fn migration(&self, id: MigrationId) -> Option<&Migration> {
        self.migrations.get(&id)
    }

    /// The ended migration that has left this volume on a host, if one has.
    pub(crate) fn left_by(&self, host: &HostName, pool: &str, volume: &str) -> Option<MigrationId> {
        let is_it = |left: &Leftover| left.host == *host && left.what.volume() == Some((pool, volume));
        let mut ended = self.migrations.values().filter(|migration| migration.phase.has_ended());
        ended.find(|migration| migration.leftovers.iter().any(is_it)).map(|migration| migration.id)
    }

    /// The volumes, by pool and name, that ended migrations have left on a host.
    pub(crate) fn left_volumes(&self, host: &HostName) -> Vec<(String, String)> {
        let ended = self.migrations.values().filter(|migration| migration.phase.has_ended());
        let left = ended.flat_map(|migration| &migration.leftovers).filter(|left| left.host == *host);
        left.filter_map(|left| left.what.volume()).map(|(pool, name)| (pool.to_owned(), name.to_owned())).collect()
    }

    /// Whether an ended migration still has something to do with a host.
    pub(crate) fn is_cared_for(&self, host: &HostName) -> bool {
        let mut cared_for = self.migrations.values().filter(|migration| migration.needs_care());
        cared_for.any(|Migration { source, destination, .. }| source == host || destination == host)
    }

    /// Ended migrations of an earlier run of the console, for the pages.
    pub(crate) fn remember(&mut self, migrations: Vec<Migration>) {
        self.migrations.extend(migrations.into_iter().map(|migration| (migration.id, migration)));
    }

    /// Whether a migration that has not ended, or one that needs attention, can't go on without this host.
    pub(crate) fn is_needed(&self, host: &HostName) -> bool {
        let waits = |phase: Phase| !phase.has_ended() || phase == Phase::NeedsAttention;
        let mut waiting = self.migrations.values().filter(|migration| waits(migration.phase));
        waiting.any(|migration| migration.source == *host || migration.destination == *host)
    }

    /// A migration's new state. Once it has ended, the VM is free again.
    pub(crate) fn set_migration(&mut self, migration: Migration) {
        let (vm, ended) = (migration.vm, migration.phase.has_ended());
        // A claim of one that had ended before is for a step.
        let ends = ended && self.migrations.get(&migration.id).is_none_or(|before| !before.phase.has_ended());
        if ends && self.open.get(&vm).is_some_and(|claim| claim.migration == migration.id) {
            self.open.remove(&vm);
        }
        let begins = !ended && self.migrations.get(&migration.id).is_none_or(|before| before.phase.has_ended());
        self.put_migration(migration);
        if begins || ended {
            self.forget_old_migrations();
            self.publish([vm]);
        }
    }

    pub(super) fn put_migration(&mut self, migration: Migration) {
        let id = migration.id;
        let progress_only = self.migrations.get_mut(&id).is_some_and(|before| {
            let progress = std::mem::replace(&mut before.progress, Progress::clone(&migration.progress));
            let is_same = *before == migration;
            before.progress = progress;
            is_same
        });
        self.migrations.insert(id, migration);
        self.feed.migration(id, progress_only);
    }

    fn forget_old_migrations(&mut self) {
        let is_over = |migration: &&Migration| migration.phase.has_ended() && !migration.needs_care();
        let ended: Vec<MigrationId> = self.migrations.values().filter(is_over).map(|m| m.id).collect();
        for id in ended.iter().rev().skip(RECENT) {
            self.migrations.remove(id);
            self.feed.migration_forgotten(*id);
        }
    }
}
