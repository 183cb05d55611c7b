//! The registered hosts as a table. The server renders it.

use std::cmp::Reverse;

use leptos::prelude::*;
use model::{ConnectionState, Host, text};

use crate::hosts::page::HostLink;
use crate::ui::icon::{Draw, Icon};

/// Which hosts are shown, and in which order.
#[derive(Clone, Debug, Default)]
pub(super) struct HostQuery {
    /// Every word is in the name, the address, the state or a version.
    pub search: String,
    /// `vms` and `memory`: the highest first. All else: those that do not answer first, then by name.
    pub sort: String,
    /// The host that was just added.
    pub added: String,
}

impl HostQuery {
    /// The hosts that are asked for, in order.
    fn select(&self, hosts: Vec<Host>) -> Vec<Host> {
        let search = self.search.to_ascii_lowercase();
        let is_sought = |host: &Host| {
            let (state, stage) = (state(&host.connection), stage(host));
            let text = format!("{} {} {state} {stage} {}", host.name, host.address, versions(host));
            search.split_whitespace().all(|word| text.to_ascii_lowercase().contains(word))
        };
        let mut hosts: Vec<_> = hosts.into_iter().filter(is_sought).collect();
        hosts.sort_by_cached_key(|host| {
            let place = match self.sort.as_str() {
                "vms" => host.vms.into(),
                "memory" => used(host),
                _ => u64::from(!host.is_connected()),
            };
            (Reverse(place), host.name.clone())
        });
        hosts
    }
}

/// The table, or why there is none.
#[component]
pub(super) fn HostTable(hosts: Vec<Host>, query: HostQuery) -> impl IntoView {
    if hosts.is_empty() {
        return view! { <NoHosts /> }.into_any();
    }
    // Only what is a host is named: anyone can write an address.
    let added = hosts.iter().find(|host| host.name.as_str() == query.added).map(|host| {
        let told = format!("{} was added.", host.name);
        view! { <p class="note note-good" role="status">{told}</p> }
    });
    let selected = query.select(hosts);
    if selected.is_empty() {
        return view! { <p class="hint">"No host matches this."</p> }.into_any();
    }
    let header = |sort: &'static str, label: &'static str| view! { <SortHeader query=query.clone() sort label /> };
    view! {
        {added}
        <PhoneSorts query=query.clone() />
        <table role="table" class="table hosts">
            <caption class="hidden">"Hosts"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    {header("", "Host")} <th role="columnheader">"State"</th> {header("vms", "VMs")}
                    {header("memory", "Memory")} <th role="columnheader">"CPUs"</th>
                    <th role="columnheader">"libvirt, QEMU"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{selected.into_iter().map(|host| view! { <Row host /> }).collect_view()}</tbody>
        </table>
        <p class="buttons more-of-hosts">
            <HostLink href="/evacuations">"Evacuations"</HostLink>
            <HostLink href="/placement">"Placement rules"</HostLink>
        </p>
    }
    .into_any()
}

#[component]
fn SortHeader(query: HostQuery, sort: &'static str, label: &'static str) -> impl IntoView {
    let order = match (sort == query.sort, sort) {
        (false, _) => "none",
        (true, "") => "ascending",
        (true, _) => "descending",
    };
    view! {
        <th role="columnheader" aria-sort=order>
            <a id=format!("sort-{sort}") href=sorted(&query, sort)>{label}</a>
        </th>
    }
}

/// The address of the same hosts in another order.
fn sorted(query: &HostQuery, sort: &str) -> String {
    let params = [("q", query.search.as_str()), ("sort", sort)].into_iter().filter(|(_, value)| !value.is_empty());
    let params: leptos_router::params::ParamsMap = params.map(|(key, value)| (key, value.to_owned())).collect();
    format!("/hosts{}", params.to_query_string())
}

/// The orders, on a phone: there the table has no head.
#[component]
fn PhoneSorts(query: HostQuery) -> impl IntoView {
    let link = |(sort, label): (&'static str, &'static str)| {
        let is_chosen = (sort == query.sort).then_some("true");
        view! { <li><a id=format!("by-{sort}") href=sorted(&query, sort) aria-current=is_chosen>{label}</a></li> }
    };
    let links = [("", "By state"), ("vms", "By VMs"), ("memory", "By memory")].map(link).collect_view();
    view! { <ul class="chips phone-sorts" aria-label="Sort by">{links}</ul> }
}

#[component]
fn Row(host: Host) -> impl IntoView {
    let name = host.name.to_string();
    let cpus = (host.cpus > 0).then(|| host.cpus.to_string());
    let vms = format!("{} VMs, {} active", host.vms, host.vms_active);
    let staged = host.maintenance.is_some().then(|| view! { <span class="tag">{stage(&host)}</span> });
    view! {
        <tr role="row" class="host" data-host=name>
            <th role="rowheader">
                <a id=format!("host-{name}") href=format!("/hosts/{name}")>{name.clone()}</a>
                <small class="hint">{host.address.clone()}</small>
            </th>
            <td role="cell" class="host-state">
                <ConnectionWord connection=&host.connection />
                {staged}
            </td>
            <td role="cell">{vms}</td>
            <td role="cell"><div class="host-memory"><MemoryMeter host=&host /></div></td>
            <td role="cell">{cpus}</td>
            <td role="cell">{versions(&host)}</td>
        </tr>
    }
}

/// How much of the host's memory is used.
#[component]
pub(super) fn MemoryMeter<'a>(host: &'a Host) -> impl IntoView {
    let (used, all) = (used(host), host.memory_bytes);
    let words = (all > 0).then(|| format!("{} of {} used", text::bytes(used), text::bytes(all)));
    view! {
        <meter max=all.max(1).to_string() value=used.to_string() aria-label=format!("Memory of {}", host.name)></meter>
        <small class="hint">{words}</small>
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
pub(super) fn ConnectionWord<'a>(connection: &'a ConnectionState) -> impl IntoView {
    let word = state(connection);
    view! {
        <span class="state" data-state=word>
            {word}
        </span>
    }
}

/// The memory in use, in bytes.
fn used(host: &Host) -> u64 {
    host.memory_bytes.saturating_sub(host.memory_free_bytes)
}

fn versions(host: &Host) -> String {
    let versions = [&host.libvirt_version, &host.hypervisor_version];
    versions.into_iter().flatten().cloned().collect::<Vec<_>>().join(", ")
}

fn state(connection: &ConnectionState) -> &'static str {
    match connection {
        ConnectionState::Connecting => "connecting",
        ConnectionState::Connected => "connected",
        ConnectionState::Unreachable { .. } => "unreachable",
    }
}

/// The host's stage of maintenance; nothing of one in ordinary use.
fn stage(host: &Host) -> &'static str {
    host.maintenance.as_ref().map_or("", |maintenance| maintenance.stage.label())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Code, Problem, examples};

    fn some_hosts() -> Vec<Host> {
        let problem = Problem::new(Code::HostUnreachable, "It does not answer.");
        let gone = ConnectionState::Unreachable { since_ms: 0, problem };
        vec![
            Host { vms: 3, ..examples::host("alpha") },
            Host { vms: 7, libvirt_version: Some("9.0.0".into()), ..examples::host("beta") },
            Host { connection: gone, memory_free_bytes: 0, ..examples::host("gamma") },
        ]
    }

    fn names(search: &str, sort: &str) -> String {
        let hosts = HostQuery { search: search.into(), sort: sort.into(), ..HostQuery::default() }.select(some_hosts());
        hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn those_that_do_not_answer_come_first() {
        assert_eq!(names("", ""), "gamma alpha beta");
        assert_eq!(names("", "vms"), "beta alpha gamma");
        assert_eq!(names("", "memory"), "gamma alpha beta");
    }

    #[test]
    fn a_stage_of_maintenance_is_looked_for() {
        let mut hosts = some_hosts();
        hosts[1].maintenance = Some(examples::maintenance(1));
        let query = HostQuery { search: "draining".into(), ..HostQuery::default() };
        let found: Vec<String> = query.select(hosts).into_iter().map(|host| host.name.to_string()).collect();
        assert_eq!(found, ["beta"]);
    }

    #[test]
    fn every_word_is_looked_for() {
        assert_eq!(names("Unreach", ""), "gamma");
        assert_eq!(names("192.0 9.0.0", ""), "beta");
        assert_eq!(names("alpha beta", ""), "");
    }
}
