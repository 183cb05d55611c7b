//! The audit log: who did what, for ever. Never a secret in it.

use engine::StoreError;
use model::{HostName, HostSettings, Migration, VmAction, VmId};
use serde_json::{Value, json};
use sqlx::{Sqlite, Transaction};

use super::{SqliteStore, failed, now_ms};

/// What somebody did.
#[derive(Clone, Copy, Debug)]
pub enum Action<'a> {
    /// Logged in, from this address.
    LoggedIn(&'a str),
    /// Failed to log in, from this address.
    LoginFailed(&'a str),
    /// Logged out.
    LoggedOut,
    /// Ended a session of theirs: its handle.
    SessionEnded(&'a str),
    /// Changed their password, which ended their other sessions.
    PasswordChanged,
    /// Made this a user.
    UserAdded(&'a str),
    /// Set this user's password, which ended their sessions.
    UserPasswordSet(&'a str),
    /// Removed this user.
    UserRemoved(&'a str),
    /// Asked for this to be done to a VM where it is.
    VmActed(VmId, VmAction),
    /// Began a migration.
    MigrationStarted(&'a Migration),
    /// Asked to cancel a migration.
    MigrationCancelled(&'a Migration),
    /// Had begun a migration that has ended now.
    MigrationEnded(&'a Migration),
    /// Asked to move a VM to this address, which may be nobody's, or with a login for this one move: as this account, if one was named.
    MigrationElsewhere(VmId, &'a str, Option<&'a str>),
    /// Had a host tried.
    HostTested(&'a HostSettings),
    /// Asked to register a host.
    HostAdded(&'a HostSettings),
    /// Asked to change how the host of this name is reached.
    HostChanged(&'a HostName, &'a HostSettings),
    /// Asked to forget a host.
    HostRemoved(&'a HostName),
    /// Tried to log in at a host, as this account if one was named.
    HostLogin(&'a HostName, Option<&'a str>),
    /// Asked to put the console's own ssh key on a host.
    HostKeySetUp(&'a HostName),
    /// Asked to take it away from there.
    HostKeyRemoved(&'a HostName),
    /// Forgot the ssh keys of the host at this address and port.
    HostKeysForgotten(&'a str, u16),
}

impl Action<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::LoggedIn(_) => "login",
            Self::LoginFailed(_) => "login-failed",
            Self::LoggedOut => "logout",
            Self::SessionEnded(_) => "session-ended",
            Self::PasswordChanged => "password-changed",
            Self::UserAdded(_) => "user-added",
            Self::UserPasswordSet(_) => "user-password-set",
            Self::UserRemoved(_) => "user-removed",
            Self::VmActed(..) => "vm-action",
            Self::MigrationStarted(_) => "migration-started",
            Self::MigrationCancelled(_) => "migration-cancel",
            Self::MigrationEnded(_) => "migration-ended",
            Self::MigrationElsewhere(..) => "migration-elsewhere",
            Self::HostTested(_) => "host-tested",
            Self::HostAdded(_) => "host-added",
            Self::HostChanged(..) => "host-changed",
            Self::HostRemoved(_) => "host-removed",
            Self::HostLogin(..) => "host-login",
            Self::HostKeySetUp(_) => "host-key-set-up",
            Self::HostKeyRemoved(_) => "host-key-removed",
            Self::HostKeysForgotten(..) => "host-keys-forgotten",
        }
    }

    fn details(self) -> Value {
        match self {
            Self::LoggedIn(address) | Self::LoginFailed(address) => json!({ "address": address }),
            Self::SessionEnded(handle) => json!({ "session": handle }),
            Self::LoggedOut | Self::PasswordChanged => json!({}),
            Self::UserAdded(user) | Self::UserPasswordSet(user) | Self::UserRemoved(user) => json!({ "user": user }),
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
            Self::MigrationElsewhere(vm, address, user) => json!({ "vm": vm, "address": address, "user": user }),
            Self::HostTested(settings) | Self::HostAdded(settings) => json!(settings),
            Self::HostChanged(host, settings) => json!({ "host": host, "settings": settings }),
            Self::HostLogin(host, user) => json!({ "host": host, "user": user }),
            Self::HostRemoved(host) | Self::HostKeySetUp(host) | Self::HostKeyRemoved(host) => json!({ "host": host }),
            Self::HostKeysForgotten(address, port) => json!({ "address": address, "port": port }),
        }
    }

    /// Adds it to the log as part of a transaction.
    pub(super) async fn write(
        self,
        transaction: &mut Transaction<'static, Sqlite>,
        actor: &str,
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO audit (at, actor, action, details) VALUES (?, ?, ?, ?)")
            .bind(now_ms())
            .bind(actor)
            .bind(self.name())
            .bind(self.details().to_string())
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
        Ok(())
    }
}

impl SqliteStore {
    /// Adds an entry to the audit log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&self, actor: &str, action: Action<'_>) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        action.write(&mut transaction, actor).await?;
        transaction.commit().await.map_err(failed)
    }

    /// Actor, action and details of every entry, oldest first.
    #[cfg(test)]
    pub(crate) async fn audit_log(&self) -> Vec<(String, String, String)> {
        sqlx::query_as("SELECT actor, action, details FROM audit ORDER BY number").fetch_all(&self.pool).await.unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;

    #[tokio::test]
    async fn what_was_written_stays_as_it_is() {
        let directory = TestDirectory::new();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        store.audit("ada", Action::LoggedIn("192.0.2.1")).await.unwrap();
        for statement in ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit"] {
            let error = sqlx::query(statement).execute(&store.pool).await.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{error}");
        }
        assert_eq!(store.audit_log().await, [("ada".into(), "login".into(), r#"{"address":"192.0.2.1"}"#.into())]);
    }
}
