//! Starts a migration: admits it, writes it down, and spawns its task.

use std::sync::Arc;

use model::{
    ControlFlow, Destination, DiskMove, DiskPlan, FindingCode, HostName, HostOrigin, Migration, MigrationId,
    MigrationOptions, MigrationRequest, Mode, Phase, PolicyDefaults, Preflight, Progress, Severity, Treatment, VmId,
};
use store::StoreError;
use tokio::time::timeout_at;
use uuid::Uuid;

use super::{
    super::{
        admission::{self, Accepted},
        lifecycle::Start,
    },
    Entry, Migrations, Part,
};
use crate::{
    error::Error,
    hosts::{HostToReach, Reached},
    hypervisor::{HostError, InvalidInput},
};

impl Migrations {
    /// Admits a migration, writes it down and starts it. An ad-hoc destination is logged in at first.
    pub(crate) async fn start(
        self: &Arc<Self>,
        request: MigrationRequest<Destination<HostToReach>>,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        let MigrationRequest { vm, destination, mode, options, accept } = request;
        let options = self.context.inventory().with_policy_defaults(vm, options);
        let to = |destination| MigrationRequest { vm, destination, mode, options, accept };
        match destination {
            Destination::Registered(host) => {
                let request = to(host);
                let accepted = admission::admit(&self.preflights, &request).await?;
                self.write_down(accepted, request, requested_by, None, None).await
            }
            Destination::Address(destination) => {
                let reached = self.hosts.reach(destination).await?;
                let host = reached.host.clone();
                self.start_to(reached, to(host), requested_by).await
            }
        }
    }

    /// What a start to this ad-hoc destination would find now, with a login there; nothing is begun, and the host is forgotten again.
    ///
    /// # Errors
    /// Those of [`Self::start`] but for what the preflight finds.
    pub(crate) async fn check(
        &self,
        vm: VmId,
        destination: HostToReach,
        options: MigrationOptions,
    ) -> Result<Preflight, Error> {
        let mut options = self.context.inventory().with_policy_defaults(vm, options);
        let reached = self.hosts.reach(destination).await?;
        if reached.login().is_some() {
            // The console drives it, as the source has no login there.
            options.control_flow.get_or_insert(ControlFlow::Direct);
        }
        let checked = timeout_at(reached.deadline(), self.preflights.run(vm, &reached.host, &options)).await;
        checked.unwrap_or_else(|_| Err(HostError::too_late(reached.host.as_str()).into()))
    }

    /// The same as a part of an evacuation, under an id that this has written down before.
    pub(crate) async fn start_part(
        self: &Arc<Self>,
        request: MigrationRequest,
        requested_by: &str,
        part: Part,
    ) -> Result<Migration, Error> {
        let options = self.context.inventory().with_policy_defaults(request.vm, request.options);
        let request = MigrationRequest { options, ..request };
        let accepted = admission::admit(&self.preflights, &request).await?;
        self.write_down(accepted, request, requested_by, None, Some(part)).await
    }

    /// The same whatever the preflight finds.
    #[cfg(any(test, feature = "unchecked"))]
    pub(crate) async fn start_unchecked(
        self: &Arc<Self>,
        request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        let accepted = admission::admit_unchecked(&self.context, &self.preflights, &request).await?;
        self.write_down(accepted, request, requested_by, None, None).await
    }

    /// The same, to a destination that was reached. What can be refused is refused within the 10 s that began as that was tried.
    ///
    /// # Errors
    /// `invalid-input` for another control flow than direct to a registered host with a login for this one migration, and for a definition
    /// that is to stay where the console could not see that the VM runs elsewhere.
    pub(crate) async fn start_to(
        self: &Arc<Self>,
        reached: Reached,
        mut request: MigrationRequest,
        requested_by: &str,
    ) -> Result<Migration, Error> {
        let is_temporary = self.context.inventory().is_temporary(&reached.host);
        if reached.login().is_some() && !is_temporary {
            // To a host that is not registered the control flow is direct anyway.
            if *request.options.control_flow.get_or_insert(ControlFlow::Direct) != ControlFlow::Direct {
                return Err(login_is_the_consoles(&reached.host).into());
            }
        }
        if request.options.keep_source_definition && !reached.is_to_be_registered() && is_temporary {
            return Err(would_not_be_seen(&reached.host).into());
        }
        let admitted = timeout_at(reached.deadline(), admission::admit(&self.preflights, &request)).await;
        let accepted = admitted.unwrap_or_else(|_| Err(HostError::too_late(reached.host.as_str()).into()))?;
        self.write_down(accepted, request, requested_by, Some(reached), None).await
    }

    /// Writes down what was admitted and starts it. What was `reached` for it is held until then.
    async fn write_down(
        self: &Arc<Self>,
        Accepted { vm, mode, preflight }: Accepted,
        request: MigrationRequest,
        requested_by: &str,
        reached: Option<Reached>,
        part: Option<Part>,
    ) -> Result<Migration, Error> {
        if request.options.policy_as_default {
            self.set_policy_defaults(vm.id, PolicyDefaults::chosen(&request.options)).await?;
        }
        let migration = Migration {
            id: part.map_or_else(|| MigrationId(Uuid::now_v7()), |part| part.migration),
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
            created_at_ms: self.context.now_ms(),
            ended_at_ms: None,
            progress: Progress::default(),
            outcome: None,
            problem: None,
            step: None,
            leftovers: Vec::new(),
            autostart: None,
            policy: request.options.policy.unwrap_or_default(),
            post_copy: false,
            slows_guest: false,
            connections: None,
            switchover_mib_s: None,
            waited_ms: 0,
            pause_limit_ms: None,
            acts: Vec::new(),
            prediction: preflight.prediction,
            evacuation: part.map(|part| part.evacuation),
            asleep: false,
        };
        let begun = Arc::clone(self).begin(migration, vm.persistent, reached);
        self.context.tasks().spawn_to_completion(begun).await
    }

    async fn set_policy_defaults(&self, vm: VmId, defaults: PolicyDefaults) -> Result<(), StoreError> {
        self.context.store().set_policy_defaults(vm, defaults).await?;
        self.context.inventory().set_policy_defaults(vm, defaults);
        Ok(())
    }

    async fn begin(
        self: Arc<Self>,
        mut migration: Migration,
        persistent: bool,
        reached: Option<Reached>,
    ) -> Result<Migration, Error> {
        let already = |open| Error::AlreadyMigrating { vm: migration.vm_name.clone(), open };
        migration.unregistered = {
            let mut inventory = self.context.inventory();
            inventory.ensure_available(&migration.source)?;
            inventory.ensure_available(&migration.destination)?;
            inventory.claim(&migration).map_err(already)?;
            let destination = inventory.host(&migration.destination);
            destination.filter(|entry| entry.origin == HostOrigin::Temporary).map(|entry| entry.config.settings())
        };
        // The intent is in the store before the first call that changes anything.
        if let Err(error) = self.context.store().insert_migration(&migration).await {
            self.context.inventory().release(migration.vm);
            return Err(match error {
                StoreError::Open(open) => already(open),
                StoreError::Failed { .. } | StoreError::Transition { .. } => error.into(),
            });
        }
        self.context.inventory().set_migration(migration.clone());
        let login = reached.as_ref().and_then(Reached::login).cloned();
        self.spawn(migration.clone(), Entry::New(Start { persistent, login }));
        // Held until it is registered: the migration may have ended by then.
        if reached.as_ref().is_some_and(Reached::is_to_be_registered) {
            self.hosts.register_temporary(&migration.destination).await;
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
            Some(DiskMove { target, source, pool, volume, path: None, created: false, proven: false })
        }
        Treatment::Shared { .. } | Treatment::Stuck => None,
    }
}

fn login_is_the_consoles(name: &HostName) -> InvalidInput {
    InvalidInput::new(format!("A login for one move is the console's: the source can't log in on {name} with it."))
        .with_fix("Let the VM move directly (leave out `way`), or leave out the user and the password.")
}

/// What is left at the source would look like a VM that is off, and could be started a second time.
fn would_not_be_seen(name: &HostName) -> InvalidInput {
    InvalidInput::new(format!(
        "The VM can't stay defined where it is while it runs on {name}, which is not registered."
    ))
    .with_fix(
        "Register the host with the migration, so that vmferry sees the VM there, or let its definition go along.",
    )
}
