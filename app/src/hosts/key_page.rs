//! `/hosts/<name>/key`: the console's own key is set up on a host, or removed.

use leptos::prelude::*;
use model::{HostOrigin, Problem, RegisteredHost, SshLoginKind};
use serde::Deserialize;

use crate::hosts::{
    host_key::HostRefusal,
    login_page::{HostLoginForm, LoginFields},
};
use crate::ui::{
    document::{Assets, Back, Document},
    fields::{FormFoot, tie_to_field},
};

/// What the form says besides the login.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct KeyForm {
    /// Remove the key, instead of setting it up.
    pub remove: bool,
}

/// The page: `form` as it was filled in, and why it was refused.
pub fn key_login(assets: Assets, host: &RegisteredHost, form: &HostLoginForm, problem: Option<Problem>) -> Document {
    let name = &host.settings.name;
    let (host, form) = (host.clone(), form.clone());
    let is_set_up = host.settings.login == Some(SshLoginKind::ConsoleKey);
    let (consequence, label, class) = if is_set_up {
        (
            format!(
                "Removes the console's key from the account's authorized_keys on {name}. The console then needs a password for {name}."
            ),
            "Remove the key",
            "button danger",
        )
    } else {
        (
            format!(
                "Adds the console's ssh key to the account's authorized_keys on {name}; the console makes the key if it has none, and \
                 stores it encrypted. The key gives access to libvirt only: no shell, no forwarded ports. The console then logs in \
                 with it and needs no password."
            ),
            "Set up the key",
            "button primary",
        )
    };
    Document::new(assets, Back::to_hosts(), &format!("Key login at {name}"), || {
        tie_to_field(problem.as_ref());
        view! {
            <form method="post" action=format!("/hosts/{name}/key") class="card">
                <HostRefusal problem confirmed=form.fingerprint.clone() known=host.fingerprint.clone() />
                <p>{consequence}</p>
                <LoginFields host form hint="Used once, never stored." />
                {is_set_up.then(|| view! { <input type="hidden" name="remove" value="true" /> })}
                <FormFoot back="/hosts" label class hint="This takes up to 10 s." />
            </form>
        }
    })
}

/// The link to this page, for a host that the key could be set up on.
#[component]
pub(super) fn KeyLink(host: RegisteredHost) -> impl IntoView {
    let RegisteredHost { settings, origin, .. } = host;
    let label = match settings.login {
        _ if origin != HostOrigin::Added => return None,
        Some(SshLoginKind::ConsoleKey) => "Remove the console's key from this host…",
        Some(_) => "Log in with the console's own key instead…",
        None => return None,
    };
    Some(view! {
        <p>
            <a href=format!("/hosts/{}/key", settings.name)>{label}</a>
        </p>
    })
}
