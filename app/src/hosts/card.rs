//! A host on its page: what is known of it, and what can be done with it. The server renders it.

use leptos::prelude::*;
use model::{ConnectionState, Host, HostOrigin};

use crate::hosts::{
    page::{HostLink, wants_login},
    table::{ConnectionWord, MemoryMeter},
};
use crate::ui::{fact::Fact, problem::ProblemText};

#[component]
pub(super) fn HostCard(host: Host) -> impl IntoView {
    let problem = match &host.connection {
        ConnectionState::Unreachable { problem, .. } => Some(problem.clone()),
        ConnectionState::Connecting | ConnectionState::Connected => None,
    };
    let problem = problem.map(|problem| {
        view! {
            <div class="note note-warn">
                <div class="note-text">
                    <ProblemText problem />
                </div>
            </div>
        }
    });
    let facts = [
        ("CPUs", cpus(&host)),
        ("Latency", host.latency_ms.map_or(known(None), |ms| format!("{ms} ms"))),
        ("Migration bandwidth", bandwidth(&host)),
        ("Policy", host.policy_defaults.to_string()),
        ("libvirt", known(host.libvirt_version.as_ref())),
        ("QEMU", known(host.hypervisor_version.as_ref())),
    ];
    let links = view! { <HostLinks host=host.clone() /> };
    view! {
        <section class="card host" data-host=host.name.to_string()>
            <p class="host-head">
                <span class="hint">{host.address.clone()}</span>
                <ConnectionWord connection=&host.connection />
            </p>
            {problem}
            <p class="host-memory">
                <MemoryMeter host=&host />
            </p>
            <dl class="facts">
                <Fact name="VMs">
                    <a id="to-vms" href="#vms">{format!("{}, {} active", host.vms, host.vms_active)}</a>
                </Fact>
                {facts.map(|(name, value)| view! { <Fact name>{value}</Fact> }).collect_view()}
            </dl>
            {links}
        </section>
    }
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

fn known(word: Option<&String>) -> String {
    word.cloned().unwrap_or_else(|| "not known yet".to_owned())
}

/// What can be done with a host.
#[component]
fn HostLinks(host: Host) -> impl IntoView {
    let page = |page: &str| format!("/hosts/{}/{page}", host.name);
    let login = wants_login(&host).then(|| view! { <HostLink href=page("login") is_main=true>"Log in"</HostLink> });
    let changes = if host.origin == HostOrigin::Added {
        view! {
            <HostLink href=page("edit")>"Edit"</HostLink>
            <HostLink href=page("remove")>"Remove"</HostLink>
        }
        .into_any()
    } else {
        view! { <span class="hint">"The configuration file names this host: it is changed there."</span> }.into_any()
    };
    view! { <p class="buttons">{login} <HostLink href=page("test")>"Test"</HostLink> {changes}</p> }
}
