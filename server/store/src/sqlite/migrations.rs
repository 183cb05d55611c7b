//! Migrations, in SQLite.

use async_trait::async_trait;
use model::{Migration, MigrationEvent, MigrationFilter, MigrationId, Phase, TracePoint};
use sqlx::{QueryBuilder, Sqlite, query::Query, sqlite::SqliteArguments};

use super::{SqliteStore, audit, fault::failed, from_json, to_json, to_ms};
use crate::{Action, Migrations, StoreError, migrations::check_transitions};

/// All columns. [`with_columns`] binds all but the last two.
const INSERT: &str = "INSERT INTO migrations (vm_name, source, destination, phase, open, requested_by, created_at_ms, \
                      ended_at_ms, document, needs_care, id, vm) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
/// The columns that may change, in the same order, and the id.
const UPDATE: &str = "UPDATE migrations SET vm_name = ?, source = ?, destination = ?, phase = ?, open = ?, \
                      requested_by = ?, created_at_ms = ?, ended_at_ms = ?, document = ?, needs_care = ? WHERE id = ?";

#[async_trait]
impl Migrations for SqliteStore {
    async fn insert_migration(&self, migration: &Migration) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let open: Option<String> = sqlx::query_scalar("SELECT id FROM migrations WHERE vm = ? AND open")
            .bind(migration.vm.to_string())
            .fetch_optional(&mut *writing)
            .await
            .map_err(|error| writing.failed(error))?;
        // The write lock is held: no other writer comes between this query and the insert. The index keeps it true for other versions.
        if let Some(id) = open {
            return Err(StoreError::Open(id.parse().map_err(|_| StoreError::other("an id is damaged"))?));
        }
        let insert = with_columns(INSERT, migration)?.bind(migration.id.to_string()).bind(migration.vm.to_string());
        writing.execute(insert).await?;
        audit::write(&mut writing, &migration.requested_by, Action::MigrationStarted(migration)).await?;
        writing.commit().await
    }

    async fn update_migration(&self, migration: &Migration, events: &[MigrationEvent]) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let kept: String = sqlx::query_scalar("SELECT phase FROM migrations WHERE id = ?")
            .bind(migration.id.to_string())
            .fetch_one(&mut *writing)
            .await
            .map_err(|error| writing.failed(error))?;
        let kept = phase_of(kept)?;
        check_transitions(kept, migration, events)?;
        writing.execute(with_columns(UPDATE, migration)?.bind(migration.id.to_string())).await?;
        for event in events {
            let insert =
                sqlx::query("INSERT INTO migration_events (migration, at_ms, phase, text) VALUES (?, ?, ?, ?)")
                    .bind(migration.id.to_string())
                    .bind(to_ms(event.at_ms))
                    .bind(event.phase.as_str())
                    .bind(&event.text);
            writing.execute(insert).await?;
        }
        if !kept.has_ended() && migration.phase.has_ended() {
            audit::write(&mut writing, &migration.requested_by, Action::MigrationEnded(migration)).await?;
        }
        writing.commit().await
    }

    async fn migration(&self, id: MigrationId) -> Result<Option<Migration>, StoreError> {
        let document: Option<String> = sqlx::query_scalar("SELECT document FROM migrations WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        document.map(|document| from_json(&document)).transpose()
    }

    async fn migrations(&self, filter: &MigrationFilter) -> Result<Vec<Migration>, StoreError> {
        let documents: Vec<String> =
            list(filter).build_query_scalar().fetch_all(&self.readers).await.map_err(failed)?;
        documents.iter().map(|document| from_json(document)).collect()
    }

    async fn open_migrations(&self) -> Result<Vec<Migration>, StoreError> {
        let documents: Vec<String> = sqlx::query_scalar("SELECT document FROM migrations WHERE open ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        documents.iter().map(|document| from_json(document)).collect()
    }

    async fn needing_care(&self) -> Result<Vec<Migration>, StoreError> {
        let documents: Vec<String> = sqlx::query_scalar("SELECT document FROM migrations WHERE needs_care ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        documents.iter().map(|document| from_json(document)).collect()
    }

    async fn events(&self, id: MigrationId) -> Result<Vec<MigrationEvent>, StoreError> {
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT at_ms, phase, text FROM migration_events WHERE migration = ? ORDER BY number")
                .bind(id.to_string())
                .fetch_all(&self.readers)
                .await
                .map_err(failed)?;
        let event = |(at_ms, phase, text): (i64, String, String)| {
            Ok(MigrationEvent { at_ms: at_ms.unsigned_abs(), phase: phase_of(phase)?, text })
        };
        rows.into_iter().map(event).collect()
    }

    async fn keep_trace(&self, id: MigrationId, points: &[TracePoint]) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let upsert = sqlx::query(
            "INSERT INTO migration_traces (migration, points) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET points = ?2",
        );
        writing.execute(upsert.bind(id.to_string()).bind(to_json(&points)?)).await?;
        writing.commit().await
    }

    async fn trace(&self, id: MigrationId) -> Result<Vec<TracePoint>, StoreError> {
        let points: Option<String> = sqlx::query_scalar("SELECT points FROM migration_traces WHERE migration = ?")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        points.map_or_else(|| Ok(Vec::new()), |points| from_json(&points))
    }

    async fn reserve_sequence(&self, count: u64) -> Result<u64, StoreError> {
        let count = i64::try_from(count).map_err(|_| StoreError::other("too many numbers at once"))?;
        let mut writing = self.write().await?;
        let first: i64 = sqlx::query_scalar("UPDATE sequence SET next = next + ?1 RETURNING next - ?1")
            .bind(count)
            .fetch_one(&mut *writing)
            .await
            .map_err(|error| writing.failed(error))?;
        writing.commit().await?;
        u64::try_from(first).map_err(|_| StoreError::other("the sequence is damaged"))
    }
}

/// The query with the values of all columns that [`INSERT`] and [`UPDATE`] begin with.
fn with_columns<'q>(
    sql: &'static str,
    migration: &'q Migration,
) -> Result<Query<'q, Sqlite, SqliteArguments>, StoreError> {
    Ok(sqlx::query(sql)
        .bind(&migration.vm_name)
        .bind(migration.source.as_str())
        .bind(migration.destination.as_str())
        .bind(migration.phase.as_str())
        .bind(!migration.phase.has_ended())
        .bind(&migration.requested_by)
        .bind(to_ms(migration.created_at_ms))
        .bind(migration.ended_at_ms.map(to_ms))
        .bind(to_json(migration)?)
        .bind(migration.needs_care()))
}

/// The query that answers a filter.
pub(super) fn list(filter: &MigrationFilter) -> QueryBuilder<Sqlite> {
    let MigrationFilter {
        vm,
        vm_name,
        source,
        destination,
        host,
        phases,
        requested_by,
        created_from_ms,
        created_before_ms,
        before,
        limit,
    } = filter;
    let mut query = QueryBuilder::new("SELECT document FROM migrations WHERE true");
    let equal = [
        ("vm", vm.as_ref().map(ToString::to_string)),
        ("vm_name", vm_name.clone()),
        ("source", source.as_ref().map(ToString::to_string)),
        ("destination", destination.as_ref().map(ToString::to_string)),
        ("requested_by", requested_by.clone()),
    ];
    for (column, wanted) in equal {
        if let Some(wanted) = wanted {
            query.push(format_args!(" AND {column} = ")).push_bind(wanted);
        }
    }
    if let Some(host) = host {
        query.push(" AND (source = ").push_bind(host.to_string());
        query.push(" OR destination = ").push_bind(host.to_string()).push(")");
    }
    if let Some(phases) = phases {
        let mut list = query.push(" AND phase IN (").separated(", ");
        for phase in phases {
            list.push_bind(phase.as_str());
        }
        query.push(")");
    }
    if let Some(from) = created_from_ms {
        query.push(" AND created_at_ms >= ").push_bind(to_ms(*from));
    }
    if let Some(before) = created_before_ms {
        query.push(" AND created_at_ms < ").push_bind(to_ms(*before));
    }
    if let Some(before) = before {
        query.push(" AND id < ").push_bind(before.to_string());
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(*limit);
    query
}

/// The phase of this name, as [`Phase::as_str`] gives it.
fn phase_of(name: String) -> Result<Phase, StoreError> {
    serde_json::from_value(name.into()).map_err(|error| StoreError::other(format!("a phase is damaged: {error}")))
}
