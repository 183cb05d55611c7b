//! What only SQLite has: its file, its indexes, how it fails, and the databases that earlier versions wrote.

mod faults;

use std::{collections::BTreeSet, time::Duration};

use model::{HostName, MigrationFilter, MigrationId, Mode, Phase, SshLoginKind};
use sqlx::{AssertSqlSafe, Connection, Execute, Row, SqliteConnection};

use super::*;
use crate::{
    Attempt, Audit, AuditFilter, Counter, Hosts, KnownNetworks, LoginFailures, Migrations, SessionLimits, Sessions,
    Users,
};

/// A database that the code of commit 2558c71 wrote: the last one in which migrations and events were nothing but JSON.
const BEFORE_COLUMNS: &str = include_str!("../../tests/databases/2558c71.sql");
const FOREVER: SessionLimits = SessionLimits { idle: Duration::MAX, absolute: Duration::MAX };

#[tokio::test]
async fn only_its_owner_can_read_it() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("data");
    SqliteStore::open(&inner).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    for entry in std::fs::read_dir(&inner).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// A file as an earlier version left it, opened by this one.
async fn upgraded(dump: &'static str) -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new().filename(directory.path().join("vmferry.db")).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(dump).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let store = SqliteStore::open(directory.path()).await.unwrap();
    (directory, store)
}

fn host(name: &str) -> Option<HostName> {
    Some(name.parse().unwrap())
}

#[tokio::test]
async fn migrations_from_before_columns_are_found() {
    let (directory, store) = upgraded(BEFORE_COLUMNS).await;
    let names = |filter: MigrationFilter| {
        let store = store.clone();
        async move {
            let found = store.migrations(&filter).await.unwrap();
            found.into_iter().map(|migration| migration.vm_name).collect::<Vec<_>>()
        }
    };
    let all = MigrationFilter::newest(10);
    assert_eq!(names(all.clone()).await, ["größe", "cache", "web", "mail server", "db", "db", "web"]);
    assert_eq!(names(MigrationFilter { source: host("gamma"), ..all.clone() }).await, ["größe", "cache"]);
    assert_eq!(names(MigrationFilter { destination: host("beta"), ..all.clone() }).await, ["größe", "web"]);
    assert_eq!(names(MigrationFilter { host: host("192-0-2-77"), ..all.clone() }).await, ["mail server"]);
    assert_eq!(names(MigrationFilter { vm_name: Some("db".into()), ..all.clone() }).await, ["db", "db"]);
    assert_eq!(names(MigrationFilter { requested_by: Some("grace".into()), ..all.clone() }).await, ["web", "db"]);
    assert_eq!(names(all.clone().succeeded()).await, ["web"]);
    let first = store.migrations(&all.clone().succeeded()).await.unwrap().remove(0);
    let minute = first.created_at_ms + 60_000;
    let early = MigrationFilter { created_before_ms: Some(minute), ..all.clone() };
    assert_eq!(names(early).await, ["web"]);
    assert_eq!(names(MigrationFilter { created_from_ms: Some(minute + 1), ..all }).await.len(), 5);

    // The record itself, with what no column has.
    assert_eq!(store.migration(first.id).await.unwrap().as_ref(), Some(&first));
    assert_eq!(first.options.new_name.as_deref(), Some("web2"));
    assert_eq!(first.disks[0].path.as_deref(), Some("/pool/web.qcow2"));
    assert!(!first.disks[0].proven, "no copy was proven then");
    assert_eq!(first.outcome.unwrap().downtime_ms, Some(42));
    let events: Vec<(u64, Phase, String)> = store
        .events(first.id)
        .await
        .unwrap()
        .into_iter()
        .map(|event| (event.at_ms - first.created_at_ms, event.phase, event.text))
        .collect();
    assert_eq!(events.len(), 7);
    assert_eq!(events[0], (1_000, Phase::Checking, "Checking".into()));
    assert_eq!(events[6], (14_000, Phase::Succeeded, "web runs on beta; \"done\" – ü".into()));

    // Those that need attention are looked after again.
    let care = store.needing_care().await.unwrap();
    assert_eq!(care.iter().map(|migration| migration.vm_name.as_str()).collect::<Vec<_>>(), ["mail server"]);

    // Those under way go on: one open migration a VM, also after the file was opened again.
    let open = store.open_migrations().await.unwrap();
    let phases: Vec<(Phase, Mode)> = open.iter().map(|migration| (migration.phase, migration.mode)).collect();
    let expected = [(Phase::CopyingMemory, Mode::Live), (Phase::Verifying, Mode::Offline), (Phase::Queued, Mode::Live)];
    assert_eq!(phases, expected);
    store.close().await;
    let store = SqliteStore::open(directory.path()).await.unwrap();
    let mut another = open[0].clone();
    another.id = MigrationId(uuid::Uuid::now_v7());
    assert!(matches!(store.insert_migration(&another).await, Err(StoreError::Open(id)) if id == open[0].id));
    assert_eq!(store.reserve_sequence(1).await.unwrap(), 5_001);
}

#[tokio::test]
async fn everything_else_from_before_columns_is_found() {
    let (_directory, store) = upgraded(BEFORE_COLUMNS).await;
    let hosts = store.hosts().await.unwrap();
    assert_eq!(hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>(), ["delta", "gamma"]);
    assert_eq!((hosts[1].login, hosts[1].bandwidth_mib_s), (Some(SshLoginKind::ConsoleKey), Some(100)));
    assert_eq!(store.users().await.unwrap(), ["ada", "grace"]);
    assert!(store.password_hash("ada").await.unwrap().unwrap().starts_with("$argon2id$"));
    let session = store.session(&"ab".repeat(32), FOREVER).await.unwrap().unwrap();
    assert_eq!((session.user.as_str(), session.user_agent.as_str()), ("ada", "Mozilla/5.0 \"quoted\" ü"));
    assert!(store.is_known_network("grace", "2001:db8::").await.unwrap());
    // Without end, as the failures were counted on the day the dump was made.
    let pause = |failures| if failures == 3 { Duration::MAX } else { Duration::ZERO };
    let counter = Counter { key: "login 0123abcd".into(), pause };
    assert!(matches!(store.attempt(&[counter], Duration::MAX).await, Ok(Attempt::Wait(_))), "they are forgotten");
    let by_ada = AuditFilter { actor: Some("ada".into()), ..AuditFilter::newest(100) };
    let log = store.audit_entries(&by_ada).await.unwrap();
    assert_eq!(log.last().unwrap().action, "login");
    assert_eq!(log.iter().filter(|entry| entry.action == "migration-started").count(), 5);
    assert_eq!(log.iter().filter(|entry| entry.action == "migration-ended").count(), 3);
}

/// Whether a command may open it beside a console.
#[tokio::test]
async fn whether_an_upgrade_is_due_is_seen_without_doing_it() {
    let directory = tempfile::tempdir().unwrap();
    let is_up_to_date = async || SqliteStore::is_up_to_date(directory.path()).await.unwrap();
    assert!(!is_up_to_date().await, "it is not there");
    let store = SqliteStore::open(directory.path()).await.unwrap();
    assert!(is_up_to_date().await, "while a console works with it");
    let latest = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    sqlx::query(latest).execute(&store.writer).await.unwrap();
    for _ in 0..2 {
        assert!(!is_up_to_date().await, "and nothing has been done about it");
    }
    sqlx::query("DROP TABLE _sqlx_migrations").execute(&store.writer).await.unwrap();
    assert!(!is_up_to_date().await);
}

/// A database that an earlier version made has the same schema as one that is made today.
#[tokio::test]
async fn an_upgraded_file_is_as_a_new_one() {
    let schema = |store: SqliteStore| async move {
        let rows = sqlx::query_as::<_, (String, String)>("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
        rows.fetch_all(&store.readers).await.unwrap().into_iter().collect::<BTreeSet<_>>()
    };
    let (_directory, old) = upgraded(BEFORE_COLUMNS).await;
    let directory = tempfile::tempdir().unwrap();
    let new = SqliteStore::open(directory.path()).await.unwrap();
    let broken: Vec<_> = sqlx::query("PRAGMA foreign_key_check").fetch_all(&old.readers).await.unwrap();
    assert!(broken.is_empty(), "rows that refer to nothing");
    assert_eq!(schema(old).await, schema(new).await);
}

/// No search reads every row, and the common ones need no sorting either.
#[tokio::test]
async fn every_search_has_an_index() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path()).await.unwrap();
    let all = MigrationFilter::newest(50);
    let filters = [
        all.clone(),
        MigrationFilter { vm: Some(model::VmId::default()), ..all.clone() },
        MigrationFilter { vm_name: Some("web".into()), ..all.clone() },
        MigrationFilter { source: host("alpha"), ..all.clone() },
        MigrationFilter { source: host("alpha"), destination: host("beta"), ..all.clone() }.succeeded(),
        MigrationFilter { destination: host("alpha"), ..all.clone() },
        MigrationFilter { requested_by: Some("ada".into()), ..all.clone() },
        all.clone().succeeded(),
        MigrationFilter { before: Some(MigrationId(uuid::Uuid::nil())), ..all.clone() },
    ];
    for filter in &filters {
        let plan = plan(&store, filter).await;
        assert!(plan.iter().all(|step| step.contains("USING") && step.contains("INDEX")), "{filter:?}: {plan:?}");
    }
    // Several places in one index, or two indexes, then a sort of what they found.
    let unfinished = Phase::ALL.iter().copied().filter(|phase| !phase.has_ended()).collect();
    let of_phases = plan(&store, &MigrationFilter { phases: Some(unfinished), ..all.clone() }).await;
    assert!(of_phases[0].contains("SEARCH migrations USING INDEX migrations_by_phase"), "{of_phases:?}");
    let of_host = plan(&store, &MigrationFilter { host: host("alpha"), ..all }).await;
    assert!(of_host.iter().any(|step| step.contains("MULTI-INDEX OR")), "{of_host:?}");
}

async fn plan(store: &SqliteStore, filter: &MigrationFilter) -> Vec<String> {
    let mut query = migrations::list(filter);
    let explained = format!("EXPLAIN QUERY PLAN {}", query.sql().as_str());
    let arguments = query.build().take_arguments().unwrap().unwrap();
    let steps = sqlx::query_with(AssertSqlSafe(explained), arguments).fetch_all(&store.readers).await.unwrap();
    steps.iter().map(|step| step.get::<String, _>("detail")).collect()
}
