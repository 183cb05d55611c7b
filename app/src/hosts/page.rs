//! `/hosts`: the registered hosts.

use leptos::prelude::*;
use leptos_meta::Title;
use model::{Code, ConnectionState, Host, HostName, HostOrigin, text};

use crate::live::Live;
use crate::ui::{
    fact::Fact,
    icon::{Draw, Icon},
    problem::ProblemText,
};

#[component]
pub(crate) fn HostsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let names = Memo::new(move |_| live.hosts.keys());
    view! {
        <Title text="Hosts" />
        <div class="row">
            <h1>"Hosts"</h1>
            <HostLink href="/hosts/add" is_main=true>"Add a host"</HostLink>
        </div>
        <Show when=move || !names.read().is_empty() fallback=NoHosts>
            <ul class="hosts">
                <For each=move || names.get() key=HostName::clone let:name>
                    <HostCard name />
                </For>
            </ul>
        </Show>
    }
}

#[component]
fn NoHosts() -> impl IntoView {
    view! {
        <div class="empty">
            <Draw icon=Icon::Hosts />
            <h2>"No hosts yet"</h2>
            <p>"Add a host here, or name your libvirt hosts in vmferry.toml and restart the console."</p>
        </div>
    }
}

#[component]
fn HostCard(name: HostName) -> impl IntoView {
    let host: Signal<Host> = expect_context::<Live>().hosts.get_untracked(&name)?.into();
    let connection = Memo::new(move |_| host.read().connection.clone());
    let problem = move || match connection.get() {
        ConnectionState::Unreachable { problem, .. } => Some(view! {
            <div class="note note-warn">
                <div class="note-text">
                    <ProblemText problem />
                </div>
            </div>
        }),
        ConnectionState::Connecting | ConnectionState::Connected => None,
    };
    let fact = move |words: fn(&Host) -> String| move || words(&host.read());
    Some(view! {
        <li class="host" data-host=name.to_string()>
            <h2 class="heading">{name.to_string()}</h2>
            <p class="host-head">
                <span class="hint">{fact(|host| host.address.clone())}</span>
                <ConnectionWord connection />
            </p>
            {problem}
            <p class="host-memory">
                <meter
                    max=move || host.read().memory_bytes.max(1).to_string()
                    value=move || used(&host.read()).to_string()
                    aria-label=format!("Memory of {name}")
                ></meter>
                <span class="hint">
                    {fact(|host| format!("{} of {} used", text::bytes(used(host)), text::bytes(host.memory_bytes)))}
                </span>
            </p>
            <dl class="facts">
                <Fact name="VMs">{fact(|host| format!("{}, {} active", host.vms, host.vms_active))}</Fact>
                <Fact name="CPUs">{fact(cpus)}</Fact>
                <Fact name="Latency">{fact(latency)}</Fact>
                <Fact name="Migration bandwidth">{fact(bandwidth)}</Fact>
                <Fact name="Policy">{fact(|host| host.policy_defaults.to_string())}</Fact>
                <Fact name="libvirt">{fact(|host| known(host.libvirt_version.as_deref()))}</Fact>
                <Fact name="QEMU">{fact(|host| known(host.hypervisor_version.as_deref()))}</Fact>
            </dl>
            <HostLinks name=name.clone() host />
        </li>
    })
}

/// The memory in use, in bytes.
fn used(host: &Host) -> u64 {
    host.memory_bytes.saturating_sub(host.memory_free_bytes)
}

fn bandwidth(host: &Host) -> String {
    host.bandwidth_mib_s.map_or("not limited".to_owned(), |limit| format!("{limit} MiB/s"))
}

fn cpus(host: &Host) -> String {
    match &host.cpu_model {
        Some(model) => format!("{}, {model}", host.cpus),
        None if host.cpus > 0 => host.cpus.to_string(),
        None => known(None),
    }
}

fn latency(host: &Host) -> String {
    host.latency_ms.map_or(known(None), |ms| format!("{ms} ms"))
}

fn known(word: Option<&str>) -> String {
    word.unwrap_or("not known yet").to_owned()
}

/// What can be done with a host.
#[component]
fn HostLinks(name: HostName, host: Signal<Host>) -> impl IntoView {
    let login = {
        let href = format!("/hosts/{name}/login");
        move || view! { <HostLink href=href.clone() is_main=true>"Log in"</HostLink> }
    };
    // Hosts of the configuration file are changed there.
    let is_added = host.read_untracked().origin == HostOrigin::Added;
    let changes = is_added.then(|| {
        view! {
            <HostLink href=format!("/hosts/{name}/edit")>"Edit"</HostLink>
            <HostLink href=format!("/hosts/{name}/remove")>"Remove"</HostLink>
        }
    });
    view! {
        <p class="buttons">
            {move || wants_login(&host.read()).then(login.clone())}
            <HostLink href=format!("/hosts/{name}/test")>"Test"</HostLink>
            {changes}
        </p>
    }
}

/// A link to a page that is rendered on the server only.
#[component]
pub(crate) fn HostLink(
    #[prop(into)] href: String,
    /// Whether it is the main action here.
    #[prop(optional)]
    is_main: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <a class=if is_main { "button primary" } else { "button" } href=href rel="external">
            {children()}
        </a>
    }
}

/// Whether an admin has to log in at a host before it answers.
pub(crate) fn wants_login(host: &Host) -> bool {
    let codes = [Code::NeedsLogin, Code::LoginRefused, Code::HostKeyUnknown, Code::HostKeyChanged];
    matches!(&host.connection, ConnectionState::Unreachable { problem, .. } if codes.contains(&problem.code))
}

#[component]
fn ConnectionWord(connection: Memo<ConnectionState>) -> impl IntoView {
    let word = move || match *connection.read() {
        ConnectionState::Connecting => "connecting",
        ConnectionState::Connected => "connected",
        ConnectionState::Unreachable { .. } => "unreachable",
    };
    view! {
        <span class="state" data-state=word>
            {word}
        </span>
    }
}
