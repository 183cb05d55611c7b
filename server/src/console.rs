//! The port, implemented with engine, store and auth.

use std::sync::Arc;

use app::console::{Account, ElsewhereRequest, Hosts, Migrations, Principal, Updates, Vms};
use async_trait::async_trait;
use engine::Engine;
use model::{
    Code, Elsewhere, HostLogin, HostName, HostTest, Migration, MigrationEvent, MigrationId, MigrationOptions,
    MigrationRequest, NewHost, PasswordChange, Preflight, Problem, RegisteredHost, SessionInfo, Snapshot, Update, Vm,
    VmAction, VmId,
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

    /// Notes what somebody wants, before it is done: nothing happens without an entry, even if the caller leaves meanwhile.
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
        self.audit(who, Action::VmActed(vm, action)).await?;
        self.engine.act(vm, action).await
    }
}

#[async_trait]
impl Migrations for ServerConsole {
    async fn start(&self, who: &Principal, request: MigrationRequest) -> Result<Migration, Problem> {
        // Its audit entry is written by the store, in the same transaction as the migration; so is that of its end.
        self.engine.migrate(request, who.user()).await
    }

    async fn start_elsewhere(
        &self,
        _who: &Principal,
        _elsewhere: Elsewhere,
        _request: ElsewhereRequest,
    ) -> Result<Migration, Problem> {
        Err(not_yet())
    }

    async fn preflight(
        &self,
        _who: &Principal,
        vm: VmId,
        destination: &HostName,
        options: &MigrationOptions,
    ) -> Result<Preflight, Problem> {
        self.engine.preflight(vm, destination, options).await
    }

    async fn preflights(&self, _who: &Principal, vm: VmId) -> Result<Vec<Preflight>, Problem> {
        self.engine.preflights(vm).await
    }

    async fn measure(&self, _who: &Principal, vm: VmId) -> Result<u64, Problem> {
        self.engine.measure(vm).await
    }

    async fn cancel(&self, who: &Principal, id: MigrationId) -> Result<Migration, Problem> {
        let (migration, _) = self.engine.migration(id).await?;
        self.audit(who, Action::MigrationCancelled(&migration)).await?;
        self.engine.cancel(id, who.user()).await
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

#[async_trait]
impl Hosts for ServerConsole {
    fn registered(&self, _who: &Principal) -> Result<Vec<RegisteredHost>, Problem> {
        Err(not_yet())
    }

    async fn test_host(&self, _who: &Principal, _host: NewHost) -> Result<HostTest, Problem> {
        Err(not_yet())
    }

    async fn add_host(&self, _who: &Principal, _host: NewHost) -> Result<(), Problem> {
        Err(not_yet())
    }

    async fn change_host(&self, _who: &Principal, _name: &HostName, _host: NewHost) -> Result<(), Problem> {
        Err(not_yet())
    }

    async fn remove_host(&self, _who: &Principal, _name: &HostName) -> Result<(), Problem> {
        Err(not_yet())
    }

    async fn log_in_at_host(&self, _who: &Principal, _name: &HostName, _login: HostLogin) -> Result<(), Problem> {
        Err(not_yet())
    }

    async fn set_up_key(&self, _who: &Principal, _name: &HostName, _login: HostLogin) -> Result<(), Problem> {
        Err(not_yet())
    }

    async fn remove_key(&self, _who: &Principal, _name: &HostName, _login: HostLogin) -> Result<(), Problem> {
        Err(not_yet())
    }
}

fn not_yet() -> Problem {
    Problem::new(Code::NotSupported, "Hosts can't be changed at run time yet.")
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::{HashCost, SessionLimits},
        test_directory::TestDirectory,
    };
    use engine::Store;
    use libvirt::{LibvirtHypervisor, SshFiles};
    use model::{Mode, Phase, Progress};
    use uuid::Uuid;

    const VM: VmId = VmId(Uuid::from_u128(1));

    async fn console(directory: &TestDirectory) -> (ServerConsole, SqliteStore) {
        let store = SqliteStore::open(directory.path()).await.unwrap();
        let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
        let hypervisor = Arc::new(LibvirtHypervisor::new(SshFiles::below(directory.path())).unwrap());
        let engine = Engine::start(Vec::new(), hypervisor, Arc::new(store.clone())).await.unwrap();
        (ServerConsole::new(engine, auth, store.clone()), store)
    }

    #[expect(clippy::disallowed_methods, reason = "the test is nobody's request")]
    fn ada() -> Principal {
        Principal::authenticated("ada".into(), None)
    }

    fn ended() -> Migration {
        Migration {
            id: MigrationId(Uuid::now_v7()),
            vm: VM,
            vm_name: "web".into(),
            source: "alpha".parse().unwrap(),
            destination: "beta".parse().unwrap(),
            mode: Mode::Live,
            way: None,
            encrypted: false,
            unregistered: None,
            options: MigrationOptions::default(),
            disks: Vec::new(),
            requested_by: "ada".into(),
            phase: Phase::Failed,
            cancel_requested: false,
            created_at_ms: 0,
            ended_at_ms: Some(1),
            progress: Progress::default(),
            outcome: None,
            problem: None,
        }
    }

    #[tokio::test]
    async fn what_somebody_wants_is_written_down_before_it_is_done() {
        let directory = TestDirectory::new();
        let (console, store) = console(&directory).await;
        let migration = ended();
        store.insert(&migration).await.unwrap();
        // Both come to nothing here; what was wanted is in the log all the same.
        assert_eq!(console.act(&ada(), VM, VmAction::Start).await.unwrap_err().code, Code::UnknownVm);
        assert_eq!(console.cancel(&ada(), migration.id).await.unwrap_err().code, Code::AlreadyEnded);
        let log = store.audit_log().await;
        let wanted: Vec<(&str, &str)> =
            log.iter().map(|(actor, action, _)| (actor.as_str(), action.as_str())).collect();
        assert!(wanted.ends_with(&[("ada", "vm-action"), ("ada", "migration-cancel")]), "{wanted:?}");
    }

    #[tokio::test]
    async fn what_cannot_be_written_down_is_not_done() {
        let directory = TestDirectory::new();
        let (console, store) = console(&directory).await;
        store.close().await;
        assert_eq!(console.act(&ada(), VM, VmAction::Start).await.unwrap_err().code, Code::Internal);
    }
}
