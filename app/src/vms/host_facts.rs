//! What a host has, its settings and what went wrong with it, on the host's page. The server renders it.

use leptos::prelude::*;
use model::{
    HostBridge, HostCertificate, HostConnectionError, HostDetails, HostNetwork, HostPool, HostResources, KnownBug,
    Migration, RegisteredHost, text,
};

use crate::hosts::settings::Settings;
use crate::migrations::progress::FromTo;
use crate::ui::{
    fact::Fact,
    problem::{Details, ProblemNote},
    time::Time,
};

/// How many migrations that failed are shown.
pub(super) const FAILED: u32 = 5;

/// All of it. `settings` are none of a host that is not registered any more; `failed` are migrations from here and to here.
#[component]
pub(super) fn HostFacts(
    details: HostDetails,
    settings: Option<RegisteredHost>,
    failed: Vec<Migration>,
) -> impl IntoView {
    let HostDetails { resources, memory_reserved_bytes, problem, certificates, known_bugs, errors, .. } = details;
    let silent = problem.filter(|problem| errors.iter().all(|error| error.problem != *problem));
    view! {
        {silent.map(|problem| view! { <ProblemNote problem /> })}
        {resources.map(|resources| view! { <Resources resources reserved_bytes=memory_reserved_bytes /> })}
        <Certificates certificates />
        <KnownBugs bugs=known_bugs />
        {settings.map(|host| view! {
            <section class="card">
                <h2>"Settings"</h2>
                <Settings host />
            </section>
        })}
        <LastErrors errors failed />
    }
}

#[component]
fn Resources(resources: HostResources, reserved_bytes: u64) -> impl IntoView {
    let HostResources { pools, networks, bridges, .. } = resources.clone();
    view! {
        <section class="card">
            <h2>"CPUs and memory"</h2>
            <dl class="facts">
                {rows(&resources, reserved_bytes).into_iter().map(|(name, value)| view! { <Fact name>{value}</Fact> }).collect_view()}
            </dl>
        </section>
        <section class="card">
            <h2>"Storage pools"</h2>
            {list(pools, "It has none.", |pool| view! { <Pool pool /> })}
            <p class="hint">"libvirt counts the space when it starts or refreshes a pool, and when it makes or deletes a volume."</p>
        </section>
        <section class="card">
            <h2>"Networks and bridges"</h2>
            {list(networks, "It has no networks of libvirt.", |network| view! { <Network network /> })}
            {list(bridges, "It has no bridges.", |bridge| view! { <Bridge bridge /> })}
        </section>
    }
}

/// How much is used of what, and reserved for VMs that come.
fn rows(resources: &HostResources, reserved_bytes: u64) -> Vec<(&'static str, String)> {
    let HostResources { cpus_busy, cpus, memory_bytes, memory_unused_bytes, memory_free_bytes, .. } = resources;
    let used = text::bytes(memory_bytes.saturating_sub(*memory_free_bytes));
    let rows = [
        ("CPUs busy", cpus_busy.map(|busy| format!("{busy:.1} of {cpus}"))),
        ("Memory used", Some(format!("{used} of {}", text::bytes(*memory_bytes)))),
        ("Free or can be freed", Some(text::bytes(*memory_free_bytes))),
        ("Reserved by plans", (reserved_bytes > 0).then(|| text::bytes(reserved_bytes))),
        ("Used by nothing", memory_unused_bytes.map(text::bytes)),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The things of a kind; what libvirt does not tell is not known.
fn list<T, V: IntoView + 'static>(things: Option<Vec<T>>, none: &'static str, entry: impl Fn(T) -> V) -> impl IntoView {
    match things {
        None => view! { <p class="hint">"Not known: libvirt does not tell."</p> }.into_any(),
        Some(things) if things.is_empty() => view! { <p class="hint">{none}</p> }.into_any(),
        Some(things) => {
            let entries: Vec<_> = things.into_iter().map(|thing| view! { <li>{entry(thing)}</li> }).collect();
            view! { <ul class="things">{entries}</ul> }.into_any()
        }
    }
}

#[component]
fn Pool(pool: HostPool) -> impl IntoView {
    let HostPool { name, kind, state, autostart, path, capacity_bytes, available_bytes, .. } = pool;
    let space = (capacity_bytes > 0).then(|| {
        let words = format!("{} free of {}", text::bytes(available_bytes), text::bytes(capacity_bytes));
        let used = capacity_bytes.saturating_sub(available_bytes).to_string();
        view! {
            <meter max=capacity_bytes.to_string() value=used aria-label=format!("Used of {name}")></meter>
            <p>{words}</p>
        }
    });
    let words = [Some(kind), Some(state.to_owned()), not_started(autostart), path];
    view! {
        <p><b>{name}</b></p>
        {space}
        <p class="hint">{joined(words)}</p>
    }
}

#[component]
fn Network(network: HostNetwork) -> impl IntoView {
    let HostNetwork { name, active, autostart, forward, bridge, addresses, dhcp } = network;
    let words = [
        Some(if active { "active" } else { "not active" }.to_owned()),
        not_started(autostart),
        Some(forward.unwrap_or_else(|| "isolated".to_owned())),
        bridge.map(|bridge| format!("bridge {bridge}")),
        (!addresses.is_empty()).then(|| addresses.join(", ")),
        dhcp.then(|| "DHCP".to_owned()),
    ];
    view! {
        <p><b>{name}</b></p>
        <p class="hint">{joined(words)}</p>
    }
}

#[component]
fn Bridge(bridge: HostBridge) -> impl IntoView {
    let HostBridge { name, active, ports } = bridge;
    let ports = (!ports.is_empty()).then(|| format!("with {}", ports.join(", ")));
    let words = [Some(if active { "bridge, up" } else { "bridge, down" }.to_owned()), ports];
    view! {
        <p><b>{name}</b></p>
        <p class="hint">{joined(words)}</p>
    }
}

fn not_started(autostart: Option<bool>) -> Option<String> {
    (autostart == Some(false)).then(|| "not started with its host".to_owned())
}

fn joined(words: impl IntoIterator<Item = Option<String>>) -> String {
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[component]
fn Certificates(certificates: Option<Vec<HostCertificate>>) -> impl IntoView {
    let one = |certificate: HostCertificate| {
        let HostCertificate { of, names, until_ms, note } = certificate;
        let names = (!names.is_empty()).then(|| format!("For {}.", names.join(", ")));
        let until = until_ms.map(|ms| match is_far(ms) {
            true => view! { "Until " <Time ms /> }.into_any(),
            false => {
                view! { <span class="state" data-state="unreachable">"Ends soon"</span> " " <Time ms /> }.into_any()
            }
        });
        view! {
            <p><b>{of}</b></p>
            {until.map(|until| view! { <p>{until}</p> })}
            <p class="hint">{joined([names, note])}</p>
        }
    };
    let content = match certificates {
        None => view! { <p class="hint">"Not read yet, or the host does not answer."</p> }.into_any(),
        Some(certificates) => list(Some(certificates), "None are used.", one).into_any(),
    };
    view! {
        <section class="card">
            <h2>"Certificates"</h2>
            {content}
        </section>
    }
}

/// Whether a certificate is good for another month.
fn is_far(until_ms: u64) -> bool {
    const MONTH: std::time::Duration = std::time::Duration::from_hours(30 * 24);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    std::time::Duration::from_millis(until_ms) > now + MONTH
}

#[component]
fn KnownBugs(bugs: Vec<KnownBug>) -> impl IntoView {
    (!bugs.is_empty()).then(|| {
        let one = |bug: KnownBug| {
            view! {
                <p><b>{bug.version}</b> {format!(", mended in {}", bug.mended_in)}</p>
                <p class="hint">{bug.sentence}</p>
            }
        };
        view! {
            <section class="card">
                <h2>"Known bugs of its versions"</h2>
                {list(Some(bugs), "", one)}
            </section>
        }
    })
}

#[component]
fn LastErrors(errors: Vec<HostConnectionError>, failed: Vec<Migration>) -> impl IntoView {
    let error = |HostConnectionError { at_ms, problem }: HostConnectionError| {
        view! {
            <p>{problem.sentence}</p>
            <p class="hint"><Time ms=at_ms /></p>
            {problem.details.map(|details| view! { <Details details /> })}
        }
    };
    let migration = |migration: Migration| {
        let problem = migration.problem.as_ref().map(|problem| problem.sentence.clone());
        let Migration { id, vm_name, source, destination, created_at_ms, .. } = migration;
        view! {
            <p>
                <a id=format!("failed-{id}") href=format!("/migrations/{id}")>{vm_name} ", " <FromTo source destination /></a>
                " "
                <span class="hint"><Time ms=created_at_ms /></span>
            </p>
            {problem.map(|words| view! { <p class="hint">{words}</p> })}
        }
    };
    view! {
        <section class="card">
            <h2>"Last errors"</h2>
            <h3>"Its connection, since the console started"</h3>
            {list(Some(errors), "None.", error)}
            <h3>"Migrations from here and to here that failed"</h3>
            {list(Some(failed), "None.", migration)}
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::markup::rendered;
    use model::{Code, Problem, examples};

    fn details() -> HostDetails {
        HostDetails {
            name: examples::host("alpha").name,
            resources: None,
            memory_reserved_bytes: 0,
            problem: None,
            certificates: None,
            known_bugs: Vec::new(),
            errors: Vec::new(),
        }
    }

    fn html(details: HostDetails) -> String {
        rendered(|| view! { <HostFacts details settings=None failed=Vec::new() /> })
    }

    #[test]
    fn a_host_that_answers_shows_what_is_free() {
        let pool = HostPool {
            name: "images".into(),
            kind: "dir".into(),
            state: "running",
            autostart: Some(false),
            capacity_bytes: 40 << 30,
            available_bytes: 12 << 30,
            ..HostPool::default()
        };
        let resources = HostResources {
            cpus_busy: Some(1.52),
            cpus: 16,
            memory_bytes: 64 << 30,
            memory_free_bytes: 16 << 30,
            pools: Some(vec![pool]),
            networks: Some(Vec::new()),
            ..HostResources::default()
        };
        let html = html(HostDetails { resources: Some(resources), ..details() });
        for words in
            ["1.5 of 16", "48 GiB of 64 GiB", "12 GiB free of 40 GiB", "dir, running, not started with its host"]
        {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert!(html.contains("It has no networks of libvirt.") && html.contains("libvirt does not tell"), "{html}");
    }

    #[test]
    fn what_plans_have_reserved_is_shown_while_it_is() {
        let shown = |memory_reserved_bytes| {
            html(HostDetails { resources: Some(HostResources::default()), memory_reserved_bytes, ..details() })
        };
        let reserved = shown(3 << 30);
        assert!(reserved.contains("Reserved by plans") && reserved.contains("3 GiB"), "{reserved}");
        assert!(!shown(0).contains("Reserved"));
    }

    #[test]
    fn one_that_does_not_answer_still_shows_why() {
        let problem = Problem::new(Code::HostUnreachable, "alpha <b>does not</b> answer.");
        let errors = vec![HostConnectionError { at_ms: 0, problem: problem.clone() }];
        let html = html(HostDetails { problem: Some(problem), errors, ..details() });
        assert_eq!(html.matches("alpha &lt;b&gt;does not&lt;/b&gt; answer.").count(), 1, "{html}");
    }

    #[test]
    fn a_certificate_that_ends_soon_is_told() {
        assert!(is_far(u64::MAX) && !is_far(0));
        let one = |until_ms| HostCertificate { of: "libvirt on the host", names: Vec::new(), until_ms, note: None };
        let html =
            html(HostDetails { certificates: Some(vec![one(Some(0)), one(Some(4_102_444_800_000))]), ..details() });
        assert_eq!(html.matches("Ends soon").count(), 1, "{html}");
    }
}
