//! Looks migrations up, those under way as they are now.

use model::{Migration, MigrationEvent, MigrationFilter, MigrationId, TracePoint};

use super::Migrations;
use crate::error::Error;

impl Migrations {
    /// One migration as it is now, and its history, oldest entry first.
    pub(crate) async fn get(&self, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Error> {
        let now = self.context.inventory().migration(id).cloned();
        let store = self.context.store();
        let migration = match now {
            Some(migration) => migration,
            None => store.migration(id).await?.ok_or(Error::UnknownMigration(id))?,
        };
        Ok((migration, store.events(id).await?))
    }

    /// What was measured of a migration over time, oldest first.
    pub(crate) async fn trace(&self, id: MigrationId) -> Result<Vec<TracePoint>, Error> {
        match self.context.traces().of(id) {
            Some(points) => Ok(points),
            None => Ok(self.context.store().trace(id).await?),
        }
    }

    /// The migrations that a filter lets through, newest first.
    pub(crate) async fn list(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, Error> {
        let mut migrations = self.context.store().migrations(filter).await?;
        // The store has the phase; the figures of those under way are fresher here. An end is in the store first.
        let inventory = self.context.inventory();
        for migration in migrations.iter_mut().filter(|migration| !migration.phase.has_ended()) {
            if let Some(now) = inventory.migration(migration.id) {
                migration.clone_from(now);
            }
        }
        // One that has gone on since the store was asked may no longer be what is searched for.
        migrations.retain(|migration| filter.lets_through(migration));
        Ok(migrations)
    }
}
