//! `/hosts/<name>/test`, `…/remove`, `…/login` and `…/key`: what can be done with a host that is registered.

use leptos::prelude::*;
use model::{HostLogin, HostOrigin, HostTest, Problem, RegisteredHost, Secret, SshLoginKind, TransportKind, text};
use serde::Deserialize;

use crate::Assets;
use crate::hosts::host_key::refusal;
use crate::ui::Erased;
use crate::ui::document::Back;
use crate::ui::document::Document;
use crate::ui::document::alert;
use crate::ui::fields::Line;
use crate::ui::fields::foot;
use crate::ui::fields::keep;
use crate::ui::fields::password;
use crate::ui::fields::typed;
use crate::ui::figure::entry;

/// What somebody typed to log in at a host.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LoginForm {
    user: String,
    password: Option<Secret>,
    fingerprint: Option<String>,
    keep_until_restart: bool,
    /// The page to go to afterwards.
    pub next: String,
}

impl LoginForm {
    /// The form before anything is typed, on the way to this page.
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

/// What else the form about the console's own key says.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct KeyForm {
    /// Take it away, instead of setting it up.
    pub remove: bool,
}

/// The page that tests whether a host answers: what came of it, if that was asked for.
pub fn test_host(assets: Assets, host: &RegisteredHost, result: Option<Result<HostTest, Problem>>) -> Document {
    let name = &host.settings.name;
    Document::new(assets, Back::to_hosts(), &format!("Test {name}"), || {
        let (outcome, label) = match result {
            None => (().into_any(), "Test"),
            Some(Ok(test)) => (answered(test), "Test again"),
            Some(Err(problem)) => (refusal(Some(problem), None, host.fingerprint.as_deref()), "Test again"),
        };
        view! {
            {outcome}
            <section class="card">
                <h2>"As it is registered"</h2>
                {written(host)}
            </section>
            <form method="post" action=format!("/hosts/{name}/test")>
                {foot("/hosts", label, "button primary", "The console connects once more, beside what it has already. This takes up to 10 s.")}
            </form>
        }
        .into_any()
    })
}

fn answered(test: HostTest) -> AnyView {
    let HostTest { libvirt_version, hypervisor_version, cpu_model, memory_bytes, vms, latency_ms } = test;
    view! {
        <section class="card" role="status">
            <h2>"It answers"</h2>
            <dl class="facts">
                {entry("libvirt", libvirt_version.into_any())}
                {entry("QEMU", hypervisor_version.into_any())}
                {entry("CPU", cpu_model.unwrap_or("libvirt does not know its model".to_owned()).into_any())}
                {entry("Memory", text::bytes(memory_bytes).into_any())}
                {entry("VMs", vms.to_string().into_any())}
                {entry("Latency", format!("{latency_ms} ms").into_any())}
            </dl>
        </section>
    }
    .erased()
}

/// The way to the console's own key, for a host that it could be set up on.
pub(crate) fn key_link(host: &RegisteredHost) -> AnyView {
    let RegisteredHost { settings, origin, .. } = host;
    let label = match settings.login {
        _ if *origin != HostOrigin::Added => return ().into_any(),
        Some(SshLoginKind::ConsoleKey) => "Take the console's own key away from it…",
        Some(_) => "Log in with a key of the console's own instead…",
        None => return ().into_any(),
    };
    view! {
        <p>
            <a href=format!("/hosts/{}/key", settings.name)>{label}</a>
        </p>
    }
    .erased()
}

/// How a host is reached, in words.
fn written(host: &RegisteredHost) -> AnyView {
    let settings = &host.settings;
    let transport = match settings.transport {
        TransportKind::Local => "this machine's own socket",
        TransportKind::Tcp => "TCP, not encrypted",
        TransportKind::Tls => "TLS",
        TransportKind::Ssh => "ssh",
    };
    let port = settings.port.map(|port| format!(", port {port}")).unwrap_or_default();
    let login = settings.login.map(|login| match login {
        SshLoginKind::Program => "by the program ssh",
        SshLoginKind::AccountKeys => "with the keys of the console's account",
        SshLoginKind::ConsoleKey => "with the console's own key",
        SshLoginKind::Password => "with a password",
    });
    let user = settings.user.clone().unwrap_or_default();
    view! {
        <dl class="facts">
            {settings.address.clone().map(|address| entry("Address", format!("{address}{port}").into_any()))}
            {entry("Reached by", transport.into_any())}
            {login.map(|login| entry("Login", format!("{user}, {login}").into_any()))}
            {host.fingerprint.clone().map(|key| entry("Key", view! { <code class="key">{key}</code> }.erased()))}
        </dl>
    }
    .erased()
}

/// The question whether a host shall be forgotten.
pub fn remove_host(assets: Assets, host: &RegisteredHost, problem: Option<Problem>) -> Document {
    let name = &host.settings.name;
    Document::new(assets, Back::to_hosts(), &format!("Remove {name}?"), || {
        view! {
            <form method="post" action=format!("/hosts/{name}/remove") class="card">
                {problem.map(alert)}
                <p>
                    {format!("The console forgets {name}, and its ssh key. Nothing changes on the host itself: its VMs stay there, and \
                    those that run go on.")}
                </p>
                {foot("/hosts", "Remove the host", "button danger", "")}
            </form>
        }
        .erased()
    })
}

/// The page where somebody logs in at a host.
pub fn log_in_at_host(assets: Assets, host: &RegisteredHost, form: &LoginForm, problem: Option<Problem>) -> Document {
    let name = &host.settings.name;
    Document::new(assets, Back::to_hosts(), &format!("Log in at {name}"), || {
        view! {
            <form method="post" action=format!("/hosts/{name}/login") class="card">
                {refusal(problem, form.fingerprint.as_deref(), host.fingerprint.as_deref())}
                {login_fields(host, form, "It is never written down.")}
                {keep(form.keep_until_restart)}
                {key_link(host)}
                <input type="hidden" name="next" value=form.next.clone() />
                {foot("/hosts", "Log in", "button primary", "This takes up to 10 s.")}
            </form>
        }
        .erased()
    })
}

fn login_fields(host: &RegisteredHost, form: &LoginForm, hint: &'static str) -> AnyView {
    let user = typed(&form.user).or_else(|| host.settings.user.clone()).unwrap_or_default();
    view! {
        {Line::new("user", "User", &user).default("the registered one").view()}
        {password(hint)}
    }
    .into_any()
}

/// The page where the console's own key is set up on a host, or taken away.
pub fn host_key_login(assets: Assets, host: &RegisteredHost, form: &LoginForm, problem: Option<Problem>) -> Document {
    let name = &host.settings.name;
    let is_set_up = host.settings.login == Some(SshLoginKind::ConsoleKey);
    Document::new(assets, Back::to_hosts(), &format!("Key login at {name}"), || {
        let (consequence, label, look) = if is_set_up {
            (
                format!(
                    "The console's key is taken out of the account's authorized_keys on {name}. From then on {name} is reached \
                     with a password."
                ),
                "Take the key away",
                "button danger",
            )
        } else {
            (
                format!(
                    "The console makes an ssh key of its own, unless it has one, and adds it to the account's authorized_keys on \
                     {name}. There it may do nothing but talk to libvirt: it opens no shell and forwards no ports. From then on the \
                     console logs in with it, and needs no password. The key is kept encrypted."
                ),
                "Set up the key",
                "button primary",
            )
        };
        view! {
            <form method="post" action=format!("/hosts/{name}/key") class="card">
                {refusal(problem, form.fingerprint.as_deref(), host.fingerprint.as_deref())}
                <p>{consequence}</p>
                {login_fields(host, form, "Used once, and not written down.")}
                {is_set_up.then(|| view! { <input type="hidden" name="remove" value="true" /> }.erased())}
                {foot("/hosts", label, look, "This takes up to 10 s.")}
            </form>
        }
        .erased()
    })
}
