//! Moving a VM to an ad-hoc destination: with address, user, password and the host's fingerprint, and with keys.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt};

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{
    lab::Lab,
    obstacles::assert_refused,
    site::{PASSWORD, Site, by_password, tcp},
};

#[tokio::test]
async fn a_password_is_enough_to_move_a_vm_to_an_ad_hoc_destination() {
    let test = "logins::a_password_is_enough_to_move_a_vm_to_an_ad_hoc_destination";
    let Some(site) = Site::enter(test).await else { return };

    // The first request is refused with the host key's fingerprint, as the host's own ssh-keygen prints it.
    let login = json!({"user": "root", "password": PASSWORD});
    let refused = assert_refused(site.migrate(login).await, "host-key-unknown");
    assert_eq!(refused["fingerprint"], site.lab.blue.fingerprint(), "{refused}");
    site.until_hosts_are(&["red"]).await;

    // With the key confirmed, the VM moves. The source has no key for blue, so only the console can have logged in.
    site.arrives(site.migrate_with_password(json!({})).await).await;
    site.until_hosts_are(&["red"]).await;

    // Now the key is known. The default user is root.
    site.reset().await;
    site.arrives(site.migrate(json!({"password": PASSWORD})).await).await;
    site.until_hosts_are(&["red"]).await;
    assert_eq!(site.lab.blue.refused_logins(), 0, "{}", site.lab.blue.sshd_log());
}

#[tokio::test]
async fn an_account_that_may_use_libvirt_is_enough() {
    let test = "logins::an_account_that_may_use_libvirt_is_enough";
    let Some(site) = Site::enter(test).await else { return };
    site.lab.blue.set_password("operator", PASSWORD);
    site.arrives(site.migrate_with_password(json!({"user": "operator"})).await).await;
}

#[tokio::test]
async fn a_key_of_the_console_s_account_is_enough() {
    let test = "logins::a_key_of_the_console_s_account_is_enough";
    let Some(site) = Site::enter(test).await else { return };
    let fingerprint = site.lab.blue.fingerprint();

    // The host does not have the key yet.
    site.make_account_key();
    let refused = site.migrate(json!({"fingerprint": fingerprint})).await;
    assert_refused(refused, "KCHVM0056E");

    site.lab.blue.authorize(&site.account_key());
    site.arrives(site.migrate(json!({})).await).await;
    site.until_hosts_are(&["red"]).await;
}

#[tokio::test]
async fn a_destination_is_registered_if_that_is_asked_for() {
    let test = "logins::a_destination_is_registered_if_that_is_asked_for";
    let Some(mut site) = Site::enter(test).await else { return };
    site.arrives(site.migrate_with_password(json!({"register": true})).await).await;
    site.until_hosts_are(&["192-0-2-3", "red"]).await;

    // The password was in the memory of the console that ended. The next one does not try to log in without it.
    site.kill_console();
    site.start_console().await;
    site.until_host_wants_login("192-0-2-3").await;
    assert_eq!(site.lab.blue.refused_logins(), 0, "{}", site.lab.blue.sshd_log());
}

#[tokio::test]
async fn a_login_replaces_that_of_a_registered_host_once() {
    let test = "logins::a_login_replaces_that_of_a_registered_host_once";
    let Some(site) = Site::enter_with(test, |lab| tcp(&lab.red) + &by_password(&lab.blue)).await else { return };
    site.until_host_wants_login("blue").await;
    site.arrives(site.migrate_with_password(json!({})).await).await;
    site.until_host_wants_login("blue").await;
}

#[tokio::test]
async fn the_console_s_own_key_takes_the_place_of_a_password() {
    let test = "logins::the_console_s_own_key_takes_the_place_of_a_password";
    let with_passphrase = |lab: &Lab| {
        let file = lab.red.path("/root/passphrase");
        let mut opened = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&file);
        writeln!(opened.as_mut().expect("it is new"), "a passphrase for the test").expect("there is room");
        format!("key_passphrase_file = \"{}\"\n{}", file.display(), tcp(&lab.red))
    };
    let Some(mut site) = Site::enter_with(test, with_passphrase).await else { return };
    let authorized = site.lab.blue.path("/root/.ssh/authorized_keys");
    let login = json!({"password": PASSWORD, "fingerprint": site.lab.blue.fingerprint()});
    let settings = json!({"name": "blue", "transport": "ssh", "address": site.lab.blue.address, "user": "root", "login": "password"});
    let (status, answer) = site.api.post("/api/hosts", json!({"settings": settings, "login": login})).await;
    assert_eq!(status, StatusCode::CREATED, "{answer}");

    let (status, answer) = site.api.post("/api/hosts/blue/key", login.clone()).await;
    assert!(status.is_success(), "{status} {answer}");
    assert_eq!(fs::read_to_string(&authorized).expect("a key is there").lines().count(), 1);

    // The restarted console needs no password, and the source needs no login at blue.
    site.kill_console();
    site.start_console().await;
    let arrived = site.arrives(site.migrate(json!({})).await).await;
    assert_eq!(arrived["way"], "direct", "{arrived}");

    let answer = site.api.send(Method::DELETE, "/api/hosts/blue/key", Some(login)).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    assert_eq!(fs::read_to_string(&authorized).expect("the file stays").trim(), "");
    assert_eq!(site.lab.blue.refused_logins(), 0, "{}", site.lab.blue.sshd_log());
}
