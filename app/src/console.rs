//! The port: everything a person or program can ask the console for.
//!
//! Server functions, REST, Kimchi's API, the WebSocket and the command line are doors into this one room. Checks stand behind
//! it, never in a door. Every method takes the [`Principal`] who asks, so that nothing can be called unauthenticated by mistake.

use std::sync::Arc;

use async_trait::async_trait;
use model::{
    Elsewhere, FindingCode, HostLogin, HostName, HostTest, Migration, MigrationEvent, MigrationId, MigrationOptions,
    MigrationRequest, Mode, NewHost, PasswordChange, Preflight, Problem, RegisteredHost, SessionInfo, Snapshot, Update,
    Vm, VmAction, VmId,
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

    /// The same, to a destination that may not be registered, or with a login for this migration only. It is reached, checked and moved to
    /// over ssh. The password is not kept. The host is registered only if it is to be: its key stays, and its address and account in the
    /// migration's record and in the audit log.
    ///
    /// # Errors
    /// Those of [`Migrations::start`]; `same-host` for this machine's own addresses; `host-key-unknown` and `host-key-changed` with the
    /// fingerprint seen, `login-refused`, `needs-login`, `not-permitted`, `throttled`, `host-exists`, `host-in-use`.
    async fn start_elsewhere(
        &self,
        who: &Principal,
        elsewhere: Elsewhere,
        request: ElsewhereRequest,
    ) -> Result<Migration, Problem>;

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
    /// `unknown-host`; `same-host` for loopback and unspecified addresses, unless one is a registered host's; `invalid-input` for what is no
    /// address, such as a numeric-looking one.
    fn host(&self, who: &Principal, name_or_address: &str) -> Result<HostName, Problem>;
}

/// Hosts at run time. What is refused changes nothing.
#[async_trait]
pub trait Hosts: Send + Sync {
    /// All hosts as they were written, by name: registered ones, and those that are there for a migration only. Without secrets.
    fn registered(&self, who: &Principal) -> Result<Vec<RegisteredHost>, Problem>;

    /// Connects to a host once, within 10 s, and says what it is.
    ///
    /// # Errors
    /// `invalid-input`; `not-supported` for TCP where the configuration does not allow it; `host-unreachable`, `host-key-unknown` and
    /// `host-key-changed` with the fingerprint seen, `login-refused`, `needs-login`, `not-permitted`, `throttled`.
    async fn test_host(&self, who: &Principal, host: NewHost) -> Result<HostTest, Problem>;

    /// Registers a host that answers.
    ///
    /// # Errors
    /// Those of [`Hosts::test_host`]; `host-exists`; `host-in-use` while it is there for a migration under another name.
    async fn add_host(&self, who: &Principal, host: NewHost) -> Result<(), Problem>;

    /// Changes how a host is reached; its name may change, too.
    ///
    /// # Errors
    /// Those of [`Hosts::add_host`]; `unknown-host`, `host-configured`, `host-in-use`.
    async fn change_host(&self, who: &Principal, name: &HostName, host: NewHost) -> Result<(), Problem>;

    /// Forgets a host, and its ssh key. Its VMs stay what and where they are.
    ///
    /// # Errors
    /// `unknown-host`, `host-configured`, `host-in-use`.
    async fn remove_host(&self, who: &Principal, name: &HostName) -> Result<(), Problem>;

    /// Logs in at a host that wants a password.
    ///
    /// # Errors
    /// `unknown-host`, and those of [`Hosts::test_host`].
    async fn log_in_at_host(&self, who: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem>;

    /// Puts the console's own key on a host, restricted as far as libvirt allows, and logs in with it from then on.
    ///
    /// # Errors
    /// Those of [`Hosts::log_in_at_host`]; `needs-login` without the account's password; `not-supported` if the console has no passphrase to
    /// encrypt its key with; `host-configured`, `host-in-use`.
    async fn set_up_key(&self, who: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem>;

    /// Takes the console's own key away from a host, which is reached by password from then on.
    ///
    /// # Errors
    /// Those of [`Hosts::set_up_key`].
    async fn remove_key(&self, who: &Principal, name: &HostName, login: HostLogin) -> Result<(), Problem>;
}

/// What is asked for of a migration to a destination that may not be registered.
#[derive(Clone, Debug, PartialEq)]
pub struct ElsewhereRequest {
    /// The VM.
    pub vm: VmId,
    /// Live or offline; none lets the VM's state decide.
    pub mode: Option<Mode>,
    /// What else was chosen.
    pub options: MigrationOptions,
    /// Warnings that need consent and have it.
    pub accept: Vec<FindingCode>,
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
pub trait Console: Vms + Migrations + Hosts + Updates + Account {}

impl<T: Vms + Migrations + Hosts + Updates + Account> Console for T {}

/// The room as it is handed to every door.
pub type SharedConsole = Arc<dyn Console>;
