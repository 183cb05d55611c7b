//! Obstacles to reaching a host: each request is refused with a fix, and the VM stays where it is.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::site::{PASSWORD, Site};

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let Some(site) = Site::enter("obstacles::a_wrong_password_is_tried_once").await else { return };
    let refused = assert_refused(site.migrate_with_password(json!({"password": "wrong"})).await, "KCHVM0056E");
    assert_says(&refused, "password");
    assert_eq!(site.lab.blue.refused_logins(), 1, "{}", site.lab.blue.sshd_log());
    assert_untouched(&site).await;
    assert_eq!(site.lab.blue.refused_logins(), 1, "there was no second attempt: {}", site.lab.blue.sshd_log());
}

#[tokio::test]
async fn a_fingerprint_that_is_not_the_host_s_is_refused() {
    let Some(site) = Site::enter("obstacles::a_fingerprint_that_is_not_the_host_s_is_refused").await else { return };
    let (shown, typed) = (site.lab.blue.fingerprint(), site.lab.red.fingerprint());
    let (status, refused) = site.migrate_with_password(json!({"fingerprint": typed})).await;
    assert!(status.is_client_error(), "{status} {refused}");
    assert_says(&refused, &shown);
    assert_says(&refused, &typed);
    assert_untouched(&site).await;
    // Neither key was saved.
    let refused = assert_refused(site.migrate(json!({"password": PASSWORD})).await, "host-key-unknown");
    assert_eq!(refused["fingerprint"], shown, "{refused}");
}

#[tokio::test]
async fn a_changed_key_is_refused_whatever_is_sent() {
    let Some(site) = Site::enter("obstacles::a_changed_key_is_refused_whatever_is_sent").await else { return };
    let old = site.lab.blue.fingerprint();
    site.arrives(site.migrate_with_password(json!({})).await).await;
    site.reset().await;
    site.lab.blue.change_key().await;
    let new = site.lab.blue.fingerprint();
    assert_ne!(old, new);
    for fingerprint in [None, Some(&old), Some(&new)] {
        let login = json!({"password": PASSWORD});
        let more =
            fingerprint.map_or(login.clone(), |fingerprint| json!({"password": PASSWORD, "fingerprint": fingerprint}));
        let refused = assert_refused(site.migrate(more).await, "host-key-changed");
        assert_says(&refused, &old);
        assert_says(&refused, &new);
    }
    assert_untouched(&site).await;
    // Only an admin of the console's machine can accept the new key.
    site.run_program(&["known-hosts", "forget", &site.lab.blue.address, "--config", &site.config()]);
    assert_refused(site.migrate(json!({"password": PASSWORD})).await, "host-key-unknown");
    site.arrives(site.migrate_with_password(json!({})).await).await;
}

#[tokio::test]
async fn an_account_that_may_not_use_libvirt_is_reported() {
    let Some(site) = Site::enter("obstacles::an_account_that_may_not_use_libvirt_is_reported").await else { return };
    site.lab.blue.set_password("noaccess", PASSWORD);
    let refused = site.migrate_with_password(json!({"user": "noaccess"})).await;
    let refused = assert_refused(refused, "KCHVM0090E");
    assert_says(&refused, "libvirt");
    assert_untouched(&site).await;
}

#[tokio::test]
async fn a_host_without_ssh_or_libvirt_is_reported() {
    let Some(site) = Site::enter("obstacles::a_host_without_ssh_or_libvirt_is_reported").await else { return };
    site.lab.blue.stop_daemon();
    let refused = assert_refused(site.migrate_with_password(json!({})).await, "KCHVM0090E");
    assert_says(&refused, "libvirt");
    site.lab.blue.stop_sshd();
    let refused = assert_refused(site.migrate_with_password(json!({})).await, "KCHVM0090E");
    assert_says(&refused, "ssh");
    site.lab.blue.start_sshd().await;
    site.lab.blue.start_daemon().await;
    assert_untouched(&site).await;
    site.arrives(site.migrate_with_password(json!({})).await).await;
}

/// Fails unless the answer is a refusal (4xx) with this code; the answer.
pub(crate) fn assert_refused((status, answer): (StatusCode, Value), code: &str) -> Value {
    assert!(status.is_client_error(), "{status} {answer}");
    assert_eq!(answer["code"], code, "{answer}");
    // To read the sentences: cargo test -- --nocapture.
    println!("{answer}");
    answer
}

fn assert_says(answer: &Value, what: &str) {
    let reason = answer["reason"].as_str().expect("a refusal has a reason");
    assert!(reason.contains(what), "{what} is not in: {reason}");
}

/// Fails unless the VM still runs where it was, and the other host is not registered.
async fn assert_untouched(site: &Site) {
    site.until_hosts_are(&["red"]).await;
    site.assert_only_on(&site.lab.red).await;
}
