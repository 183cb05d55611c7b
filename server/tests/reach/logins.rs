//! Moving a VM to a host that nobody registered, by what can be typed: address, user, password and the host's fingerprint; and by keys.

use serde_json::json;

use super::{
    obstacles::assert_refused,
    site::{PASSWORD, Site},
};

#[tokio::test]
async fn a_password_is_enough_to_move_a_vm_to_a_host_nobody_registered() {
    let test = "logins::a_password_is_enough_to_move_a_vm_to_a_host_nobody_registered";
    let Some(site) = Site::enter(test).await else { return };

    // First contact: the key is shown, by the words that the host's own ssh-keygen has for it, and nothing happens.
    let login = json!({"user": "root", "password": PASSWORD});
    let refused = assert_refused(site.ask(login).await, "host-key-unknown");
    assert_eq!(refused["fingerprint"], site.lab.blue.fingerprint(), "{refused}");
    site.until_hosts_are(&["red"]).await;

    // Confirmed: it goes. The source has no key there, so nobody but the console can have logged in.
    site.arrives(site.ask_with_password(json!({})).await).await;
    site.until_hosts_are(&["red"]).await;

    // The key is known from now on, and the user is root where none is named.
    site.again().await;
    site.arrives(site.ask(json!({"password": PASSWORD})).await).await;
    site.until_hosts_are(&["red"]).await;
    assert_eq!(site.lab.blue.refused_logins(), 0, "{}", site.lab.blue.sshd_log());
}

#[tokio::test]
async fn an_account_that_may_use_libvirt_is_enough() {
    let test = "logins::an_account_that_may_use_libvirt_is_enough";
    let Some(site) = Site::enter(test).await else { return };
    site.lab.blue.set_password("operator", PASSWORD);
    site.arrives(site.ask_with_password(json!({"user": "operator"})).await).await;
}

#[tokio::test]
async fn a_key_of_the_console_s_account_is_enough() {
    let test = "logins::a_key_of_the_console_s_account_is_enough";
    let Some(site) = Site::enter(test).await else { return };
    let fingerprint = site.lab.blue.fingerprint();

    // The host does not know it yet.
    site.make_account_key();
    let refused = site.ask(json!({"fingerprint": fingerprint})).await;
    assert_refused(refused, "KCHVM0056E");

    site.lab.blue.authorize(&site.account_key());
    site.arrives(site.ask(json!({})).await).await;
    site.until_hosts_are(&["red"]).await;
}

#[tokio::test]
async fn a_destination_is_registered_if_that_is_asked_for() {
    let test = "logins::a_destination_is_registered_if_that_is_asked_for";
    let Some(mut site) = Site::enter(test).await else { return };
    site.arrives(site.ask_with_password(json!({"register": true})).await).await;
    site.until_hosts_are(&["192-0-2-3", "red"]).await;

    // Its password is forgotten with the console that knew it, and nobody tries to log in without.
    site.kill_console();
    site.start_console().await;
    site.until_host_wants_login("192-0-2-3").await;
    assert_eq!(site.lab.blue.refused_logins(), 0, "{}", site.lab.blue.sshd_log());
}
