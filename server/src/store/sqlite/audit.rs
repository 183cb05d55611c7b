//! The audit log: who did what, for ever. Never a secret in it.

use engine::StoreError;
use model::{Migration, VmAction, VmId};
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
