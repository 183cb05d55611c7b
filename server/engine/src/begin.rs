//! The beginning of a migration: checked, claimed, written down.

use std::sync::Arc;

use model::{Code, DiskMove, DiskPlan, Migration, MigrationId, MigrationRequest, Phase, Problem, Progress, Treatment};
use uuid::Uuid;

use crate::{
    Engine, StoreError,
    check::{self, Accepted},
    engine::store_failed,
    runner::Begin,
};

impl Engine {
    /// Writes a migration down and begins it. What can be refused is refused here, within 10 s.
    ///
    /// # Errors
    /// See [`model::refusal`]; `blocked` and `needs-consent` with what the preflight found; and `unknown-vm`, `unknown-host`,
    /// `invalid-input`, `already-there`, `host-unreachable`.
    pub async fn migrate(
        self: &Arc<Self>,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Problem> {
        let accepted = check::request(self, &request).await?;
        self.write_down(accepted, request, requested_by).await
    }

    /// The same whatever is found, for the test that compares what a preflight says with what happens then.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `invalid-input`, `already-migrating`.
    #[cfg(any(test, feature = "unchecked"))]
    pub async fn migrate_unchecked(
        self: &Arc<Self>,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Problem> {
        let accepted = check::nothing(self, &request).await?;
        self.write_down(accepted, request, requested_by).await
    }

    async fn write_down(
        self: &Arc<Self>,
        Accepted { vm, mode, preflight }: Accepted,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Problem> {
        let migration = Migration {
            id: MigrationId(Uuid::now_v7()),
            vm: vm.id,
            vm_name: vm.name.clone(),
            source: vm.host.clone(),
            destination: request.destination,
            mode,
            way: Some(preflight.way),
            encrypted: preflight.encrypted,
            unregistered: None,
            options: request.options,
            disks: preflight.disks.into_iter().filter_map(copied).collect(),
            requested_by: requested_by.to_owned(),
            phase: Phase::Queued,
            cancel_requested: false,
            created_at_ms: self.clock.now_ms(),
            ended_at_ms: None,
            progress: Progress::default(),
            outcome: None,
            problem: None,
        };
        // A task of its own: the caller may leave at any moment, and what was begun must not be left half-way.
        let begun = self.tasks.spawn(Arc::clone(self).begin(migration, vm.persistent));
        begun.await.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "vmferry is stopping.")))
    }

    async fn begin(self: Arc<Self>, migration: Migration, persistent: bool) -> Result<Migration, Problem> {
        let already = |open| check::already_migrating(&migration.vm_name, open);
        self.inventory().claim(migration.vm, migration.id).map_err(already)?;
        // The intent is in the store before the first call that changes anything.
        if let Err(error) = self.store.insert(&migration).await {
            self.inventory().release(migration.vm);
            return Err(match error {
                StoreError::Open(open) => already(open),
                StoreError::Failed(_) => store_failed(&error),
            });
        }
        self.inventory().set_migration(migration.clone());
        self.run(migration.clone(), Begin::Fresh { persistent });
        Ok(migration)
    }
}

/// The disk's part in the migration, if it is copied.
fn copied(DiskPlan { target, source, treatment, .. }: DiskPlan) -> Option<DiskMove> {
    match treatment {
        Treatment::Copy { pool, volume, .. } => {
            Some(DiskMove { target, source, pool, volume, path: None, created: false })
        }
        Treatment::Shared { .. } | Treatment::Stuck => None,
    }
}
