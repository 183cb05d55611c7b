//! The port, implemented with engine, store and auth.

use std::sync::Arc;

use app::console::{Account, Migrations, Principal, Updates, Vms};
use async_trait::async_trait;
use engine::Engine;
use model::{
    Code, HostName, Migration, MigrationEvent, MigrationId, MigrationRequest, PasswordChange, Problem, SessionInfo,
    Snapshot, Update, Vm, VmAction, VmId,
};
use tokio::sync::mpsc;

use crate::{
    auth::{Auth, store_failed},
    store::{Action, SqliteStore},
};

/// The most migrations that are listed at once.
const LONGEST_LIST: u32 = 1_000;

/// Everything a person or program can ask for, on real hosts. Every user is an administrator, so that being somebody is enough.
pub struct ServerConsole {
    engine: Arc<Engine>,
    auth: Auth,
    store: SqliteStore,
}

impl ServerConsole {
    /// Puts the parts together.
    pub fn new(engine: Arc<Engine>, auth: Auth, store: SqliteStore) -> Self {
        Self { engine, auth, store }
    }

    async fn audit(&self, who: &Principal, action: Action<'_>) -> Result<(), Problem> {
        self.store.audit(who.user(), action).await.map_err(|error| store_failed(&error))
    }
}

#[async_trait]
impl Vms for ServerConsole {
    fn snapshot(&self, _who: &Principal) -> Result<Snapshot, Problem> {
        Ok(self.engine.snapshot())
    }

    fn find(&self, _who: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem> {
        self.engine.find(name, host)
    }

    async fn act(&self, who: &Principal, vm: VmId, action: VmAction) -> Result<(), Problem> {
        self.engine.act(vm, action).await?;
        self.audit(who, Action::VmActed(vm, action)).await
    }
}

#[async_trait]
impl Migrations for ServerConsole {
    async fn start(&self, who: &Principal, request: MigrationRequest) -> Result<Migration, Problem> {
        // Its audit entry is written by the store, in the same transaction as the migration; so is that of its end.
        self.engine.migrate(request, who.user()).await
    }

    async fn cancel(&self, who: &Principal, id: MigrationId) -> Result<Migration, Problem> {
        let migration = self.engine.cancel(id, who.user()).await?;
        self.audit(who, Action::MigrationCancelled(&migration)).await?;
        Ok(migration)
    }

    async fn migration(&self, _who: &Principal, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Problem> {
        self.engine.migration(id).await
    }

    async fn migrations(
        &self,
        _who: &Principal,
        before: Option<MigrationId>,
        limit: u32,
    ) -> Result<Vec<Migration>, Problem> {
        if !(1..=LONGEST_LIST).contains(&limit) {
            return Err(Problem::new(Code::InvalidInput, "The list would be too long or empty.")
                .with_fix(format!("Ask for 1 to {LONGEST_LIST} migrations.")));
        }
        self.engine.migrations(before, limit).await
    }

    fn host(&self, _who: &Principal, name_or_address: &str) -> Result<HostName, Problem> {
        self.engine.host(name_or_address)
    }
}

impl Updates for ServerConsole {
    fn subscribe(&self, _who: &Principal, since: Option<u64>) -> Result<mpsc::Receiver<Update>, Problem> {
        Ok(self.engine.subscribe(since))
    }
}

#[async_trait]
impl Account for ServerConsole {
    async fn change_password(&self, who: &Principal, change: PasswordChange) -> Result<(), Problem> {
        self.auth.change_password(who, change).await
    }

    async fn sessions(&self, who: &Principal) -> Result<Vec<SessionInfo>, Problem> {
        self.auth.sessions_of(who).await
    }

    async fn end_session(&self, who: &Principal, handle: &str) -> Result<(), Problem> {
        self.auth.end_session(who, handle).await
    }
}
