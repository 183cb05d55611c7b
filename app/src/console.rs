//! The port: everything a person or program can ask the console for.
//!
//! Server functions, REST, Kimchi's API, the WebSocket and the command line are doors into this one room. Checks stand behind
//! it, never in a door. Every method takes the [`Principal`] who asks, so that nothing can be called unauthenticated by mistake.

use std::sync::Arc;

use async_trait::async_trait;
use model::{
    HostName, Migration, MigrationEvent, MigrationId, MigrationOptions, MigrationRequest, PasswordChange, Preflight,
    Problem, SessionInfo, Snapshot, Update, Vm, VmAction, VmId,
};
use tokio::sync::mpsc;

/// Somebody who has proven who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    user: String,
    session: Option<String>,
}

impl Principal {
    /// Somebody `server/src/auth` has authenticated; a lint (clippy.toml) keeps everyone else from calling this.
    ///
    /// `session` is the handle of the session they came with, none for a command line on the console's own machine.
    pub fn authenticated(user: String, session: Option<String>) -> Self {
        Self { user, session }
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The handle of the session they came with.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }
}

/// VMs over all hosts.
#[async_trait]
pub trait Vms: Send + Sync {
    /// Hosts, VMs and the current migrations, from memory: costs no libvirt call.
    fn snapshot(&self, who: &Principal) -> Result<Snapshot, Problem>;

    /// The VM of this name; with `host` only the one there.
    ///
    /// # Errors
    /// `unknown-vm`, and `ambiguous-name` with the hosts when several different VMs have the name.
    fn find(&self, who: &Principal, name: &str, host: Option<&HostName>) -> Result<Vm, Problem>;

    /// Starts, stops, pauses or resumes a VM where it is.
    ///
    /// # Errors
    /// `wrong-state` where it makes no sense, `already-migrating`, `host-unreachable`, `hypervisor`.
    async fn act(&self, who: &Principal, vm: VmId, action: VmAction) -> Result<(), Problem>;
}

/// Migrations.
#[async_trait]
pub trait Migrations: Send + Sync {
    /// Writes a migration down and begins it; it goes on when the caller leaves. Refuses within 10 s what can be refused.
    ///
    /// # Errors
    /// See `model::refusal`; `blocked` and `needs-consent` with the findings; and `unknown-vm`, `unknown-host`, `invalid-input`, `host-unreachable`.
    async fn start(&self, who: &Principal, request: MigrationRequest) -> Result<Migration, Problem>;

    /// Looks whether a VM can go to a host, without side effects and within 10 s. What is asked again within seconds is answered
    /// from memory, unless something changed. A host that does not answer is a finding, not an error.
    ///
    /// # Errors
    /// `unknown-vm`, `unknown-host`, `invalid-input`, `host-unreachable` if the VM's own host does not answer.
    async fn preflight(
        &self,
        who: &Principal,
        vm: VmId,
        destination: &HostName,
        options: &MigrationOptions,
    ) -> Result<Preflight, Problem>;

    /// The same for every registered host but the VM's own, all at once; the recommended ones first.
    ///
    /// # Errors
    /// `unknown-vm`, `host-unreachable`.
    async fn preflights(&self, who: &Principal, vm: VmId) -> Result<Vec<Preflight>, Problem>;

    /// Measures what a guest writes to its memory, in bytes a second, for a second; later preflights predict with it.
    ///
    /// # Errors
    /// `unknown-vm`, `wrong-state` of a VM that does not run, `host-unreachable`, `hypervisor`.
    async fn measure(&self, who: &Principal, vm: VmId) -> Result<u64, Problem>;

    /// Asks for a migration to be cancelled. It is over when its phase says so.
    ///
    /// # Errors
    /// `unknown-migration`, `already-ended`.
    async fn cancel(&self, who: &Principal, id: MigrationId) -> Result<Migration, Problem>;

    /// One migration and its history, oldest entry first.
    ///
    /// # Errors
    /// `unknown-migration`.
    async fn migration(&self, who: &Principal, id: MigrationId) -> Result<(Migration, Vec<MigrationEvent>), Problem>;

    /// Migrations from newest to oldest, at most `limit` (1 to 1000), older than `before` if given.
    async fn migrations(
        &self,
        who: &Principal,
        before: Option<MigrationId>,
        limit: u32,
    ) -> Result<Vec<Migration>, Problem>;

    /// The registered host of this name or address.
    ///
    /// # Errors
    /// `unknown-host`: loopback, unspecified and numeric-looking addresses too, unless one is a registered host's.
    fn host(&self, who: &Principal, name_or_address: &str) -> Result<HostName, Problem>;
}

/// The stream of updates.
pub trait Updates: Send + Sync {
    /// All updates after number `since`; from a snapshot on where that number is unknown or too old. A receiver that lags gets
    /// a snapshot; the channel closes when the console stops.
    fn subscribe(&self, who: &Principal, since: Option<u64>) -> Result<mpsc::Receiver<Update>, Problem>;
}

/// One's own account.
#[async_trait]
pub trait Account: Send + Sync {
    /// Changes one's own password and ends one's other sessions.
    ///
    /// # Errors
    /// `wrong-credentials` if the current one is wrong, `weak-password`, `throttled`.
    async fn change_password(&self, who: &Principal, change: PasswordChange) -> Result<(), Problem>;

    /// One's own sessions, the last used first.
    async fn sessions(&self, who: &Principal) -> Result<Vec<SessionInfo>, Problem>;

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// `not-found`.
    async fn end_session(&self, who: &Principal, handle: &str) -> Result<(), Problem>;
}

/// The whole room.
pub trait Console: Vms + Migrations + Updates + Account {}

impl<T: Vms + Migrations + Updates + Account> Console for T {}

/// The room as it is handed to every door.
pub type SharedConsole = Arc<dyn Console>;
