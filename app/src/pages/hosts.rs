//! `/hosts`: the registered hosts.

use leptos::prelude::*;
use leptos_meta::Title;
use model::{Connection, Host, HostName, text};

use crate::components::{
    Erased,
    figure::figure,
    icon::{Draw, Icon},
    keyed,
    problem::ProblemText,
};
use crate::live::Live;

#[component]
pub(crate) fn HostsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let is_empty = Memo::new(move |_| live.hosts.keys().is_empty());
    let list = move || {
        if is_empty.get() { view! { <NoHosts /> }.erased() } else { view! { <Cards /> }.erased() }
    };
    view! {
        <Title text="Hosts" />
        <h1>"Hosts"</h1>
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
            <p>"Name your libvirt hosts in vmferry.toml, then start the console again."</p>
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
                Connection::Unreachable { problem, .. } => {
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
                {fact("CPUs", |host| host.cpus.to_string())}
                {fact("Migration bandwidth", bandwidth)}
                {fact("libvirt", |host| version(host.libvirt_version.as_deref()))}
                {fact("QEMU", |host| version(host.hypervisor_version.as_deref()))}
            </dl>
        </li>
    }.erased())
}

fn bandwidth(host: &Host) -> String {
    host.bandwidth_mib_s.map_or("not limited".to_owned(), |limit| format!("{limit} MiB/s"))
}

fn version(version: Option<&str>) -> String {
    version.unwrap_or("not known yet").to_owned()
}

#[component]
fn ConnectionState(host: Signal<Host>) -> impl IntoView {
    let word = move || match host.read().connection {
        Connection::Connecting => "connecting",
        Connection::Connected => "connected",
        Connection::Unreachable { .. } => "unreachable",
    };
    view! {
        <span class="state" data-state=word>
            {move || word()}
        </span>
    }
    .erased()
}
