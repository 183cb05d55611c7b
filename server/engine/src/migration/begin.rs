//! The beginning of a migration: checked, claimed, written down.

use std::sync::Arc;

use model::{
    DiskMove, DiskPlan, FindingCode, HostOrigin, Migration, MigrationId, MigrationOptions, MigrationRequest, Mode,
    Phase, Preflight, Problem, Progress, Severity, Treatment,
};
use store::StoreError;
use uuid::Uuid;

use crate::{
    Engine, Reached,
    engine::store_failed,
    migration::admission::{self, Accepted},
    migration::lifecycle::Begin,
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
        let accepted = admission::request(self, &request).await?;
        self.write_down(accepted, request, requested_by, None).await
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
        let accepted = admission::nothing(self, &request).await?;
        self.write_down(accepted, request, requested_by, None).await
    }

    /// Writes down what was checked and begins it; what was `reached` for it is held until then.
    pub(crate) async fn write_down(
        self: &Arc<Self>,
        Accepted { vm, mode, preflight }: Accepted,
        request: MigrationRequest,
        requested_by: &str,
        reached: Option<Reached>,
    ) -> Result<Migration, Problem> {
        let migration = Migration {
            id: MigrationId(Uuid::now_v7()),
            vm: vm.id,
            vm_name: vm.name.clone(),
            source: vm.host.clone(),
            destination: request.destination,
            mode,
            control_flow: Some(preflight.control_flow),
            // What was asked for may fail, but never goes in the clear.
            encrypted: preflight.encrypted || (mode == Mode::Live && request.options.encrypt == Some(true)),
            unregistered: None,
            // Where it can't be, the preflight has said why, and that the memory goes by TCP.
            options: MigrationOptions { rdma: goes_by_rdma(&preflight), ..request.options },
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
        self.whole(Arc::clone(self).begin(migration, vm.persistent, reached)).await
    }

    async fn begin(
        self: Arc<Self>,
        mut migration: Migration,
        persistent: bool,
        reached: Option<Reached>,
    ) -> Result<Migration, Problem> {
        let already = |open| admission::already_migrating(&migration.vm_name, open);
        migration.unregistered = {
            let mut inventory = self.inventory();
            inventory.stays(&migration.source)?;
            inventory.stays(&migration.destination)?;
            inventory.claim(&migration).map_err(already)?;
            let destination = inventory.host(&migration.destination);
            destination.filter(|entry| entry.origin == HostOrigin::Temporary).map(|entry| entry.config.settings())
        };
        // The intent is in the store before the first call that changes anything.
        if let Err(error) = self.store.insert_migration(&migration).await {
            self.inventory().release(migration.vm);
            return Err(match error {
                StoreError::Open(open) => already(open),
                StoreError::Failed(_) => store_failed(&error),
            });
        }
        self.inventory().set_migration(migration.clone());
        let login = reached.as_ref().and_then(|reached| reached.login.clone());
        self.run(migration.clone(), Begin::Fresh { persistent }, login);
        // Held until it is registered: the migration may have ended by then.
        if reached.as_ref().is_some_and(|reached| reached.register) {
            self.keep_host(&migration.destination).await;
        }
        Ok(migration)
    }
}

/// Whether that was asked for, and both hosts offer it.
fn goes_by_rdma(preflight: &Preflight) -> bool {
    preflight.findings.iter().any(|found| (found.code, found.severity) == (FindingCode::Rdma, Severity::Ok))
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
