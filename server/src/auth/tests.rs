//! Users and passwords, on a real store.

use std::{
    task::{Context, Waker},
    time::Duration,
};

use model::PasswordChange;
use port::Principal;
use store::{Audit as _, AuditFilter, Sessions as _, SqliteStore, Users as _};
use tower_sessions::Session;

use super::*;
use crate::test_directory::TestDirectory;

const PASSWORD: &str = "a long test password";

async fn auth(directory: &TestDirectory) -> (Auth, Arc<SqliteStore>) {
    let store = Arc::new(SqliteStore::open(directory.path()).await.unwrap());
    let auth = Auth::new(store.clone(), HashCost { memory_kib: 8, passes: 1 }, SessionLimits::default());
    (auth, store)
}

#[tokio::test]
async fn what_is_done_on_the_command_line_says_so() {
    let directory = TestDirectory::new();
    let (auth, store) = auth(&directory).await;
    auth.add_user("ada", PASSWORD.into()).await.unwrap();
    auth.set_users_password("ada", PASSWORD.into()).await.unwrap();
    auth.remove_user("ada").await.unwrap();
    assert!(auth.set_users_password("ada", PASSWORD.into()).await.is_err(), "nothing of it is in the log");
    let log = store.audit_entries(&AuditFilter::newest(10)).await.unwrap();
    let actions: Vec<&str> = log.iter().rev().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["user-added", "user-password-set", "user-removed"]);
    for entry in &log {
        assert_eq!((entry.actor.as_str(), entry.details.as_str()), ("(command line)", r#"{"user":"ada"}"#));
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "as if ada had logged in")]
async fn who_guesses_the_current_password_is_written_down() {
    let directory = TestDirectory::new();
    let (auth, store) = auth(&directory).await;
    auth.add_user("ada", PASSWORD.into()).await.unwrap();
    let who = Principal::authenticated("ada".into(), Some("handle".into()));
    let change = PasswordChange { current: "a guess".into(), new: "another long password".into() };
    assert!(matches!(auth.change_password(&who, change).await, Err(AuthError::WrongPassword)));
    let log = store.audit_entries(&AuditFilter::newest(1)).await.unwrap();
    let entry = (log[0].actor.as_str(), log[0].action.as_str(), log[0].details.as_str());
    assert_eq!(entry, ("ada", "password-change-failed", r#"{"session":"handle"}"#));
}

#[tokio::test]
async fn a_password_is_set_to_the_end_though_the_caller_leaves() {
    let directory = TestDirectory::new();
    let (auth, store) = auth(&directory).await;
    auth.add_user("ada", PASSWORD.into()).await.unwrap();
    store.add_session("id", "ada", "192.0.2.1", "test").await.unwrap();
    let mut ended = auth.ended_sessions();
    let hash = store.password_hash("ada").await.unwrap();
    {
        let mut setting = std::pin::pin!(auth.set_users_password("ada", "another long password".into()));
        // Left as soon as the new hash is there.
        while store.password_hash("ada").await.unwrap() == hash {
            if setting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let told = tokio::time::timeout(Duration::from_secs(20), ended.recv()).await;
    assert_eq!(told.expect("the session's end is told").unwrap(), "id");
    assert_eq!(store.sessions_of("ada", SessionLimits::default()).await.unwrap(), []);
}

#[tokio::test]
async fn a_login_with_a_password_that_was_just_replaced_is_refused() {
    let directory = TestDirectory::new();
    let (auth, store) = auth(&directory).await;
    auth.add_user("ada", PASSWORD.into()).await.unwrap();
    let (address, limits) = ("192.0.2.1".parse().unwrap(), SessionLimits::default());
    let hash = store.password_hash("ada").await.unwrap();
    let begin = async |password: &str| {
        let session = Session::new(None, Arc::new(auth.sessions().clone()), None);
        auth.begin_session(&session, "ada", password.into(), hash.as_ref(), address, "test").await.unwrap()
    };
    assert!(begin(PASSWORD).await);
    auth.set_users_password("ada", "another long password".into()).await.unwrap();
    assert!(!begin(PASSWORD).await);
    assert_eq!(store.sessions_of("ada", limits).await.unwrap(), []);
    // Another hash of the same password is no reason: another login may have made a better one.
    assert!(begin("another long password").await);
}
