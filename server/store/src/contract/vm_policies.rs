//! The policies that VMs have of their own.

use model::{Policy, PolicyDefaults};

use super::*;

contract!(the_last_policy_of_a_vm_is_kept);

async fn the_last_policy_of_a_vm_is_kept(database: Database) {
    let store = database.open().await;
    assert!(store.policy_defaults().await.unwrap().is_empty());
    let gentle = PolicyDefaults { policy: Some(Policy::Gentle), ..PolicyDefaults::default() };
    let limited = PolicyDefaults { longest_pause_ms: Some(500), budget_s: Some(60), ..gentle };
    for defaults in [gentle, limited] {
        store.set_policy_defaults(VM, defaults).await.unwrap();
    }
    drop(store);
    assert_eq!(database.open().await.policy_defaults().await.unwrap(), [(VM, limited)]);
}
