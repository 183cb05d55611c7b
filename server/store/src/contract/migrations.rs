//! Migrations, their history and the sequence.

use crate::{AuditFilter, StoreError};
use model::{Leftover, LeftoverKind, MigrationFilter, Phase, TracePoint, VmId};
use uuid::Uuid;

use super::*;

contract!(
    a_migration_outlives_a_restart,
    a_vm_has_one_open_migration,
    what_an_ended_migration_has_left_is_found_again,
    a_list_goes_on_where_its_last_page_ended,
    a_start_and_an_end_are_audited_once,
    only_legal_transitions_are_written,
    what_is_not_there_can_not_be_updated,
    a_trace_is_kept_beside_its_migration,
    sequence_numbers_are_never_used_twice,
);

async fn a_migration_outlives_a_restart(database: Database) {
    let store = database.open().await;
    let mut first = migration(VM);
    assert_eq!(store.migration(first.id).await.unwrap(), None);
    assert!(store.migrations(&MigrationFilter::newest(10)).await.unwrap().is_empty());
    assert!(store.events(first.id).await.unwrap().is_empty());

    store.insert_migration(&first).await.unwrap();
    first.phase = Phase::CopyingMemory;
    first.progress.percent = 12.5;
    let begun = [Phase::Checking, Phase::Preparing, Phase::CopyingMemory].map(event);
    store.update_migration(&first, &begun).await.unwrap();
    store.update_migration(&first, &[]).await.unwrap();
    drop(store);

    let store = database.open().await;
    assert_eq!(store.migration(first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.open_migrations().await.unwrap(), [first.clone()]);
    first.phase = Phase::Succeeded;
    let ended = [Phase::Verifying, Phase::Succeeded].map(event);
    store.update_migration(&first, &ended).await.unwrap();
    assert_eq!(store.events(first.id).await.unwrap(), [&begun[..], &ended[..]].concat());
    assert!(store.open_migrations().await.unwrap().is_empty());
}

async fn a_vm_has_one_open_migration(database: Database) {
    let store = database.open().await;
    let mut first = migration(VM);
    store.insert_migration(&first).await.unwrap();
    let second = migration(VM);
    match store.insert_migration(&second).await {
        Err(StoreError::Open(id)) => assert_eq!(id, first.id),
        other => panic!("a second open migration of a VM: {other:?}"),
    }
    assert_eq!(store.migration(second.id).await.unwrap(), None);
    first.phase = Phase::Failed;
    store.update_migration(&first, &[event(Phase::Failed)]).await.unwrap();
    store.insert_migration(&second).await.unwrap();
    assert_eq!(store.open_migrations().await.unwrap(), [second]);
}

async fn what_an_ended_migration_has_left_is_found_again(database: Database) {
    let store = database.open().await;
    let [mut left, mut unclear, mut fine] = [1, 2, 3].map(|vm| migration(VmId(Uuid::from_u128(vm))));
    let leftover = Leftover {
        host: left.destination.clone(),
        what: LeftoverKind::Definition,
        since_ms: 1,
        machine: None,
        problem: None,
    };
    left.leftovers.push(leftover);
    for migration in [&left, &unclear, &fine] {
        store.insert_migration(migration).await.unwrap();
    }
    assert!(store.needing_care().await.unwrap().is_empty(), "those under way are looked after anyway");
    (left.phase, unclear.phase, fine.phase) = (Phase::Failed, Phase::NeedsAttention, Phase::Succeeded);
    for migration in [&left, &unclear, &fine] {
        let way = way_to(migration.phase);
        store.update_migration(migration, &way).await.unwrap();
    }
    drop(store);

    let store = database.open().await;
    assert_eq!(store.needing_care().await.unwrap(), [left.clone(), unclear.clone()]);
    left.leftovers.clear();
    unclear.phase = Phase::Failed;
    store.update_migration(&left, &[]).await.unwrap();
    store.update_migration(&unclear, &[event(Phase::Failed)]).await.unwrap();
    assert!(store.needing_care().await.unwrap().is_empty());
}

async fn a_list_goes_on_where_its_last_page_ended(database: Database) {
    let store = database.open().await;
    let all: Vec<Migration> = (1..=3).map(|vm| migration(VmId(Uuid::from_u128(vm)))).collect();
    for migration in &all {
        store.insert_migration(migration).await.unwrap();
    }
    let newest = store.migrations(&MigrationFilter::newest(2)).await.unwrap();
    assert_eq!(newest, [all[2].clone(), all[1].clone()]);
    let next = MigrationFilter { before: Some(newest[1].id), ..MigrationFilter::newest(2) };
    assert_eq!(store.migrations(&next).await.unwrap(), [all[0].clone()]);
    assert_eq!(ids(&store.open_migrations().await.unwrap()), ids(&all), "oldest first");
}

async fn a_start_and_an_end_are_audited_once(database: Database) {
    let store = database.open().await;
    let mut first = migration(VM);
    store.insert_migration(&first).await.unwrap();
    store.insert_migration(&migration(VM)).await.unwrap_err();
    first.phase = Phase::Succeeded;
    store.update_migration(&first, &way_to(Phase::Succeeded)).await.unwrap();
    store.update_migration(&first, &[]).await.unwrap();
    let log = store.audit_entries(&AuditFilter::newest(10)).await.unwrap();
    let actions: Vec<(&str, &str)> = log.iter().map(|entry| (entry.actor.as_str(), entry.action.as_str())).collect();
    assert_eq!(actions, [("admin", "migration-ended"), ("admin", "migration-started")]);
    assert!(log[0].details.contains(&first.id.to_string()), "{}", log[0].details);
}

async fn only_legal_transitions_are_written(database: Database) {
    let store = database.open().await;
    let mut first = migration(VM);
    store.insert_migration(&first).await.unwrap();
    let refused: [(Phase, &[Phase]); 4] = [
        (Phase::Succeeded, &[Phase::Succeeded]),
        // In the history, too, each step has to be legal.
        (Phase::Verifying, &[Phase::Checking, Phase::Verifying]),
        // The history has to tell of it.
        (Phase::Checking, &[]),
        (Phase::Queued, &[Phase::Checking]),
    ];
    for (phase, history) in refused {
        first.phase = phase;
        let history: Vec<MigrationEvent> = history.iter().copied().map(event).collect();
        let error = store.update_migration(&first, &history).await.unwrap_err();
        assert!(matches!(error, StoreError::Transition { .. }), "{error:?}");
    }
    assert_eq!(store.migration(first.id).await.unwrap().unwrap().phase, Phase::Queued);
    assert!(store.events(first.id).await.unwrap().is_empty(), "all of it or nothing");
    first.phase = Phase::NeedsAttention;
    store.update_migration(&first, &way_to(Phase::NeedsAttention)).await.unwrap();
    first.phase = Phase::Succeeded;
    store.update_migration(&first, &[event(Phase::Succeeded)]).await.unwrap();
    first.phase = Phase::Failed;
    store.update_migration(&first, &[event(Phase::Failed)]).await.unwrap_err();
}

async fn what_is_not_there_can_not_be_updated(database: Database) {
    let store = database.open().await;
    store.update_migration(&migration(VM), &[]).await.unwrap_err();
    assert!(store.migrations(&MigrationFilter::newest(1)).await.unwrap().is_empty());
}

async fn a_trace_is_kept_beside_its_migration(database: Database) {
    let (store, migration) = (database.open().await, migration(VM));
    let point = |elapsed_ms| TracePoint {
        elapsed_ms,
        pass: 1,
        remaining: 5,
        throughput_bytes_s: 7,
        dirty_bytes_s: 0,
        end_ms: Some((1, 2)),
    };
    store.keep_trace(migration.id, &[point(1)]).await.unwrap_err();
    store.insert_migration(&migration).await.unwrap();
    assert!(store.trace(migration.id).await.unwrap().is_empty());
    store.keep_trace(migration.id, &[point(1)]).await.unwrap();
    store.keep_trace(migration.id, &[point(1), point(2)]).await.unwrap();
    drop(store);
    assert_eq!(database.open().await.trace(migration.id).await.unwrap(), [point(1), point(2)]);
}

async fn sequence_numbers_are_never_used_twice(database: Database) {
    let store = database.open().await;
    let number = store.reserve_sequence(100).await.unwrap();
    drop(store);
    let store = database.open().await;
    assert!(store.reserve_sequence(1).await.unwrap() >= number + 100);
}
