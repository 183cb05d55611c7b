//! `/migrations/{id}`: one migration, live while it runs and kept when it has ended.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use model::{Migration, MigrationEvent, MigrationId, Mode, Phase, TracePoint, text};

use crate::live::Live;
use crate::migrations::{
    history::History,
    picture::Picture,
    progress::{Bar, FromTo, PhaseBadge, percent_memo},
    request::Request,
    result::Ended,
    running::Running,
    server_fns::load_migration,
    steer::SteerCard,
    trace,
};
use crate::ui::{
    form_page::BackLink,
    loaded::{Loaded, page_data},
    title::LiveTitle,
};

#[component]
pub(crate) fn MigrationPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let loaded = page_data(move || params.read().get("id").unwrap_or_default(), load_migration);
    let show = move |(migration, events, points): (Migration, Vec<MigrationEvent>, Vec<TracePoint>)| {
        let id = migration.id;
        live.learn(migration);
        view! { <Shown id events points /> }.into_any()
    };
    view! { <Loaded resource=loaded show /> }
}

#[component]
fn Shown(id: MigrationId, events: Vec<MigrationEvent>, points: Vec<TracePoint>) -> impl IntoView {
    let migration: Signal<Migration> = expect_context::<Live>().migrations.get_untracked(&id)?.into();
    let percent = percent_memo(migration);
    let phase = Memo::new(move |_| migration.read().phase);
    let points = trace::follow(points, migration);
    let Migration { vm_name, source, destination, mode, .. } = migration.get_untracked();
    let is_steered = move || mode == Mode::Live && !phase.get().has_ended();
    let title = {
        let move_ = format!("{vm_name} → {destination}");
        Signal::derive(move || match phase.get() {
            phase if phase.has_ended() => format!("{} · {move_}", phase.label()),
            _ => format!("{} {move_}", text::percent(percent.get())),
        })
    };
    Some(view! {
        <LiveTitle text=title />
        <div class="narrow">
            <BackLink href="/migrations" label="Migrations" />
            <h1>
                {vm_name} " "
                <FromTo source destination />
            </h1>
            <Standing migration percent phase />
            <Picture migration points />
            <Show when=is_steered>
                <SteerCard migration />
            </Show>
            <History id events migration />
            <Request migration />
        </div>
    })
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
}
