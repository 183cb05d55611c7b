//! Who may log in: users, sessions, failed logins, known networks.

use std::time::Duration;

use crate::{Action, Attempt, AuditFilter, Counter, SessionLimits};

use super::*;

contract!(
    users_are_added_once_and_removed,
    a_better_hash_replaces_only_the_one_it_was_made_from,
    a_new_password_ends_the_other_sessions,
    sessions_end_at_their_limits,
    a_session_is_touched_once_in_a_while,
    a_removed_user_leaves_nothing,
    only_users_have_sessions_and_networks,
    failures_make_attempts_wait,
    a_success_forgets_the_account_and_one_failure_of_the_address,
    failures_are_forgotten_in_time,
);

const HOUR: Duration = Duration::from_hours(1);
const LIMITS: SessionLimits = SessionLimits { idle: HOUR, absolute: HOUR };

async fn users_are_added_once_and_removed(database: Database) {
    let store = database.open().await;
    assert!(store.add_user("grace", "one").await.unwrap());
    assert!(store.add_user("ada", "two").await.unwrap());
    assert!(!store.add_user("ada", "three").await.unwrap());
    drop(store);
    let store = database.open().await;
    assert_eq!(store.users().await.unwrap(), ["ada", "grace"]);
    assert_eq!(store.password_hash("ada").await.unwrap().as_deref(), Some("two"));
    store.add_session("id", "ada", "192.0.2.1", "test").await.unwrap();
    let entry = ("root", Action::UserRemoved("ada"));
    assert_eq!(store.remove_user("ada", entry).await.unwrap(), Some(vec!["id".to_owned()]));
    assert_eq!(store.remove_user("ada", entry).await.unwrap(), None);
    assert_eq!(store.password_hash("ada").await.unwrap(), None);
    assert_eq!(
        store.audit_entries(&AuditFilter::newest(10)).await.unwrap().len(),
        1,
        "none for a user who is not there"
    );
}

async fn a_better_hash_replaces_only_the_one_it_was_made_from(database: Database) {
    let store = database.open().await;
    store.add_user("ada", "old").await.unwrap();
    store.improve_password_hash("ada", "another", "better").await.unwrap();
    assert_eq!(store.password_hash("ada").await.unwrap().as_deref(), Some("old"));
    store.improve_password_hash("ada", "old", "better").await.unwrap();
    assert_eq!(store.password_hash("ada").await.unwrap().as_deref(), Some("better"));
}

async fn a_new_password_ends_the_other_sessions(database: Database) {
    let store = database.open().await;
    for user in ["ada", "grace"] {
        store.add_user(user, "old").await.unwrap();
    }
    for (id_hash, user) in [("one", "ada"), ("two", "ada"), ("three", "grace")] {
        store.add_session(id_hash, user, "192.0.2.1", "test").await.unwrap();
    }
    let entry = ("ada", Action::PasswordChanged);
    let ended = store.set_password("ada", "new", Some("two"), entry).await.unwrap();
    assert_eq!(ended, Some(vec!["one".to_owned()]));
    assert_eq!(store.password_hash("ada").await.unwrap().as_deref(), Some("new"));
    assert_eq!(store.sessions_of("ada", LIMITS).await.unwrap()[0].id_hash, "two");
    assert_eq!(store.sessions_of("grace", LIMITS).await.unwrap().len(), 1);
    assert_eq!(store.set_password("ada", "newer", None, entry).await.unwrap(), Some(vec!["two".to_owned()]));
    assert_eq!(store.set_password("eve", "new", None, entry).await.unwrap(), None);
    assert_eq!(
        store.audit_entries(&AuditFilter::newest(10)).await.unwrap().len(),
        2,
        "none for a user who is not there"
    );
}

async fn sessions_end_at_their_limits(database: Database) {
    let store = database.open().await;
    store.add_user("ada", "hash").await.unwrap();
    assert!(store.add_session("id", "ada", "192.0.2.1", "a \"browser\"").await.unwrap());
    assert!(!store.add_session("id", "ada", "192.0.2.2", "test").await.unwrap());
    let session = store.session("id", LIMITS).await.unwrap().unwrap();
    assert_eq!((session.user.as_str(), session.user_agent.as_str()), ("ada", "a \"browser\""));
    assert_eq!(session.created_at, session.last_seen);
    assert_eq!(store.sessions_of("ada", LIMITS).await.unwrap(), [session]);
    for over in [SessionLimits { idle: Duration::ZERO, ..LIMITS }, SessionLimits { absolute: Duration::ZERO, ..LIMITS }]
    {
        assert_eq!(store.session("id", over).await.unwrap(), None);
        assert!(store.sessions_of("ada", over).await.unwrap().is_empty());
    }
    store.remove_expired_sessions(LIMITS).await.unwrap();
    assert!(store.session("id", LIMITS).await.unwrap().is_some());
    store.remove_expired_sessions(SessionLimits { idle: Duration::ZERO, ..LIMITS }).await.unwrap();
    assert_eq!(store.session("id", LIMITS).await.unwrap(), None);
    store.add_session("id", "ada", "192.0.2.1", "test").await.unwrap();
    store.remove_session("id").await.unwrap();
    assert_eq!(store.session("id", LIMITS).await.unwrap(), None);
}

async fn a_session_is_touched_once_in_a_while(database: Database) {
    let store = database.open().await;
    store.add_user("ada", "hash").await.unwrap();
    store.add_session("id", "ada", "192.0.2.1", "test").await.unwrap();
    let last_seen = || async { store.session("id", LIMITS).await.unwrap().unwrap().last_seen };
    let begun = last_seen().await;
    store.touch_session("id", HOUR).await.unwrap();
    assert_eq!(last_seen().await, begun);
    while last_seen().await == begun {
        store.touch_session("id", Duration::ZERO).await.unwrap();
    }
}

async fn a_removed_user_leaves_nothing(database: Database) {
    let store = database.open().await;
    store.add_user("ada", "hash").await.unwrap();
    store.add_session("id", "ada", "192.0.2.1", "test").await.unwrap();
    store.add_known_network("ada", "192.0.2.1").await.unwrap();
    store.remove_user("ada", ("root", Action::UserRemoved("ada"))).await.unwrap();
    store.add_user("ada", "hash").await.unwrap();
    assert_eq!(store.session("id", LIMITS).await.unwrap(), None);
    assert!(!store.is_known_network("ada", "192.0.2.1").await.unwrap());
}

async fn only_users_have_sessions_and_networks(database: Database) {
    let store = database.open().await;
    store.add_user("ada", "hash").await.unwrap();
    store.add_session("id", "eve", "192.0.2.1", "test").await.unwrap_err();
    store.add_known_network("eve", "192.0.2.1").await.unwrap_err();
    for _ in 0..2 {
        store.add_known_network("ada", "192.0.2.1").await.unwrap();
    }
    assert!(store.is_known_network("ada", "192.0.2.1").await.unwrap());
    assert!(!store.is_known_network("ada", "192.0.2.2").await.unwrap());
}

/// One failure is free, more of them cost an hour.
fn counter(key: &str) -> Counter {
    Counter { key: key.into(), pause: |failures| if failures > 1 { HOUR } else { Duration::ZERO } }
}

async fn failures_make_attempts_wait(database: Database) {
    let store = database.open().await;
    let both = [counter("account"), counter("address")];
    for _ in 0..2 {
        assert_eq!(store.attempt(&both, HOUR).await.unwrap(), Attempt::Counted);
    }
    drop(store);
    let store = database.open().await;
    for counters in [&both[..], &both[..1], &both[1..]] {
        let Attempt::Wait(wait) = store.attempt(counters, HOUR).await.unwrap() else { panic!("it was not refused") };
        assert!(wait <= HOUR && wait > HOUR / 2, "{wait:?}");
    }
    assert_eq!(store.attempt(&[counter("another")], HOUR).await.unwrap(), Attempt::Counted);
}

async fn a_success_forgets_the_account_and_one_failure_of_the_address(database: Database) {
    let store = database.open().await;
    let both = [counter("account"), counter("address")];
    for _ in 0..2 {
        store.attempt(&both, HOUR).await.unwrap();
    }
    store.forget_attempts("account", Some("address")).await.unwrap();
    assert_eq!(store.attempt(&both, HOUR).await.unwrap(), Attempt::Counted);
    assert!(matches!(store.attempt(&both, HOUR).await.unwrap(), Attempt::Wait(_)), "the address has two again");
    store.forget_attempts("account", None).await.unwrap();
    assert_eq!(store.attempt(&both[..1], HOUR).await.unwrap(), Attempt::Counted);
}

async fn failures_are_forgotten_in_time(database: Database) {
    let store = database.open().await;
    for _ in 0..2 {
        store.attempt(&[counter("account")], HOUR).await.unwrap();
    }
    let short = Duration::from_millis(1);
    while let Attempt::Wait(_) = store.attempt(&[counter("account")], short).await.unwrap() {
        tokio::task::yield_now().await;
    }
}
