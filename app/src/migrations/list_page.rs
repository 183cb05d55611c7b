//! `/migrations`: all migrations, newest first.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use model::{Migration, MigrationId, text};

use crate::live::Live;
use crate::migrations::progress::Bar;
use crate::migrations::progress::FromTo;
use crate::migrations::progress::PhaseBadge;
use crate::migrations::progress::percent_memo;
use crate::migrations::server_fns::ListMigrations;
use crate::migrations::server_fns::PAGE;
use crate::ui::Erased;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::keyed;
use crate::ui::loaded::loaded;
use crate::ui::time::Elapsed;
use crate::ui::time::Time;

#[component]
pub(crate) fn MigrationsPage() -> impl IntoView {
    let params = use_query_map();
    let before = Memo::new(move |_| params.read().get("before").and_then(|id| id.parse::<MigrationId>().ok()));
    let fields = move || before.get().map_or_else(String::new, |id| format!("before={id}"));
    let show = move |page| view! { <Listed page is_first=before.get_untracked().is_none() /> }.erased();
    view! {
        <Title text="Migrations" />
        <h1>"Migrations"</h1>
        {loaded::<ListMigrations>(fields, show)}
    }
    .erased()
}

/// One page of the list. The first one grows while it is open.
#[component]
fn Listed(page: Vec<Migration>, is_first: bool) -> impl IntoView {
    let live = expect_context::<Live>();
    let ids: Vec<MigrationId> = page.iter().map(|migration| migration.id).collect();
    let next = (ids.len() == PAGE as usize).then(|| ids.last().copied()).flatten();
    page.into_iter().for_each(|migration| live.learn(migration));
    let newest = ids.first().copied();
    let shown = Callback::new(move |()| {
        let newer =
            live.migrations.keys().into_iter().rev().filter(|id| is_first && newest.is_none_or(|newest| *id > newest));
        newer.chain(ids.iter().copied()).collect::<Vec<_>>()
    });
    let is_empty = Memo::new(move |_| shown.run(()).is_empty());
    let list = move || {
        if is_empty.get() { view! { <NoMigrations /> }.erased() } else { view! { <Table shown /> }.erased() }
    };
    view! {
        {move || list()}
        <nav class="pages" aria-label="Pages">
            {(!is_first).then(|| view! { <a class="button" href="/migrations">"Newest"</a> }.erased())}
            {next.map(|id| view! { <a class="button" href=format!("/migrations?before={id}")>"Older"</a> }.erased())}
        </nav>
    }
    .erased()
}

#[component]
fn Table(shown: Callback<(), Vec<MigrationId>>) -> impl IntoView {
    view! {
        <table role="table" class="table migrations">
            <caption class="hidden">"Migrations, newest first"</caption>
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader">"VM"</th>
                    <th role="columnheader">"From and to"</th>
                    <th role="columnheader">"Result"</th>
                    <th role="columnheader" class="number">"Took"</th>
                    <th role="columnheader">"Asked for"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">
                {keyed(move || shown.run(()), |id| view! { <Row id /> }.erased())}
            </tbody>
        </table>
    }
    .erased()
}

#[component]
fn Row(id: MigrationId) -> impl IntoView {
    let migration: Signal<Migration> = expect_context::<Live>().migrations.get_untracked(&id)?.into();
    let phase = Memo::new(move |_| migration.read().phase);
    let percent = percent_memo(migration);
    let Migration { vm_name, source, destination, requested_by, created_at_ms, .. } = migration.get_untracked();
    let has_ended = Memo::new(move |_| phase.get().has_ended());
    let standing = move || {
        if has_ended.get() {
            return view! { <PhaseBadge phase /> }.erased();
        }
        view! {
            <span class="moving">
                <span class="moving-text">
                    <span class="now">{move || phase.get().label()}</span>
                    <span class="number">{move || text::percent(percent.get())}</span>
                </span>
                <Bar migration percent />
            </span>
        }
        .erased()
    };
    Some(
        view! {
            <tr role="row">
                <th role="rowheader">
                    <a href=format!("/migrations/{id}")>{vm_name}</a>
                </th>
                <td role="cell"><FromTo source destination /></td>
                <td role="cell">{move || standing()}</td>
                <td role="cell" class="number">
                    <Elapsed migration />
                </td>
                <td role="cell" class="asked">
                    <Time ms=created_at_ms /> <small class="by">{format!(" by {requested_by}")}</small>
                </td>
            </tr>
        }
        .erased(),
    )
}

#[component]
fn NoMigrations() -> impl IntoView {
    view! {
        <div class="empty">
            <Draw icon=Icon::Migrations />
            <h2>"Nothing was moved yet"</h2>
            <p>"Every migration is kept here, with what it took and how it ended. Press Migrate beside a VM to begin the first."</p>
            <p>
                <a class="button" href="/">
                    "Look at the VMs"
                </a>
            </p>
        </div>
    }
    .erased()
}
