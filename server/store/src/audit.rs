//! The audit log: who did what, for ever. Never a secret in it.

use async_trait::async_trait;
use model::{
    Evacuation, EvacuationCommand, EvacuationId, HostName, HostSettings, MaintenanceCommand, Migration, PlacementRules,
    Steering, Step, TerminalKind, VmAction, VmId,
};
use serde_json::{Value, json};
use strum::IntoStaticStr;

use crate::StoreError;

/// What a user did or asked for. Its names in the log are for ever: a variant that is renamed keeps its old one.
#[derive(Clone, Copy, Debug, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Action<'a> {
    /// Logged in, from this address.
    #[strum(serialize = "login")]
    LoggedIn(&'a str),
    /// Failed to log in, from this address.
    LoginFailed(&'a str),
    /// Logged out.
    #[strum(serialize = "logout")]
    LoggedOut,
    /// Ended a session of theirs: its handle.
    SessionEnded(&'a str),
    /// Changed their password, which ended their other sessions.
    PasswordChanged,
    /// Wanted to change their password, from this session, and gave a wrong one as the current one.
    PasswordChangeFailed(Option<&'a str>),
    /// Added this user.
    UserAdded(&'a str),
    /// Set this user's password, which ended their sessions.
    UserPasswordSet(&'a str),
    /// Removed this user.
    UserRemoved(&'a str),
    /// Asked for this to be done to a VM on the host where it is.
    #[strum(serialize = "vm-action")]
    VmActed(VmId, VmAction),
    /// Opened a terminal of a VM, taking it over from another client if need be.
    TerminalOpened(VmId, TerminalKind, bool),
    /// Started a migration.
    MigrationStarted(&'a Migration),
    /// Asked to cancel a migration.
    #[strum(serialize = "migration-cancel")]
    MigrationCancelled(&'a Migration),
    /// Asked a migration that runs to go on otherwise.
    #[strum(serialize = "migration-steer")]
    MigrationSteered(&'a Migration, Steering),
    /// Asked to take the step that a migration offers which needs attention.
    MigrationStep(&'a Migration, &'a Step),
    /// Had started a migration that has ended now.
    MigrationEnded(&'a Migration),
    /// Asked to move a VM to the host at this address, registered or not, with a login for this migration: as this account, if one
    /// was named.
    #[strum(serialize = "migration-elsewhere")]
    MigrationToAddress(VmId, &'a str, Option<&'a str>),
    /// Started an evacuation.
    EvacuationStarted(&'a Evacuation),
    /// Told an evacuation to go on otherwise.
    EvacuationTold(EvacuationId, &'a EvacuationCommand),
    /// Said that work on a host begins, or that it is in use again.
    MaintenanceSet(&'a HostName, MaintenanceCommand),
    /// Replaced the rules for where VMs may be.
    PlacementRulesSet(&'a PlacementRules),
    /// Had a host tested.
    HostTested(&'a HostSettings),
    /// Asked to register a host.
    HostAdded(&'a HostSettings),
    /// Asked to change how the host of this name is reached.
    HostChanged(&'a HostName, &'a HostSettings),
    /// Asked to remove a host.
    HostRemoved(&'a HostName),
    /// Tried to log in at a host, as this account if one was named.
    HostLogin(&'a HostName, Option<&'a str>),
    /// Asked to put the console's own ssh key on a host.
    HostKeySetUp(&'a HostName),
    /// Asked to remove the console's own ssh key from a host.
    HostKeyRemoved(&'a HostName),
    /// Made the console forget the ssh keys of the host at this address and port.
    HostKeysForgotten(&'a str, u16),
}

impl Action<'_> {
    /// What it is called in the log, e.g. `migration-started`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What else the log says of it: a JSON object.
    pub fn details(self) -> Value {
        match self {
            Self::LoggedIn(address) | Self::LoginFailed(address) => json!({ "address": address }),
            Self::SessionEnded(handle) => json!({ "session": handle }),
            Self::PasswordChangeFailed(handle) => json!({ "session": handle }),
            Self::LoggedOut | Self::PasswordChanged => json!({}),
            Self::UserAdded(user) | Self::UserPasswordSet(user) | Self::UserRemoved(user) => json!({ "user": user }),
            Self::TerminalOpened(vm, kind, take_over) => {
                json!({ "vm": vm, "terminal": kind, "take_over": take_over })
            }
            Self::VmActed(vm, action) => json!({ "vm": vm, "action": action }),
            Self::MigrationStarted(migration)
            | Self::MigrationCancelled(migration)
            | Self::MigrationEnded(migration) => json!({
                "migration": migration.id,
                "vm": migration.vm,
                "vm_name": migration.vm_name,
                "source": migration.source,
                "destination": migration.destination,
                "phase": migration.phase,
            }),
            Self::EvacuationStarted(evacuation) => json!({
                "evacuation": evacuation.id,
                "subject": evacuation.request.subject,
                "reason": evacuation.request.reason,
                "vms": evacuation.items.len(),
            }),
            Self::EvacuationTold(evacuation, command) => json!({ "evacuation": evacuation, "command": command }),
            Self::MaintenanceSet(host, command) => json!({ "host": host, "command": command }),
            Self::PlacementRulesSet(rules) => {
                json!({ "rules": rules.rules.len(), "priorities": rules.priorities.len() })
            }
            Self::MigrationSteered(migration, steering) => json!({
                "migration": migration.id,
                "vm": migration.vm,
                "vm_name": migration.vm_name,
                "phase": migration.phase,
                "steering": steering,
            }),
            Self::MigrationStep(migration, step) => {
                json!({ "migration": migration.id, "vm": migration.vm, "vm_name": migration.vm_name, "step": step })
            }
            Self::MigrationToAddress(vm, address, user) => json!({ "vm": vm, "address": address, "user": user }),
            Self::HostTested(settings) | Self::HostAdded(settings) => json!(settings),
            Self::HostChanged(host, settings) => json!({ "host": host, "settings": settings }),
            Self::HostLogin(host, user) => json!({ "host": host, "user": user }),
            Self::HostRemoved(host) | Self::HostKeySetUp(host) | Self::HostKeyRemoved(host) => json!({ "host": host }),
            Self::HostKeysForgotten(address, port) => json!({ "address": address, "port": port }),
        }
    }
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "sqlite", derive(sqlx::FromRow))]
pub struct AuditEntry {
    /// Its number. Later entries have higher ones.
    pub number: i64,
    /// When, in ms since 1970.
    pub at: i64,
    /// A user's name, or a word in parentheses for what is no user.
    pub actor: String,
    /// What was done: [`Action::name`].
    pub action: String,
    /// [`Action::details`] as text.
    pub details: String,
}

/// Which entries are wanted. What is not set lets everything through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditFilter {
    /// By this actor.
    pub actor: Option<String>,
    /// Only this: [`Action::name`].
    pub action: Option<String>,
    /// Older than the entry of this number: the next page after the one that ends with it.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl AuditFilter {
    /// The newest entries, at most `limit`.
    pub fn newest(limit: u32) -> Self {
        Self { actor: None, action: None, before: None, limit }
    }
}

/// The audit log. Entries are only ever added. All methods fail when the database does.
#[async_trait]
pub trait Audit: Send + Sync + 'static {
    /// Adds an entry.
    async fn audit(&self, actor: &str, action: Action<'_>) -> Result<(), StoreError>;

    /// The entries that a filter lets through, newest first.
    async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError>;
}
