//! The audit log, in SQLite.

use async_trait::async_trait;
use sqlx::QueryBuilder;

use super::{SqliteStore, fault::failed, writing::Writing};
use crate::{Action, Audit, AuditEntry, AuditFilter, StoreError, clock::now_ms};

/// Adds an entry as part of a transaction.
pub(super) async fn write(writing: &mut Writing, actor: &str, action: Action<'_>) -> Result<(), StoreError> {
    let insert = sqlx::query("INSERT INTO audit (at, actor, action, details) VALUES (?, ?, ?, ?)")
        .bind(now_ms())
        .bind(actor)
        .bind(action.name())
        .bind(action.details().to_string());
    writing.execute(insert).await?;
    Ok(())
}

#[async_trait]
impl Audit for SqliteStore {
    async fn audit(&self, actor: &str, action: Action<'_>) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        write(&mut writing, actor, action).await?;
        writing.commit().await
    }

    async fn audit_entries(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let AuditFilter { actor, action, before, limit } = filter;
        let mut query = QueryBuilder::new("SELECT number, at, actor, action, details FROM audit WHERE true");
        if let Some(actor) = actor {
            query.push(" AND actor = ").push_bind(actor.clone());
        }
        if let Some(action) = action {
            query.push(" AND action = ").push_bind(action.clone());
        }
        if let Some(before) = before {
            query.push(" AND number < ").push_bind(*before);
        }
        query.push(" ORDER BY number DESC LIMIT ").push_bind(*limit);
        query.build_query_as().fetch_all(&self.readers).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::*;

    #[tokio::test]
    async fn what_was_written_stays_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path()).await.unwrap();
        store.audit("ada", Action::LoggedIn("192.0.2.1")).await.unwrap();
        let row = "(number, at, actor, action, details) VALUES (1, 1, 'eve', 'login', '{}')";
        let last = "(number, at, actor, action, details) VALUES (-1, 1, 'eve', 'login', '{}')";
        for statement in [
            "UPDATE audit SET actor = 'eve'",
            "UPDATE OR REPLACE audit SET actor = 'eve'",
            "DELETE FROM audit",
            &format!("REPLACE INTO audit {row}"),
            &format!("INSERT OR REPLACE INTO audit {row}"),
            &format!("INSERT INTO audit {row} ON CONFLICT (number) DO UPDATE SET actor = 'eve'"),
            // Numbers that no entry has yet: one that is put in later would be replaced, or keep others out.
            &format!("INSERT INTO audit {}", row.replace("(1,", "(9223372036854775807,")),
            &format!("INSERT INTO audit {last}"),
        ] {
            let statement = AssertSqlSafe(statement.to_owned());
            let error = sqlx::query(statement).execute(&store.writer).await.unwrap_err().to_string();
            assert!(error.contains("append-only"), "{error}");
        }
        let entries = store.audit_entries(&AuditFilter::newest(10)).await.unwrap();
        let [AuditEntry { actor, action, details, .. }] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!((actor.as_str(), action.as_str(), details.as_str()), ("ada", "login", r#"{"address":"192.0.2.1"}"#));
    }
}
