//! `/hosts/<name>/login`: an admin logs in at a host.

use leptos::prelude::*;
use model::{HostLogin, Problem, RegisteredHost, Secret};
use serde::Deserialize;

use crate::hosts::{host_key::HostRefusal, key_page::KeyLink};
use crate::ui::{
    document::{Assets, Back, Document},
    fields::{FormFoot, KeepPasswordField, PasswordField, TextField, tie_to_field, typed},
};

/// The form as it was filled in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct HostLoginForm {
    user: String,
    password: Option<Secret>,
    /// The key that was confirmed.
    pub(super) fingerprint: Option<String>,
    keep_until_restart: bool,
    /// The page to go to afterwards.
    pub next: String,
}

impl HostLoginForm {
    /// The form before anything is typed, with the page to go to afterwards.
    pub fn on_the_way_to(next: String) -> Self {
        Self { next, ..Self::default() }
    }

    /// The login.
    pub fn login(&self) -> HostLogin {
        HostLogin {
            user: typed(&self.user),
            password: self.password.clone(),
            fingerprint: self.fingerprint.clone(),
            keep_until_restart: self.keep_until_restart,
        }
    }
}

/// The page: `form` as it was filled in, and why it was refused.
pub fn log_in_at_host(
    assets: Assets,
    host: &RegisteredHost,
    form: &HostLoginForm,
    problem: Option<Problem>,
) -> Document {
    let name = &host.settings.name;
    let (host, form) = (host.clone(), form.clone());
    Document::new(assets, Back::to_hosts(), &format!("Log in at {name}"), || {
        tie_to_field(problem.as_ref());
        view! {
            <form method="post" action=format!("/hosts/{name}/login") class="card">
                <HostRefusal problem confirmed=form.fingerprint.clone() known=host.fingerprint.clone() />
                <LoginFields host=host.clone() form=form.clone() hint="Never stored." />
                <KeepPasswordField checked=form.keep_until_restart />
                <KeyLink host />
                <input type="hidden" name="next" value=form.next />
                <FormFoot back="/hosts" label="Log in" hint="This takes up to 10 s." />
            </form>
        }
    })
}

/// The account there and its password.
#[component]
pub(super) fn LoginFields(host: RegisteredHost, form: HostLoginForm, hint: &'static str) -> impl IntoView {
    let user = typed(&form.user).or(host.settings.user).unwrap_or_default();
    view! {
        <TextField name="user" label="User" value=user default="the registered user" />
        <PasswordField hint />
    }
}
