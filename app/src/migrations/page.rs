//! `/migrations/{id}`: one migration, live while it runs and kept when it has ended.

use std::time::Duration;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;
use model::{Migration, MigrationId, Mode, Phase, text};

use crate::live::Live;
use crate::migrations::{
    progress::{Bar, FromTo, PhaseBadge, percent_memo},
    result::Ended,
    running::Running,
    server_fns::{MigrationHtml, PictureHtml, load_migration},
    steer::SteerCard,
};
use crate::ui::{
    form_page::BackLink,
    fragment::{Fragment, prepared, version_of},
    loaded::{Loaded, page_data},
    server_form::fields,
    title::LiveTitle,
};

/// How often the picture is drawn anew while the migration runs.
const EVERY: Duration = Duration::from_secs(1);

#[component]
pub(crate) fn MigrationPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    let loaded = page_data(move || params.read().get("id").unwrap_or_default(), load_migration);
    let show = move |migration: Migration| {
        let id = migration.id;
        live.learn(migration);
        view! { <Shown id /> }.into_any()
    };
    view! { <Loaded resource=loaded show /> }
}

#[component]
fn Shown(id: MigrationId) -> impl IntoView {
    let migration: Signal<Migration> = expect_context::<Live>().migrations.get_untracked(&id)?.into();
    let percent = percent_memo(migration);
    let phase = Memo::new(move |_| migration.read().phase);
    let version = version_of(move || {
        let migration = migration.read();
        (
            migration.phase,
            migration.cancel_requested,
            migration.problem.clone(),
            migration.acts.len(),
            migration.control_flow,
        )
    });
    let Migration { vm, vm_name, source, destination, mode, .. } = migration.get_untracked();
    let is_steered = move || mode == Mode::Live && !phase.get().has_ended();
    let title = {
        let move_ = format!("{vm_name} → {destination}");
        Signal::derive(move || match phase.get() {
            phase if phase.has_ended() => format!("{} · {move_}", phase.label()),
            _ => format!("{} {move_}", text::percent(percent.get())),
        })
    };
    let [kept, drawn] = prepared();
    let id_field = move || fields(&[("id", &id.to_string())]);
    let picture = {
        // While data is sent, it grows; what was done about it is in it at once.
        let version = version_of(move || (phase.get(), migration.read().acts.len()));
        let every = (!phase.get_untracked().has_ended()).then_some(EVERY);
        view! { <Fragment path=PictureHtml::PATH fields=id_field() version every html=drawn /> }
    };
    Some(view! {
        <LiveTitle text=title />
        <div class="narrow">
            <BackLink href="/migrations" label="Migrations" />
            <h1>
                <a class="of-vm" href=format!("/vms/{vm}")>
                    {vm_name}
                </a>
                " "
                <FromTo source destination />
            </h1>
            <Standing migration percent phase />
            {picture}
            <Show when=is_steered>
                <SteerCard migration />
            </Show>
            <Fragment path=MigrationHtml::PATH fields=id_field() version every=None html=kept />
        </div>
    })
}

/// How far it is or how it ended.
#[component]
fn Standing(migration: Signal<Migration>, percent: Memo<f64>, phase: Memo<Phase>) -> impl IntoView {
    let opened_running = !phase.get_untracked().has_ended();
    view! {
        <section class="card big" class:opened-running=opened_running>
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
