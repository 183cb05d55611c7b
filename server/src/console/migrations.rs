//! Migrations.

use async_trait::async_trait;
use engine::{Address, HostToReach, UserName};
use futures::future::join_all;
use model::{
    AdHocDestination, Code, Destination, DestinationReport, Destinations, HostName, Migration, MigrationEvent,
    MigrationFilter, MigrationId, MigrationOptions, MigrationRequest, Phase, Predictions, Preflight, Problem, Steering,
    Step, TracePoint, VmId,
};
use port::{DestinationsRequest, Migrations, Principal};

use super::{ServerConsole, login::login};
use store::Action;

/// The most migrations that are listed at once.
const LONGEST_LIST: u32 = 1_000;

#[async_trait]
impl Migrations for ServerConsole {
    async fn start(&self, who: &Principal, request: MigrationRequest<Destination>) -> Result<Migration, Problem> {
        let MigrationRequest { vm, destination, mode, options, accept } = request;
        let destination = match destination {
            Destination::Registered(host) => Destination::Registered(host),
            Destination::Address(typed) => Destination::Address(self.ad_hoc(who, vm, typed).await?),
        };
        // The audit entry of a start is written by the store, in the same transaction as the migration; so is that of its end.
        let request = MigrationRequest { vm, destination, mode, options, accept };
        Ok(self.engine.migrate(request, who.user()).await?)
    }

    async fn destination(
        &self,
        _who: &Principal,
        vm: VmId,
        destination: &HostName,
        options: &MigrationOptions,
    ) -> Result<DestinationReport, Problem> {
        let vm = self.known_vm(vm)?;
        let host = self.engine.shown_host(destination).ok_or_else(|| {
            Problem::new(Code::UnknownHost, "This host is not registered any more.").with_fix("Choose another host.")
        })?;
        let preflight = self.engine.preflight(vm.id, destination, options).await;
        Ok(DestinationReport { host, preflight: preflight.map_err(Problem::from) })
    }

    async fn destinations(&self, _who: &Principal, request: DestinationsRequest) -> Result<Destinations, Problem> {
        let DestinationsRequest { vm, options, patience } = request;
        let vm = self.known_vm(vm)?;
        let nothing_chosen = MigrationOptions::default();
        let (id, options, nothing_chosen) = (vm.id, &options, &nothing_chosen);
        let reports = self.engine.destinations(&vm.host).into_iter().map(|host| async move {
            let chosen = options.get(&host.name).unwrap_or(nothing_chosen);
            let preflight = self.engine.preflight(id, &host.name, chosen);
            let preflight = match patience {
                Some(patience) => tokio::time::timeout(patience, preflight).await.ok()?,
                None => preflight.await,
            };
            Some(DestinationReport { host, preflight: preflight.map_err(Problem::from) })
        });
        let reports = join_all(reports).await.into_iter().flatten().collect();
        Ok(Destinations::ranked(vm, reports))
    }

    async fn check(
        &self,
        who: &Principal,
        vm: VmId,
        destination: AdHocDestination,
        options: MigrationOptions,
    ) -> Result<Preflight, Problem> {
        let destination = self.ad_hoc(who, vm, destination).await?;
        Ok(self.engine.check(vm, destination, options).await?)
    }

    async fn measure(&self, _who: &Principal, vm: VmId) -> Result<u64, Problem> {
        Ok(self.engine.measure(vm).await?)
    }

    async fn cancel(&self, who: &Principal, id: MigrationId) -> Result<Migration, Problem> {
        let (migration, _) = self.engine.migration(id).await?;
        self.audit_of_running(who, id, Action::MigrationCancelled(&migration)).await;
        Ok(self.engine.cancel(id, who.user()).await?)
    }

    async fn steer(&self, who: &Principal, id: MigrationId, steering: Steering) -> Result<Migration, Problem> {
        let (migration, _) = self.engine.migration(id).await?;
        self.audit_of_running(who, id, Action::MigrationSteered(&migration, steering)).await;
        Ok(self.engine.steer(id, steering, who.user()).await?)
    }

    async fn take_step(&self, who: &Principal, id: MigrationId, step: Step) -> Result<Migration, Problem> {
        let (migration, _) = self.engine.migration(id).await?;
        self.audit(who, Action::MigrationStep(&migration, &step)).await?;
        Ok(self.engine.take_step(id, step, who.user()).await?)
    }

    async fn migration(&self, _who: &Principal, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Problem> {
        Ok(self.engine.migration(id).await?)
    }

    async fn migrations(&self, _who: &Principal, filter: &MigrationFilter) -> Result<Vec<Migration>, Problem> {
        if !(1..=LONGEST_LIST).contains(&filter.limit) {
            return Err(Problem::new(Code::InvalidInput, "The list would be too long or empty.")
                .with_fix(format!("Ask for 1 to {LONGEST_LIST} migrations.")));
        }
        Ok(self.engine.migrations(filter).await?)
    }

    async fn trace(&self, _who: &Principal, id: MigrationId) -> Result<Vec<TracePoint>, Problem> {
        self.engine.migration(id).await?;
        Ok(self.engine.trace(id).await?)
    }

    async fn predictions(&self, _who: &Principal) -> Result<Predictions, Problem> {
        // Where a policy gave up, the migration failed or was cancelled.
        let ended = vec![Phase::Succeeded, Phase::Failed, Phase::Cancelled];
        let filter = MigrationFilter { phases: Some(ended), ..MigrationFilter::newest(LONGEST_LIST) };
        Ok(Predictions::of(&self.engine.migrations(&filter).await?))
    }

    fn host(&self, _who: &Principal, name_or_address: &str) -> Result<HostName, Problem> {
        Ok(self.engine.host(name_or_address)?)
    }
}

impl ServerConsole {
    /// Writes down what was asked of a migration that runs. What is under way can be stopped and steered even if nothing can be written:
    /// its history tells of it later.
    async fn audit_of_running(&self, who: &Principal, id: MigrationId, action: Action<'_>) {
        if let Err(error) = self.audit.audit(who.user(), action).await {
            tracing::error!(user = who.user(), migration = %id, %error, "a {} is not in the audit log", action.name());
        }
    }

    /// An ad-hoc destination as it was typed, checked. That a login there is wanted is written down.
    async fn ad_hoc(&self, who: &Principal, vm: VmId, typed: AdHocDestination) -> Result<HostToReach, Problem> {
        let AdHocDestination { address, port, login: typed, register } = typed;
        let credentials = login(typed)?;
        if port == Some(0) {
            return Err(
                Problem::new(Code::InvalidInput, "There is no port 0.").with_fix("Leave it out for 22, ssh's own.")
            );
        }
        let place = match self.engine.find_host(&address)? {
            Some(host) => host.to_string(),
            None => address.parse::<Address>()?.to_string(),
        };
        let user = credentials.user.as_ref().map(UserName::as_str);
        self.audit(who, Action::MigrationToAddress(vm, &place, user)).await?;
        Ok(HostToReach { address, port, credentials, register })
    }
}
