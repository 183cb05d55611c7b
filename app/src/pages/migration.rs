//! `/migrations/{id}`: one migration, live while it runs and kept when it has ended.

use leptos::{prelude::*, task::spawn_local};
use leptos_meta::Title;
use model::{Migration, MigrationEvent, MigrationId, Mode, Phase, text};

use crate::api::{Failure, migrations::load_migration};
use crate::components::{
    cancel_form::CancelForm,
    icon::{Draw, Icon},
    modal::Modal,
    problem::{ProblemPage, ProblemText},
    progress::{Bar, PhaseBadge, Way, percent_memo},
    time::{Elapsed, Time},
};
use crate::live::Live;
use crate::pages::id_in_path;

#[component]
pub(crate) fn MigrationPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let id = id_in_path::<MigrationId>();
    let loaded =
        Resource::new_blocking(move || id.get(), |id| async move { load_migration(id.map_err(Failure)?).await });
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match loaded.await {
                    Ok((migration, events)) => {
                        let id = migration.id;
                        live.learn(migration);
                        view! { <Shown id events /> }.into_any()
                    }
                    Err(Failure(problem)) => view! { <ProblemPage problem /> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
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
            <Title text=title />
            <div class="narrow">
                <p class="back">
                    <a href="/migrations">
                        <Draw icon=Icon::Back />
                        "Migrations"
                    </a>
                </p>
                <h1>
                    {vm_name} " "
                    <Way source destination />
                </h1>
                <Standing migration percent phase />
                <History id events migration />
                <Conditions migration=migration.get_untracked() />
            </div>
        }
        .into_any(),
    )
}

/// How far it is or how it ended.
#[component]
fn Standing(migration: Signal<Migration>, percent: Memo<f64>, phase: Memo<Phase>) -> impl IntoView {
    view! {
        <section class="card big">
            <p class="big-head">
                <span role="status">
                    <PhaseBadge phase />
                </span>
                <span class="big-percent number">{move || text::percent(percent.get())}</span>
            </p>
            <Bar migration percent />
            <Show when=move || phase.get().has_ended() fallback=move || view! { <Running migration /> }>
                <Ended migration />
            </Show>
        </section>
    }
    .into_any()
}

/// A figure and what it is.
#[component]
fn Figure(name: &'static str, children: Children) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{children()}</dd>
        </div>
    }
    .into_any()
}

/// The figures while it runs, and the way to stop it.
#[component]
fn Running(migration: Signal<Migration>) -> impl IntoView {
    let figure = move |read: fn(&Migration) -> String| Memo::new(move |_| read(&migration.read()));
    let moved =
        figure(|m| format!("{} of {}", text::bytes(m.progress.bytes_processed), text::bytes(m.progress.bytes_total)));
    let throughput = figure(|m| text::rate(m.progress.throughput_bytes_s));
    let written = figure(|m| match m.progress.memory_pass {
        0 | 1 => "not measured yet".to_owned(),
        _ => text::rate(m.progress.dirty_bytes_s),
    });
    let pass = figure(|m| m.progress.memory_pass.max(1).to_string());
    let time_left = figure(|m| {
        let range = m.progress.time_left.map(|left| (text::duration(left.low_ms), text::duration(left.high_ms)));
        range.map_or(
            "not known yet".to_owned(),
            |(low, high)| if low == high { low } else { format!("{low} to {high}") },
        )
    });
    let convergence = Memo::new(move |_| text::convergence(&migration.read()));
    let cancel_requested = Memo::new(move |_| migration.read().cancel_requested);
    let asked = RwSignal::new(None);
    let address = format!("/migrations/{}/cancel", migration.read_untracked().id);
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
                        }
                    })
            }}
        </div>
        <dl class="figures">
            <Figure name="Sent">{moved}</Figure>
            <Figure name="Throughput">{throughput}</Figure>
            <Figure name="Guest writes">{written}</Figure>
            <Figure name="Memory pass">{pass}</Figure>
            <Figure name="Running for">
                    <Elapsed migration />
                </Figure>
            <Figure name="Time left">{time_left}</Figure>
        </dl>
        <div class="buttons">
            <Show
                when=move || cancel_requested.get()
                fallback=move || {
                    view! {
                        <a
                            class="button danger"
                            href=address.clone()
                            on:click=move |click| {
                                click.prevent_default();
                                asked.set(Some(migration.get_untracked()));
                            }
                        >
                            "Cancel"
                        </a>
                    }
                }
            >
                <p class="hint">"Cancelling. It is over when the source says so."</p>
            </Show>
        </div>
        <Modal
            asked
            title=Callback::new(|migration: Migration| format!("Cancel the migration of {}?", migration.vm_name))
            body=Callback::new(move |migration| {
                view! { <CancelForm migration close=move |()| asked.set(None) /> }.into_any()
            })
        />
    }
    .into_any()
}

/// The result, in a sentence and in figures.
#[component]
fn Ended(migration: Signal<Migration>) -> impl IntoView {
    move || {
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
                    }
                })}
            {migration
                .outcome
                .map(|outcome| {
                    view! {
                        <dl class="figures">
                            <Figure name="Total time">{text::duration(outcome.total_ms)}</Figure>
                            {outcome
                                .downtime_ms
                                .map(|downtime| {
                                    view! {
                                        <Figure name="VM paused for">{text::duration(downtime)}</Figure>
                                    }
                                })}
                            <Figure name="Sent">{text::bytes(outcome.bytes)}</Figure>
                            <Figure name="On average">{text::rate(outcome.average_bytes_s)}</Figure>
                        </dl>
                    }
                })}
            <div class="buttons">
                {offers_again.then(|| view! { <a class="button primary" href=again>"Try again"</a> })}
                <a class="button" href="/">
                    "Back to the VMs"
                </a>
            </div>
        }
    }
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
                if let Ok((_, newer)) = load_migration(id).await {
                    let _ = events.try_set(newer);
                }
            });
        }
        now
    });
    view! {
        <section class="card">
            <h2>"History"</h2>
            <ol class="history">
                <For each=move || events.get().into_iter().enumerate() key=|(index, event)| (*index, event.at_ms) let((_, event))>
                    <li data-phase=event.phase.as_str()>
                        <Time ms=event.at_ms />
                        <span>{event.text}</span>
                    </li>
                </For>
            </ol>
        </section>
    }
    .into_any()
}

/// What was chosen when it was asked for.
#[component]
fn Conditions(migration: Migration) -> impl IntoView {
    let Migration { requested_by, created_at_ms, mode, options, .. } = migration;
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
                <dt>"By"</dt>
                <dd>{requested_by} ", " <Time ms=created_at_ms /></dd>
                <dt>"Way"</dt>
                <dd>{mode}</dd>
                <dt>"Bandwidth limit"</dt>
                <dd>{limit}</dd>
                <dt>"Definition"</dt>
                <dd>{definition}</dd>
            </dl>
        </section>
    }
    .into_any()
}
