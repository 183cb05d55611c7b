//! A host on its page: what is known of it, and what can be done with it.

use leptos::prelude::*;
use model::{ConnectionState, Host, HostName, HostOrigin};

use crate::hosts::page::{ConnectionWord, HostLink, MemoryMeter, known, wants_login};
use crate::ui::{fact::Fact, problem::ProblemText};

#[component]
pub(crate) fn HostCard(host: Signal<Host>) -> impl IntoView {
    let name = host.read_untracked().name.clone();
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
    view! {
        <section class="card host" data-host=name.to_string()>
            <p class="host-head">
                <span class="hint">{fact(|host| host.address.clone())}</span>
                <ConnectionWord connection />
            </p>
            {problem}
            <p class="host-memory">
                <MemoryMeter host />
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

fn latency(host: &Host) -> String {
    host.latency_ms.map_or(known(None), |ms| format!("{ms} ms"))
}

/// What can be done with a host.
#[component]
fn HostLinks(name: HostName, host: Signal<Host>) -> impl IntoView {
    let login = {
        let href = format!("/hosts/{name}/login");
        move || view! { <HostLink href=href.clone() is_main=true>"Log in"</HostLink> }
    };
    let changes = if host.read_untracked().origin == HostOrigin::Added {
        view! {
            <HostLink href=format!("/hosts/{name}/edit")>"Edit"</HostLink>
            <HostLink href=format!("/hosts/{name}/remove")>"Remove"</HostLink>
        }
        .into_any()
    } else {
        view! { <span class="hint">"The configuration file names this host: it is changed there."</span> }.into_any()
    };
    view! {
        <p class="buttons">
            {move || wants_login(&host.read()).then(login.clone())}
            <HostLink href=format!("/hosts/{name}/test")>"Test"</HostLink>
            {changes}
        </p>
    }
}
