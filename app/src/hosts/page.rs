//! `/hosts`: the registered hosts.

use std::cmp::Reverse;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    params::ParamsMap,
};
use model::{Code, ConnectionState, Host, HostName, text};

use crate::live::Live;
use crate::ui::icon::{Draw, Icon};

#[component]
pub(crate) fn HostsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_query_map();
    let names = Memo::new(move |_| in_order(live.hosts.values(), &params.read()));
    view! {
        <Title text="Hosts" />
        <div class="row">
            <h1>"Hosts"</h1>
            <HostLink href="/hosts/add" is_main=true>"Add a host"</HostLink>
        </div>
        <Show when=move || !live.hosts.keys().is_empty() fallback=NoHosts>
            <Search params />
            <table role="table" class="table hosts">
                <caption class="hidden">"Hosts"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <SortHeader params sort="" label="Host" />
                        <th role="columnheader">"State"</th>
                        <SortHeader params sort="vms" label="VMs" />
                        <SortHeader params sort="memory" label="Memory" />
                        <th role="columnheader">"CPUs"</th>
                        <th role="columnheader">"libvirt, QEMU"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <For each=move || names.get() key=HostName::clone let:name>
                        <Row name />
                    </For>
                </tbody>
            </table>
            <p role="status">{move || names.read().is_empty().then_some("No host matches this.")}</p>
        </Show>
    }
}

/// The hosts that the address asks for: every word is in the name, the address, the state or a version. Those that do not answer come first,
/// unless they are sorted by another column, the highest first.
fn in_order(hosts: Vec<Host>, params: &ParamsMap) -> Vec<HostName> {
    let search = params.get_str("q").unwrap_or_default().to_ascii_lowercase();
    let is_sought = |host: &Host| {
        let versions = [&host.libvirt_version, &host.hypervisor_version].map(|version| known(version.as_deref()));
        let text = format!("{} {} {} {}", host.name, host.address, state(&host.connection), versions.join(" "));
        search.split_whitespace().all(|word| text.to_ascii_lowercase().contains(word))
    };
    let sort = params.get_str("sort").unwrap_or_default();
    let mut hosts: Vec<_> = hosts.into_iter().filter(is_sought).collect();
    hosts.sort_by_cached_key(|host| {
        let place = match sort {
            "vms" => host.vms.into(),
            "memory" => used(host),
            _ => u64::from(!host.is_connected()),
        };
        (Reverse(place), host.name.clone())
    });
    hosts.into_iter().map(|host| host.name).collect()
}

#[component]
fn Search(params: Memo<ParamsMap>) -> impl IntoView {
    let navigate = use_navigate();
    let search = move |input| {
        let query: ParamsMap = [("q", event_target_value(&input))].into_iter().collect();
        let options = NavigateOptions { replace: true, scroll: false, ..Default::default() };
        navigate(&format!("/hosts{}", query.to_query_string()), options);
    };
    view! {
        <form class="filters" method="get" action="/hosts" role="search" on:submit=|ev| ev.prevent_default()>
            <div class="search">
                <Draw icon=Icon::Search />
                <input
                    type="search"
                    name="q"
                    aria-label="Search hosts"
                    placeholder="Name, address, state or version"
                    autocomplete="off"
                    value=params.read_untracked().get("q")
                    on:input=search
                />
            </div>
        </form>
    }
}

#[component]
fn SortHeader(params: Memo<ParamsMap>, sort: &'static str, label: &'static str) -> impl IntoView {
    let is_sorted = move || params.read().get_str("sort").unwrap_or_default() == sort;
    let order = if sort.is_empty() { "ascending" } else { "descending" };
    view! {
        <th role="columnheader" aria-sort=move || if is_sorted() { order } else { "none" }>
            <a href=if sort.is_empty() { "/hosts".to_owned() } else { format!("/hosts?sort={sort}") }>{label}</a>
        </th>
    }
}

#[component]
fn Row(name: HostName) -> impl IntoView {
    let host: Signal<Host> = expect_context::<Live>().hosts.get_untracked(&name)?.into();
    let connection = Memo::new(move |_| host.read().connection.clone());
    let fact = move |words: fn(&Host) -> String| move || words(&host.read());
    Some(view! {
        <tr role="row" class="host" data-host=name.to_string()>
            <th role="rowheader">
                <a href=format!("/hosts/{name}")>{name.to_string()}</a>
                <small class="hint">{fact(|host| host.address.clone())}</small>
            </th>
            <td role="cell" class="host-state">
                <ConnectionWord connection />
            </td>
            <td role="cell">{fact(|host| format!("{}, {} active", host.vms, host.vms_active))}</td>
            <td role="cell" class="host-memory">
                <MemoryMeter host />
            </td>
            <td role="cell">{fact(|host| if host.cpus > 0 { host.cpus.to_string() } else { String::new() })}</td>
            <td role="cell" class="host-versions">
                {fact(|host| {
                    let versions = [&host.libvirt_version, &host.hypervisor_version];
                    versions.map(|version| version.as_deref().unwrap_or_default()).join(", ").trim_matches([',', ' ']).to_owned()
                })}
            </td>
        </tr>
    })
}

/// How much of the host's memory is used.
#[component]
pub(crate) fn MemoryMeter(host: Signal<Host>) -> impl IntoView {
    view! {
        <meter
            max=move || host.read().memory_bytes.max(1).to_string()
            value=move || used(&host.read()).to_string()
            aria-label=move || format!("Memory of {}", host.read().name)
        ></meter>
        <small class="hint">
            {move || {
                let host = host.read();
                (host.memory_bytes > 0)
                    .then(|| format!("{} of {} used", text::bytes(used(&host)), text::bytes(host.memory_bytes)))
            }}
        </small>
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

/// The memory in use, in bytes.
fn used(host: &Host) -> u64 {
    host.memory_bytes.saturating_sub(host.memory_free_bytes)
}

pub(super) fn known(word: Option<&str>) -> String {
    word.unwrap_or("not known yet").to_owned()
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
pub(crate) fn ConnectionWord(connection: Memo<ConnectionState>) -> impl IntoView {
    let word = move || state(&connection.read());
    view! {
        <span class="state" data-state=word>
            {word}
        </span>
    }
}

fn state(connection: &ConnectionState) -> &'static str {
    match connection {
        ConnectionState::Connecting => "connecting",
        ConnectionState::Connected => "connected",
        ConnectionState::Unreachable { .. } => "unreachable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Problem, examples};

    fn some_hosts() -> Vec<Host> {
        let problem = Problem::new(Code::HostUnreachable, "It does not answer.");
        let gone = ConnectionState::Unreachable { since_ms: 0, problem };
        vec![
            Host { vms: 3, ..examples::host("alpha") },
            Host { vms: 7, libvirt_version: Some("9.0.0".into()), ..examples::host("beta") },
            Host { connection: gone, memory_free_bytes: 0, ..examples::host("gamma") },
        ]
    }

    fn names(params: &[(&str, &str)]) -> String {
        let params = params.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let names = in_order(some_hosts(), &params);
        names.iter().map(HostName::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn those_that_do_not_answer_come_first() {
        assert_eq!(names(&[]), "gamma alpha beta");
        assert_eq!(names(&[("sort", "vms")]), "beta alpha gamma");
        assert_eq!(names(&[("sort", "memory")]), "gamma alpha beta");
    }

    #[test]
    fn every_word_is_looked_for() {
        assert_eq!(names(&[("q", "Unreach")]), "gamma");
        assert_eq!(names(&[("q", "192.0 9.0.0")]), "beta");
        assert_eq!(names(&[("q", "alpha beta")]), "");
    }
}
