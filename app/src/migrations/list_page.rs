//! `/migrations`: all migrations, newest first.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{Migration, MigrationId, text};

use crate::live::Live;
use crate::migrations::{
    progress::{Bar, FromTo, PhaseBadge, percent_memo},
    server_fns::{PAGE, list_migrations},
};
use crate::ui::{
    icon::{Draw, Icon},
    loaded::{Loaded, page_data},
    time::{Elapsed, Time},
};

#[component]
pub(crate) fn MigrationsPage() -> impl IntoView {
    let params = use_query_map();
    let before = Memo::new(move |_| params.read().get("before").and_then(|id| id.parse::<MigrationId>().ok()));
    let loaded = page_data(move || before.get(), list_migrations);
    let show = move |page| view! { <Listed page is_first=before.get_untracked().is_none() /> }.into_any();
    view! {
        <Title text="Migrations" />
        <div class="row">
            <h1>"Migrations"</h1>
            <a class="button" href="/predictions" rel="external">
                "Predictions"
            </a>
        </div>
        <Loaded resource=loaded show />
    }
}

/// One page of the list. The first one grows while it is open.
#[component]
fn Listed(page: Vec<Migration>, is_first: bool) -> impl IntoView {
    let live = expect_context::<Live>();
    let ids: Vec<MigrationId> = page.iter().map(|migration| migration.id).collect();
    let next = (ids.len() == PAGE as usize).then(|| ids.last().copied()).flatten();
    page.into_iter().for_each(|migration| live.learn(migration));
    let newest = ids.first().copied();
    let shown = Memo::new(move |_| {
        let newer =
            live.migrations.keys().into_iter().rev().filter(|id| is_first && newest.is_none_or(|newest| *id > newest));
        newer.chain(ids.iter().copied()).collect::<Vec<_>>()
    });
    view! {
        <Show when=move || !shown.read().is_empty() fallback=NoMigrations>
            <Table shown />
        </Show>
        <nav class="pages" aria-label="Pages">
            {(!is_first).then(|| view! { <a class="button" href="/migrations">"Newest"</a> })}
            {next.map(|id| view! { <a class="button" href=format!("/migrations?before={id}")>"Older"</a> })}
        </nav>
    }
}

#[component]
fn Table(shown: Memo<Vec<MigrationId>>) -> impl IntoView {
    view! {
        <table role="table" class="table migrations">
            <caption class="hidden">"Migrations, newest first"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader">"VM"</th>
                    <th role="columnheader">"From and to"</th>
                    <th role="columnheader">"Result"</th>
                    <th role="columnheader" class="number">"Duration"</th>
                    <th role="columnheader">"Requested"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                <For each=move || shown.get() key=|id| *id let:id>
                    <Row id />
                </For>
            </tbody>
        </table>
    }
}

#[component]
fn Row(id: MigrationId) -> impl IntoView {
    let migration: Signal<Migration> = expect_context::<Live>().migrations.get_untracked(&id)?.into();
    let phase = Memo::new(move |_| migration.read().phase);
    let percent = percent_memo(migration);
    let Migration { vm_name, source, destination, requested_by, created_at_ms, .. } = migration.get_untracked();
    let running = move || {
        view! {
            <span class="moving">
                <span class="moving-text">
                    <span class="now">{move || phase.get().label()}</span>
                    <span class="number">{move || text::percent(percent.get())}</span>
                </span>
                <Bar migration percent />
            </span>
        }
    };
    Some(view! {
        <tr role="row">
            <th role="rowheader">
                <a href=format!("/migrations/{id}")>{vm_name}</a>
            </th>
            <td role="cell"><FromTo source destination /></td>
            <td role="cell">
                <Show when=move || phase.get().has_ended() fallback=running>
                    <PhaseBadge phase />
                </Show>
            </td>
            <td role="cell" class="number">
                <Elapsed migration />
            </td>
            <td role="cell" class="requested">
                <Time ms=created_at_ms /> <small class="by">{format!(" by {requested_by}")}</small>
            </td>
        </tr>
    })
}

#[component]
fn NoMigrations() -> impl IntoView {
    view! {
        <div class="empty">
            <Draw icon=Icon::Migrations />
            <h2>"No migrations yet"</h2>
            <p>"Every migration is kept here, with its duration and its result. Press Migrate beside a VM to start one."</p>
            <p>
                <a class="button" href="/">
                    "Show the VMs"
                </a>
            </p>
        </div>
    }
}
