//! The audit log.

use crate::{Action, AuditFilter};

use super::*;

contract!(entries_are_found_by_who_and_what);

async fn entries_are_found_by_who_and_what(database: Database) {
    let store = database.open().await;
    for (actor, action) in [
        ("ada", Action::LoggedIn("192.0.2.1")),
        ("grace", Action::LoggedIn("192.0.2.2")),
        ("ada", Action::HostKeysForgotten("192.0.2.7", 22)),
        ("ada", Action::LoggedOut),
    ] {
        store.audit(actor, action).await.unwrap();
    }
    let found = async |filter: AuditFilter| store.audit_entries(&filter).await.unwrap();
    let newest = AuditFilter::newest(10);
    let all = found(newest.clone()).await;
    let actions: Vec<&str> = all.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["logout", "host-keys-forgotten", "login", "login"]);
    assert_eq!(all[1].details, r#"{"address":"192.0.2.7","port":22}"#);
    assert_eq!(found(AuditFilter { actor: Some("grace".into()), ..newest.clone() }).await, all[2..3]);
    assert_eq!(found(AuditFilter { action: Some("login".into()), ..newest.clone() }).await, all[2..]);
    assert_eq!(found(AuditFilter { before: Some(all[1].number), limit: 1, ..newest }).await, all[2..3]);
}
