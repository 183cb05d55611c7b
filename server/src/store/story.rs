//! What every store has to be able to tell: the engine's [`Store`] from its empty beginning over restarts.

use engine::{Store, StoreError};
use model::{HostSettings, Migration, MigrationEvent, MigrationId, Phase, SshLoginKind, TransportKind, VmId, examples};
use uuid::Uuid;

/// Tells the story to a store that `open` opens, and opens again as after a restart.
pub async fn tell<S: Store, F: Future<Output = S>>(open: impl Fn() -> F) {
    let store = open().await;
    assert_eq!(store.migration(MigrationId(Uuid::now_v7())).await.unwrap(), None);
    assert!(store.migrations(None, 10).await.unwrap().is_empty());

    let mut first = migration(VmId(Uuid::from_u128(1)));
    store.insert(&first).await.unwrap();
    first.phase = Phase::CopyingMemory;
    first.progress.percent = 12.5;
    store.update(&first, Some(&event(Phase::CopyingMemory))).await.unwrap();
    store.update(&first, None).await.unwrap();
    drop(store);

    let store = open().await;
    assert_eq!(store.migration(first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.open_migrations().await.unwrap(), [first.clone()]);
    one_open_migration_a_vm(&store, &mut first).await;
    pages(&store, &first).await;

    hosts(&store).await;

    let number = store.reserve_sequence(100).await.unwrap();
    drop(store);
    let store = open().await;
    assert_eq!(store.hosts().await.unwrap(), [host("gamma")]);
    assert!(store.reserve_sequence(1).await.unwrap() >= number + 100, "numbers are never used twice");
}

async fn one_open_migration_a_vm(store: &impl Store, first: &mut Migration) {
    let second = migration(first.vm);
    match store.insert(&second).await {
        Err(StoreError::Open(id)) => assert_eq!(id, first.id),
        other => panic!("a second open migration of a VM: {other:?}"),
    }
    assert_eq!(store.migration(second.id).await.unwrap(), None);
    first.phase = Phase::Succeeded;
    store.update(first, Some(&event(Phase::Succeeded))).await.unwrap();
    let phases: Vec<Phase> = store.events(first.id).await.unwrap().iter().map(|event| event.phase).collect();
    assert_eq!(phases, [Phase::CopyingMemory, Phase::Succeeded]);
    assert!(store.open_migrations().await.unwrap().is_empty());
    store.insert(&second).await.unwrap();
}

async fn hosts(store: &impl Store) {
    assert!(store.hosts().await.unwrap().is_empty());
    for name in ["beta", "alpha"] {
        store.put_host(&host(name), None).await.unwrap();
    }
    assert_eq!(store.hosts().await.unwrap(), [host("alpha"), host("beta")]);
    store.put_host(&host("gamma"), Some(&host("alpha").name)).await.unwrap();
    store.remove_host(&host("beta").name).await.unwrap();
    assert_eq!(store.hosts().await.unwrap(), [host("gamma")]);
}

fn host(name: &str) -> HostSettings {
    HostSettings {
        name: name.parse().unwrap(),
        transport: TransportKind::Ssh,
        address: Some("192.0.2.7".to_owned()),
        port: None,
        user: Some("root".to_owned()),
        login: Some(SshLoginKind::Password),
        daemon: None,
        peer_address: None,
        peer_transport: None,
        peer_port: None,
        peer_user: None,
        bandwidth_mib_s: Some(7),
        shared_directories: vec!["/srv".to_owned()],
    }
}

async fn pages(store: &impl Store, oldest: &Migration) {
    let third = migration(VmId(Uuid::from_u128(3)));
    store.insert(&third).await.unwrap();
    let newest = store.migrations(None, 2).await.unwrap();
    assert_eq!(newest.len(), 2);
    assert_eq!(newest[0], third);
    let older = store.migrations(Some(newest[1].id), 2).await.unwrap();
    assert_eq!(older.first(), Some(oldest));
    assert_eq!(older.len(), 1);
}

fn migration(vm: VmId) -> Migration {
    Migration { vm, created_at_ms: 1_700_000_000_000, ..examples::migration(Uuid::now_v7().as_u128()) }
}

fn event(phase: Phase) -> MigrationEvent {
    MigrationEvent { at_ms: 1_700_000_000_000, phase, text: phase.label().into() }
}
