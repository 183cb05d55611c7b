//! What is around every page: where to go, whether the page is live, and what just ended.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::{A, Outlet};
use leptos_router::hooks::use_location;
use model::{Phase, text};

use crate::api::{Failure, vms::load_snapshot};
use crate::components::{
    icon::{Draw, Icon},
    problem::ProblemPage,
};
use crate::live::{Link, Live};
use crate::stream::follow;

/// Loads what the pages show, keeps it up to date, and puts the page in its frame.
#[component]
pub(crate) fn Frame() -> impl IntoView {
    let live = Live::new();
    provide_context(live);
    let snapshot = Resource::new_blocking(|| (), |()| load_snapshot());
    view! {
        <a class="skip" href="#main">
            "Skip to the content"
        </a>
        <Suspense>
            {move || Suspend::new(async move {
                match snapshot.await {
                    Ok(snapshot) => {
                        live.start_from(snapshot);
                        view! { <Page /> }.into_any()
                    }
                    Err(Failure(problem)) => view! { <main id="main"><ProblemPage problem /></main> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Page() -> impl IntoView {
    let live = expect_context::<Live>();
    follow(live);
    let moving = Memo::new(move |_| live.migrations.values().iter().filter(|m| !m.phase.has_ended()).count());
    view! {
        <header class="top">
            <div class="top-inner">
                <a class="brand" href="/">
                    <img src="/icon.svg" alt="" width="28" height="28" />
                    "vmferry"
                </a>
                <nav class="nav" aria-label="Main">
                    <A href="/" exact=true>
                        <Draw icon=Icon::Vms />
                        "VMs"
                    </A>
                    <A href="/migrations">
                        <Draw icon=Icon::Migrations />
                        "Migrations"
                        <Show when=move || { moving.get() > 0 }>
                            <span class="count">
                                {moving} <span class="hidden">" running"</span>
                            </span>
                        </Show>
                    </A>
                    <A href="/hosts">
                        <Draw icon=Icon::Hosts />
                        "Hosts"
                    </A>
                    <A href="/account">
                        <Draw icon=Icon::Account />
                        "Account"
                    </A>
                </nav>
                <ConnectionBadge />
            </div>
        </header>
        <main id="main" tabindex="-1">
            <Outlet />
        </main>
        <JustEnded />
    }
    .into_any()
}

/// Whether what is shown is what is.
#[component]
fn ConnectionBadge() -> impl IntoView {
    let link = expect_context::<Live>().link;
    let word = move || match link.get() {
        Link::Opening => "",
        Link::Live => "live",
        Link::Lost => "reconnecting…",
    };
    view! {
        <span class="badge" role="status" data-link=move || word().trim_end_matches('…')>
            {word}
        </span>
    }
    .into_any()
}

/// How the migration that ended last has ended, unless its own page is open, which says it already.
#[component]
fn JustEnded() -> impl IntoView {
    let live = expect_context::<Live>();
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            live.just_ended.set(None);
        }
        now
    });
    let ended = move || {
        let id = live.just_ended.get()?;
        (path.get() != format!("/migrations/{id}")).then(|| live.migrations.value(&id)).flatten()
    };
    view! {
        <div class="toast" role="status">
            {move || {
                ended()
                    .map(|migration| {
                        let good = migration.phase == Phase::Succeeded || migration.phase == Phase::Cancelled;
                        view! {
                            <div class="note" class:note-good=good class:note-bad=!good>
                                <p class="note-text">
                                    {text::summary(&migration)} " "
                                    <a href=format!("/migrations/{}", migration.id)>"Details"</a>
                                </p>
                                <button
                                    type="button"
                                    class="icon-button"
                                    aria-label="Dismiss"
                                    on:click=move |_| live.just_ended.set(None)
                                >
                                    <Draw icon=Icon::Close />
                                </button>
                            </div>
                        }
                    })
            }}
        </div>
    }
    .into_any()
}

/// A page's heading and title, with a way back to where it belongs.
#[component]
pub(crate) fn Heading(#[prop(into)] title: String, back: &'static str, back_label: &'static str) -> impl IntoView {
    view! {
        <Title text=title.clone() />
        <p class="back">
            <a href=back>
                <Draw icon=Icon::Back />
                {back_label}
            </a>
        </p>
        <h1>{title}</h1>
    }
    .into_any()
}
