//! `/hosts`: the registered hosts.

use leptos::prelude::*;
use leptos_meta::Title;
use model::{Connection, Host, HostName, text};

use crate::components::{
    icon::{Draw, Icon},
    problem::ProblemText,
};
use crate::live::Live;

#[component]
pub(crate) fn HostsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let names = Memo::new(move |_| live.hosts.keys());
    let nothing = move || {
        view! {
            <div class="empty">
                <Draw icon=Icon::Hosts />
                <h2>"No hosts yet"</h2>
                <p>"Name your libvirt hosts in vmferry.toml, then start the console again."</p>
            </div>
        }
    };
    view! {
        <Title text="Hosts" />
        <h1>"Hosts"</h1>
        <Show when=move || !names.read().is_empty() fallback=nothing>
            <ul class="hosts">
                <For each=move || names.get() key=Clone::clone let:name>
                    <HostCard name />
                </For>
            </ul>
        </Show>
    }
    .into_any()
}

#[component]
fn HostCard(name: HostName) -> impl IntoView {
    let host: Signal<Host> = expect_context::<Live>().hosts.get_untracked(&name)?.into();
    let used = move || {
        let host = host.read();
        host.memory_bytes.saturating_sub(host.memory_free_bytes)
    };
    let memory = move || format!("{} of {} used", text::bytes(used()), text::bytes(host.read().memory_bytes));
    let bandwidth =
        move || host.read().bandwidth_mib_s.map_or("not limited".to_owned(), |limit| format!("{limit} MiB/s"));
    Some(view! {
        <li class="host" data-host=name.to_string()>
            <h2>{name.to_string()}</h2>
            <p class="host-head">
                <span>{move || host.read().address.clone()}</span>
                <ConnectionState host />
            </p>
            {move || match &host.read().connection {
                Connection::Unreachable { problem, .. } => {
                    Some(view! { <div class="note note-warn"><div class="note-text"><ProblemText problem=problem.clone() /></div></div> })
                }
                _ => None,
            }}
            <p class="host-memory">
                <meter
                    min="0"
                    max=move || host.read().memory_bytes.max(1).to_string()
                    value=move || used().to_string()
                    aria-label=format!("Memory of {name}")
                ></meter>
                <span>{memory}</span>
            </p>
            <dl class="facts">
                <dt>"VMs"</dt>
                <dd>{move || { let host = host.read(); format!("{}, {} active", host.vms, host.vms_active) }}</dd>
                <dt>"CPUs"</dt>
                <dd>{move || host.read().cpus}</dd>
                <dt>"Migration bandwidth"</dt>
                <dd>{bandwidth}</dd>
                <dt>"libvirt"</dt>
                <dd>{move || version(host.read().libvirt_version.as_deref())}</dd>
                <dt>"QEMU"</dt>
                <dd>{move || version(host.read().hypervisor_version.as_deref())}</dd>
            </dl>
        </li>
    }.into_any())
}

fn version(version: Option<&str>) -> String {
    version.unwrap_or("not known yet").to_owned()
}

#[component]
fn ConnectionState(host: Signal<Host>) -> impl IntoView {
    let word = Memo::new(move |_| match host.read().connection {
        Connection::Connecting => "connecting",
        Connection::Connected => "connected",
        Connection::Unreachable { .. } => "unreachable",
    });
    view! {
        <span class="state" data-state=word>
            {word}
        </span>
    }
    .into_any()
}
