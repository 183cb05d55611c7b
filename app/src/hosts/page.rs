//! `/hosts`: the registered hosts.

use leptos::prelude::*;
use leptos_meta::Title;
use model::{Code, ConnectionState, Host, HostName, HostOrigin, text};

use crate::live::Live;
use crate::ui::Erased;
use crate::ui::dynamic;
use crate::ui::figure::figure;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::keyed;
use crate::ui::problem::ProblemText;

#[component]
pub(crate) fn HostsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let is_empty = Memo::new(move |_| live.hosts.keys().is_empty());
    let list = move || {
        if is_empty.get() { view! { <NoHosts /> }.erased() } else { view! { <Cards /> }.erased() }
    };
    view! {
        <Title text="Hosts" />
        <div class="row">
            <h1>"Hosts"</h1>
            {button("/hosts/add".to_owned(), "Add a host".to_owned(), true)}
        </div>
        {move || list()}
    }
    .erased()
}

#[component]
fn NoHosts() -> impl IntoView {
    view! {
        <div class="empty">
            <Draw icon=Icon::Hosts />
            <h2>"No hosts yet"</h2>
            <p>"Add one here, or name your libvirt hosts in vmferry.toml and start the console again."</p>
        </div>
    }
    .erased()
}

#[component]
fn Cards() -> impl IntoView {
    let live = expect_context::<Live>();
    view! {
        <ul class="hosts">
            {keyed(move || live.hosts.keys(), |name| view! { <HostCard name /> }.erased())}
        </ul>
    }
    .erased()
}

#[component]
fn HostCard(name: HostName) -> impl IntoView {
    let host: Signal<Host> = expect_context::<Live>().hosts.get_untracked(&name)?.into();
    let used = move || {
        let host = host.read();
        host.memory_bytes.saturating_sub(host.memory_free_bytes)
    };
    let memory = move || format!("{} of {} used", text::bytes(used()), text::bytes(host.read().memory_bytes));
    let fact = move |name, words: fn(&Host) -> String| figure(name, move || words(&host.read()));
    Some(view! {
        <li class="host" data-host=name.to_string()>
            <h2 class="heading">{name.to_string()}</h2>
            <p class="host-head">
                <span class="hint">{move || host.read().address.clone()}</span>
                <ConnectionState host />
            </p>
            {move || match &host.read().connection {
                ConnectionState::Unreachable { problem, .. } => {
                    Some(view! { <div class="note note-warn"><div class="note-text"><ProblemText problem=problem.clone() /></div></div> }.erased())
                }
                _ => None,
            }}
            <p class="host-memory">
                <meter
                    max=move || host.read().memory_bytes.max(1).to_string()
                    value=move || used().to_string()
                    aria-label=format!("Memory of {name}")
                ></meter>
                <span class="hint">{move || memory()}</span>
            </p>
            <dl class="facts">
                {fact("VMs", |host| format!("{}, {} active", host.vms, host.vms_active))}
                {fact("CPUs", cpus)}
                {fact("Latency", latency)}
                {fact("Migration bandwidth", bandwidth)}
                {fact("libvirt", |host| word(host.libvirt_version.as_deref()))}
                {fact("QEMU", |host| word(host.hypervisor_version.as_deref()))}
            </dl>
            {dynamic(move || buttons(&host.read()))}
        </li>
    }.erased())
}

fn bandwidth(host: &Host) -> String {
    host.bandwidth_mib_s.map_or("not limited".to_owned(), |limit| format!("{limit} MiB/s"))
}

fn cpus(host: &Host) -> String {
    match &host.cpu_model {
        Some(model) => format!("{}, {model}", host.cpus),
        None if host.cpus > 0 => host.cpus.to_string(),
        None => word(None),
    }
}

fn latency(host: &Host) -> String {
    host.latency_ms.map_or(word(None), |ms| format!("{ms} ms"))
}

fn word(word: Option<&str>) -> String {
    word.unwrap_or("not known yet").to_owned()
}

/// What can be done with a host: pages of the server's own.
fn buttons(host: &Host) -> AnyView {
    let page = |page, label: &str, is_main| button(format!("/hosts/{}/{page}", host.name), label.to_owned(), is_main);
    let is_ours = host.origin == HostOrigin::Added;
    view! {
        <p class="buttons">
            {wants_login(host).then(|| page("login", "Log in", true))}
            {page("test", "Test", false)}
            {is_ours.then(|| page("edit", "Edit", false))}
            {is_ours.then(|| page("remove", "Remove", false))}
        </p>
    }
    .erased()
}

/// A link to a page of the server's own.
pub(crate) fn button(href: String, label: String, is_main: bool) -> AnyView {
    view! {
        <a class=if is_main { "button primary" } else { "button" } href=href rel="external">
            {label}
        </a>
    }
    .erased()
}

/// Whether somebody has to log in at a host before it answers.
pub(crate) fn wants_login(host: &Host) -> bool {
    let codes = [Code::NeedsLogin, Code::LoginRefused, Code::HostKeyUnknown, Code::HostKeyChanged];
    matches!(&host.connection, ConnectionState::Unreachable { problem, .. } if codes.contains(&problem.code))
}

#[component]
fn ConnectionState(host: Signal<Host>) -> impl IntoView {
    let word = move || match host.read().connection {
        ConnectionState::Connecting => "connecting",
        ConnectionState::Connected => "connected",
        ConnectionState::Unreachable { .. } => "unreachable",
    };
    view! {
        <span class="state" data-state=word>
            {move || word()}
        </span>
    }
    .erased()
}
