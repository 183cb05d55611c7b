//! Hosts that were registered at run time.

use model::{HostSettings, SshLoginKind, TransportKind};

use super::*;

contract!(hosts_are_added_replaced_and_removed);

async fn hosts_are_added_replaced_and_removed(database: Database) {
    let store = database.open().await;
    assert!(store.hosts().await.unwrap().is_empty());
    for name in ["beta", "alpha"] {
        store.put_host(&host(name), None).await.unwrap();
    }
    assert_eq!(store.hosts().await.unwrap(), [host("alpha"), host("beta")]);
    let changed = HostSettings { port: Some(2222), ..host("alpha") };
    store.put_host(&changed, None).await.unwrap();
    assert_eq!(store.hosts().await.unwrap(), [changed, host("beta")]);
    store.put_host(&host("gamma"), Some(&host("alpha").name)).await.unwrap();
    for _ in 0..2 {
        store.remove_host(&host("beta").name).await.unwrap();
    }
    drop(store);
    assert_eq!(database.open().await.hosts().await.unwrap(), [host("gamma")]);
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
        policy: None,
        longest_pause_ms: None,
        budget_s: None,
        shared_directories: vec!["/srv".to_owned()],
        memory_reserve_mib: Some(512),
        outgoing_mib_s: Some(100),
        incoming_mib_s: None,
    }
}
