//! What is kept of a migration besides its course: the request, and what happened, in order. The server renders it.

use leptos::prelude::*;
use model::{ControlFlow, DiskMove, Migration, MigrationEvent, Mode, PolicyDefaults};

use crate::ui::{fact::Fact, time::Time};

#[component]
pub(super) fn Kept(migration: Migration, events: Vec<MigrationEvent>) -> impl IntoView {
    view! {
        <History events />
        <Request migration />
    }
}

#[component]
fn History(events: Vec<MigrationEvent>) -> impl IntoView {
    let entry = |event: MigrationEvent| {
        view! {
            <li>
                <Time ms=event.at_ms />
                <span class="event">{event.text}</span>
            </li>
        }
    };
    view! {
        <section class="card">
            <h2>"History"</h2>
            <ol class="history">{events.into_iter().map(entry).collect_view()}</ol>
        </section>
    }
}

/// The request, and how it is carried out.
#[component]
fn Request(migration: Migration) -> impl IntoView {
    let Migration { requested_by, created_at_ms, mode, options, disks, .. } = migration.clone();
    let how = match mode {
        Mode::Live => "Live: the VM keeps running while its memory moves",
        Mode::Offline => "Offline: the VM is off, its definition moves",
    };
    let connections = migration.connections.map(|count| match options.compress {
        true => format!("{count}, compressed (zstd)"),
        false => count.to_string(),
    });
    let limit =
        options.bandwidth_mib_s.map_or("The source host's setting".to_owned(), |limit| format!("{limit} MiB/s"));
    let policy = (mode == Mode::Live).then(|| PolicyDefaults::chosen(&options).to_string());
    let policy = policy.map(|policy| view! { <Fact name="Policy">{policy}</Fact> });
    let definition = if options.keep_source_definition { "Kept at the source" } else { "Removed from the source" };
    let evacuation = migration.evacuation.map(|id| {
        view! {
            <Fact name="Part of">
                <a href=format!("/evacuations/{id}")>"An evacuation"</a>
            </Fact>
        }
    });
    let removal = options.remove_source_disks.then(|| view! { <Fact name="Old images">"Deleted at the end"</Fact> });
    view! {
        <section class="card">
            <h2>"Request"</h2>
            <dl class="facts">
                <Fact name="By">{requested_by} ", " <Time ms=created_at_ms /></Fact>
                {evacuation}
                <Fact name="Mode">{how}</Fact>
                {connections.map(|words| view! { <Fact name="Connections">{words}</Fact> })}
                <Fact name="Control flow">{control_flow(&migration)}</Fact>
                {policy}
                <Fact name="Bandwidth limit">{limit}</Fact>
                <Fact name="Definition">{definition}</Fact>
                {options.new_name.map(|name| view! { <Fact name="New name">{name}</Fact> })}
                {removal}
                {disks.into_iter().map(disk).collect_view()}
            </dl>
        </section>
    }
}

/// A disk that is copied, and where to.
fn disk(DiskMove { target, source, pool, volume, .. }: DiskMove) -> impl IntoView {
    view! { <Fact name="Disk">{format!("{target}: {source}, copied to {volume} in the pool {pool}")}</Fact> }
}

/// The control flow, once it is decided: one that fails before anything is sent is followed by another.
fn control_flow(migration: &Migration) -> String {
    let control_flow = match migration.control_flow {
        None => return "not known yet".to_owned(),
        Some(ControlFlow::PeerToPeer) => "Peer-to-peer: the source host connects to the destination",
        Some(ControlFlow::Direct) => "Direct: the console is connected to both hosts",
        Some(ControlFlow::Tunnelled) => "Peer-to-peer, tunnelled through the libvirt daemons",
    };
    format!("{control_flow}; {}encrypted", if migration.encrypted { "" } else { "not " })
}
