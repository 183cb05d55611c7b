//! `/migrations/{id}`: one migration, live while it runs and kept when it has ended.

use leptos::{prelude::*, server_fn::ServerFn, task::spawn_local};
use leptos_router::{hooks::use_params_map, params::ParamsMap};
use model::{
    ControlFlow, DiskMove, Host, Migration, MigrationEvent, MigrationId, Mode, Outcome, Phase, Progress, text,
};

use crate::hosts::page::button;
use crate::hosts::page::wants_login;
use crate::live::Live;
use crate::migrations::progress::Bar;
use crate::migrations::progress::FromTo;
use crate::migrations::progress::PhaseBadge;
use crate::migrations::progress::percent_memo;
use crate::migrations::server_fns::LoadMigration;
use crate::ui::Erased;
use crate::ui::dialog::Asked;
use crate::ui::dialog::instead_of_link;
use crate::ui::dynamic;
use crate::ui::figure::entry;
use crate::ui::figure::figure;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::load::call;
use crate::ui::loaded::fields_with_id;
use crate::ui::loaded::loaded;
use crate::ui::problem::ProblemText;
use crate::ui::question::Question;
use crate::ui::time::Elapsed;
use crate::ui::time::Time;
use crate::ui::title as page_title;

type Loaded = <LoadMigration as ServerFn>::Output;

#[component]
pub(crate) fn MigrationPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let fields = move || fields_with_id(&params.read(), ParamsMap::new());
    loaded::<LoadMigration>(fields, move |(migration, events)| {
        let id = migration.id;
        live.learn(migration);
        view! { <Shown id events /> }.erased()
    })
}

#[component]
fn Shown(id: MigrationId, events: Vec<MigrationEvent>) -> impl IntoView {
    let migration: Signal<Migration> = expect_context::<Live>().migrations.get_untracked(&id)?.into();
    let percent = percent_memo(migration);
    let phase = Memo::new(move |_| migration.read().phase);
    let Migration { vm_name, source, destination, .. } = migration.get_untracked();
    let title = {
        let way = format!("{vm_name} → {destination}");
        move || match phase.get() {
            phase if phase.has_ended() => format!("{} · {way}", phase.label()),
            _ => format!("{} {way}", text::percent(percent.get())),
        }
    };
    Some(
        view! {
            {page_title(title)}
            <div class="narrow">
                <p class="back">
                    <a href="/migrations">
                        <Draw icon=Icon::Back />
                        "Migrations"
                    </a>
                </p>
                <h1>
                    {vm_name} " "
                    <FromTo source destination />
                </h1>
                <Standing migration percent phase />
                <History id events migration />
                <Conditions migration />
            </div>
        }
        .erased(),
    )
}

/// How far it is or how it ended.
#[component]
fn Standing(migration: Signal<Migration>, percent: Memo<f64>, phase: Memo<Phase>) -> impl IntoView {
    let has_ended = Memo::new(move |_| phase.get().has_ended());
    let figures = move || {
        if has_ended.get() { view! { <Ended migration /> }.erased() } else { view! { <Running migration /> }.erased() }
    };
    view! {
        <section class="card big">
            <p class="big-head">
                <span role="status">
                    <PhaseBadge phase />
                </span>
                <span class="big-percent number">{move || text::percent(percent.get())}</span>
            </p>
            <Bar migration percent />
            {move || figures()}
        </section>
    }
    .erased()
}

/// The figures while it runs, and the way to stop it.
#[component]
fn Running(migration: Signal<Migration>) -> impl IntoView {
    let progress = move |name, words: fn(&Progress) -> String| figure(name, move || words(&migration.read().progress));
    let convergence = Memo::new(move |_| text::convergence(&migration.read()));
    // While it waits for a host, whoever cancelled before can give up.
    let cancel_requested = Memo::new(move |_| migration.read().cancel_requested && migration.read().problem.is_none());
    let (asked, live) = (expect_context::<Asked>(), expect_context::<Live>());
    let id = migration.read_untracked().id;
    let cancel = move || {
        if cancel_requested.get() {
            return view! { <p class="hint">"Cancelling. It is over when the source says so."</p> }.erased();
        }
        view! {
            <a
                class="button danger"
                href=Question::Cancel(id).address()
                on:click=move |click| instead_of_link(&click, || asked.set(Some(Question::Cancel(id))))
            >
                "Cancel"
            </a>
        }
        .erased()
    };
    view! {
        <div role="status">
            {move || {
                convergence
                    .get()
                    .map(|sentence| {
                        view! {
                            <div class="note note-warn">
                                <Draw icon=Icon::Warning />
                                <p class="note-text">{sentence}</p>
                            </div>
                        }.erased()
                    })
            }}
        </div>
        <dl class="figures">
            {progress("Sent", |p| format!("{} of {}", text::bytes(p.bytes_processed), text::bytes(p.bytes_total)))}
            {progress("Throughput", |p| text::rate(p.throughput_bytes_s))}
            {progress("Guest writes", written)}
            {progress("Memory pass", |p| p.memory_pass.max(1).to_string())}
            {entry("Running for", view! { <Elapsed migration /> }.erased())}
            {progress("Time left", time_left)}
        </dl>
        <div class="buttons">
            {dynamic(move || logins(live, &migration.read()))}
            {move || cancel()}
        </div>
    }
    .erased()
}

/// The way to log in at a host that has to be asked, and answers only to that.
fn logins(live: Live, migration: &Migration) -> AnyView {
    let hosts = [&migration.source, &migration.destination].into_iter().filter_map(|name| live.hosts.value(name));
    let login = |host: Host| {
        let page = format!("/hosts/{}/login?next=/migrations/{}", host.name, migration.id);
        button(page, format!("Log in at {}", host.name), true)
    };
    hosts.filter(wants_login).map(login).collect::<Vec<_>>().into_any()
}

fn written(progress: &Progress) -> String {
    match progress.memory_pass {
        0 | 1 => "not measured yet".to_owned(),
        _ => text::rate(progress.dirty_bytes_s),
    }
}

fn time_left(progress: &Progress) -> String {
    match progress.time_left.map(|left| (text::duration(left.low_ms), text::duration(left.high_ms))) {
        None => "not known yet".to_owned(),
        Some((low, high)) if low == high => low,
        Some((low, high)) => format!("{low} to {high}"),
    }
}

/// The result, in a sentence and in figures.
#[component]
fn Ended(migration: Signal<Migration>) -> impl IntoView {
    dynamic(move || {
        let migration = migration.get();
        let summary = text::summary(&migration);
        let again = format!("/vms/{}/migrate", migration.vm);
        let offers_again = matches!(migration.phase, Phase::Failed | Phase::Cancelled);
        view! {
            <p class="result">{summary}</p>
            {migration
                .problem
                .map(|problem| {
                    view! {
                        <div class="note note-bad">
                            <Draw icon=Icon::Warning />
                            <div class="note-text">
                                <ProblemText problem />
                            </div>
                        </div>
                    }.erased()
                })}
            {migration.outcome.map(figures_of)}
            <div class="buttons">
                {offers_again.then(|| view! { <a class="button primary" href=again>"Try again"</a> }.erased())}
                <a class="button" href="/">
                    "Back to the VMs"
                </a>
            </div>
        }
        .erased()
    })
}

fn figures_of(outcome: Outcome) -> AnyView {
    let Outcome { total_ms, downtime_ms, bytes, average_bytes_s } = outcome;
    view! {
        <dl class="figures">
            {figure("Total time", move || text::duration(total_ms))}
            {downtime_ms.map(|ms| figure("VM paused for", move || text::duration(ms)))}
            {figure("Sent", move || text::bytes(bytes))}
            {figure("On average", move || text::rate(average_bytes_s))}
        </dl>
    }
    .erased()
}

/// What happened, in order. Asked for again whenever something has.
#[component]
fn History(id: MigrationId, events: Vec<MigrationEvent>, migration: Signal<Migration>) -> impl IntoView {
    let events = RwSignal::new(events);
    let stage = Memo::new(move |_| {
        let migration = migration.read();
        (migration.phase, migration.cancel_requested)
    });
    Effect::new(move |before: Option<(Phase, bool)>| {
        let now = stage.get();
        if before.is_some_and(|before| before != now) {
            spawn_local(async move {
                // A history that can't be had now is asked for again at the next phase.
                let answer = call::<LoadMigration>(format!("id={id}")).await;
                if let Some((_, newer)) = answer.ok().and_then(|json| serde_json::from_str::<Loaded>(&json).ok()) {
                    let _ = events.try_set(newer);
                }
            });
        }
        now
    });
    let entry = |event: MigrationEvent| {
        view! {
            <li>
                <Time ms=event.at_ms />
                <span class="event">{event.text}</span>
            </li>
        }
        .erased()
    };
    let entries = move || events.get().into_iter().map(entry).collect::<Vec<_>>().into_any();
    view! {
        <section class="card">
            <h2>"History"</h2>
            <ol class="history">
                {move || entries()}
            </ol>
        </section>
    }
    .erased()
}

/// A disk that is copied, and where to.
fn disk(DiskMove { target, source, pool, volume, .. }: DiskMove) -> AnyView {
    entry("Disk", format!("{target}: {source}, copied to {volume} in the pool {pool}").into_any())
}

/// Which way it goes, once that is decided: a way that fails before anything is sent is followed by another.
fn control_flow(migration: &Migration) -> String {
    let control_flow = match migration.control_flow {
        None => return "not known yet".to_owned(),
        Some(ControlFlow::PeerToPeer) => "Peer-to-peer: the source drives it",
        Some(ControlFlow::Direct) => "Direct: the console drives it",
        Some(ControlFlow::Tunnelled) => "Tunnelled through libvirt",
    };
    format!("{control_flow}; {}encrypted", if migration.encrypted { "" } else { "not " })
}

/// What was chosen when it was asked for.
#[component]
fn Conditions(migration: Signal<Migration>) -> impl IntoView {
    let Migration { requested_by, created_at_ms, mode, options, disks, .. } = migration.get_untracked();
    let mode = match mode {
        Mode::Live => "Live: the VM goes on while its memory moves",
        Mode::Offline => "Offline: the VM is off, its definition moves",
    };
    let limit =
        options.bandwidth_mib_s.map_or("The source host's setting".to_owned(), |limit| format!("{limit} MiB/s"));
    let definition = if options.keep_source_definition { "Kept at the source" } else { "Removed from the source" };
    view! {
        <section class="card">
            <h2>"As asked for"</h2>
            <dl class="facts">
                {entry("By", view! { {requested_by} ", " <Time ms=created_at_ms /> }.erased())}
                {entry("Mode", mode.into_any())}
                {figure("Control flow", move || control_flow(&migration.read()))}
                {entry("Bandwidth limit", limit.into_any())}
                {entry("Definition", definition.into_any())}
                {options.new_name.map(|name| entry("New name", name.into_any()))}
                {options.remove_source_disks.then(|| entry("Old images", "Deleted at the end".into_any()))}
                {disks.into_iter().map(disk).collect::<Vec<_>>()}
            </dl>
        </section>
    }
    .erased()
}
