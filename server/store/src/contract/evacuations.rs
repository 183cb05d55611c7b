//! Evacuations, hosts in maintenance, and rules.

use model::{
    EvacuationEvent, EvacuationId, EvacuationState, HookEvent, HookEventId, HookKind, HostName, ItemState, Maintenance,
    MaintenanceStage, PlacementKind, PlacementRule, PlacementRules, examples,
};

use super::*;
use crate::AuditFilter;

contract!(
    an_evacuation_is_kept_with_its_items,
    only_what_is_named_is_written,
    evacuations_that_ended_are_not_open,
    hosts_stay_in_maintenance,
    what_is_to_be_told_is_kept_with_the_stage,
    rules_are_replaced,
);

fn host(name: &str) -> HostName {
    name.parse().unwrap()
}

fn draining(evacuation: EvacuationId) -> Maintenance {
    Maintenance {
        stage: MaintenanceStage::Draining,
        since_ms: 1,
        reason: "kernel update".into(),
        by: "ada".into(),
        evacuation,
        home: None,
        told: Vec::new(),
    }
}

async fn an_evacuation_is_kept_with_its_items(database: Database) {
    let store = database.open().await;
    let evacuation = examples::evacuation(1, &["web", "db", "mail"]);
    store.insert_evacuation(&evacuation, &[(host("alpha"), draining(evacuation.id))]).await.unwrap();
    let log = store.audit_entries(&AuditFilter::newest(1)).await.unwrap();
    assert_eq!(log[0].action, "evacuation-started");
    drop(store);
    let store = database.open().await;
    assert_eq!(store.evacuation(evacuation.id).await.unwrap().as_ref(), Some(&evacuation));
    assert_eq!(store.open_evacuations().await.unwrap(), std::slice::from_ref(&evacuation));
    assert_eq!(store.maintenance().await.unwrap(), [(host("alpha"), draining(evacuation.id))]);
    let newest = store.evacuations(10).await.unwrap();
    assert_eq!((newest.len(), newest[0].items.len()), (1, 0));
    assert_eq!(store.evacuation(EvacuationId(Uuid::from_u128(7))).await.unwrap(), None);
}

async fn only_what_is_named_is_written(database: Database) {
    let store = database.open().await;
    let mut evacuation = examples::evacuation(1, &["web", "db"]);
    store.insert_evacuation(&evacuation, &[]).await.unwrap();
    for item in &mut evacuation.items {
        item.state = ItemState::Moved { migration: None };
    }
    evacuation.fraction = 0.5;
    let appeared = examples::evacuation(1, &["web", "db", "new"]).items.pop().unwrap();
    evacuation.items.push(appeared.clone());
    let [web, db] = [evacuation.items[0].vm, evacuation.items[1].vm];
    let event = EvacuationEvent { at_ms: 5, text: "web has moved.".into() };
    store.update_evacuation(&evacuation, &[web, appeared.vm], std::slice::from_ref(&event)).await.unwrap();
    drop(store);
    let store = database.open().await;
    let kept = store.evacuation(evacuation.id).await.unwrap().unwrap();
    assert_eq!(kept.fraction, 0.5);
    assert_eq!(kept.item(web).unwrap().state, ItemState::Moved { migration: None });
    assert_eq!(kept.item(db).unwrap().state, ItemState::Waiting);
    assert_eq!(kept.items.last(), Some(&appeared));
    assert_eq!(store.evacuation_events(evacuation.id).await.unwrap(), [event]);
}

async fn evacuations_that_ended_are_not_open(database: Database) {
    let store = database.open().await;
    let ended = examples::evacuation(1, &["web"]);
    let open = examples::evacuation(2, &["db"]);
    store.insert_evacuation(&ended, &[]).await.unwrap();
    store.insert_evacuation(&open, &[]).await.unwrap();
    let ended = Evacuation { state: EvacuationState::Done, ended_at_ms: Some(9), ..ended };
    store.update_evacuation(&ended, &[], &[]).await.unwrap();
    assert_eq!(store.open_evacuations().await.unwrap(), std::slice::from_ref(&open));
    let newest: Vec<EvacuationId> = store.evacuations(10).await.unwrap().iter().map(|one| one.id).collect();
    assert_eq!(newest, [open.id, ended.id]);
    assert_eq!(store.evacuations(1).await.unwrap().len(), 1);
    assert!(store.update_evacuation(&examples::evacuation(3, &[]), &[], &[]).await.is_err(), "it was never added");
}

async fn hosts_stay_in_maintenance(database: Database) {
    let store = database.open().await;
    let draining = draining(EvacuationId(Uuid::from_u128(1)));
    let empty = Maintenance { stage: MaintenanceStage::Empty, ..draining.clone() };
    store.set_maintenance(&host("beta"), Some(&draining), None).await.unwrap();
    store.set_maintenance(&host("beta"), Some(&empty), None).await.unwrap();
    store.set_maintenance(&host("alpha"), Some(&draining), None).await.unwrap();
    drop(store);
    let store = database.open().await;
    assert_eq!(store.maintenance().await.unwrap(), [(host("alpha"), draining), (host("beta"), empty)]);
    store.set_maintenance(&host("alpha"), None, None).await.unwrap();
    assert_eq!(store.maintenance().await.unwrap().len(), 1);
}

async fn what_is_to_be_told_is_kept_with_the_stage(database: Database) {
    let store = database.open().await;
    let draining = draining(EvacuationId(Uuid::from_u128(1)));
    let empty = Maintenance { stage: MaintenanceStage::Empty, ..draining.clone() };
    let event = |number, event, name: &str| HookEvent {
        id: HookEventId(Uuid::from_u128(number)),
        event,
        host: host(name),
        reason: draining.reason.clone(),
        by: draining.by.clone(),
        evacuation: draining.evacuation,
        home: None,
        at_ms: 5,
    };
    let [first, second] = [event(1, HookKind::Empty, "alpha"), event(2, HookKind::Home, "beta")];
    store.set_maintenance(&host("beta"), None, Some(&second)).await.unwrap();
    store.set_maintenance(&host("alpha"), Some(&empty), Some(&first)).await.unwrap();
    assert!(store.set_maintenance(&host("alpha"), Some(&draining), Some(&first)).await.is_err(), "it has that id");
    drop(store);
    let store = database.open().await;
    assert_eq!(store.maintenance().await.unwrap(), [(host("alpha"), empty)], "neither was written");
    assert_eq!(store.hooks_to_tell().await.unwrap(), [first.clone(), second.clone()]);
    store.hook_told(first.id).await.unwrap();
    store.hook_told(first.id).await.unwrap();
    drop(store);
    assert_eq!(database.open().await.hooks_to_tell().await.unwrap(), [second]);
}

async fn rules_are_replaced(database: Database) {
    let store = database.open().await;
    assert_eq!(store.placement_rules().await.unwrap(), PlacementRules::default());
    let rule = |name: &str| PlacementRule { name: name.into(), vms: vec![VM], kind: PlacementKind::KeepApart };
    for name in ["databases", "web servers"] {
        let rules = PlacementRules { rules: vec![rule(name)], priorities: [(VM, 5)].into() };
        store.set_placement_rules(&rules).await.unwrap();
    }
    drop(store);
    let kept = database.open().await.placement_rules().await.unwrap();
    assert_eq!((kept.rules, kept.priorities), (vec![rule("web servers")], [(VM, 5)].into()));
}
