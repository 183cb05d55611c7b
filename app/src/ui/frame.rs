//! What is around every page: the navigation, whether the page is live, and which migration just ended.

use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::{
    hooks::{use_location, use_query_map},
    params::ParamsMap,
};
use model::{Phase, Scope, StoreOutage, text};

use crate::failure::Failure;
use crate::json::Json;
use crate::live::{Live, StreamState};
use crate::snapshot::snapshot;
use crate::stream::follow;
use crate::ui::{
    dialog::{Asked, Dialog},
    icon::{Draw, Icon},
    problem::{ProblemPage, ProblemText},
    time::{Time, clock},
};

/// Takes the snapshot that the server sent with the page, keeps it up to date, and puts the page in its frame. `scope_of` says what the
/// page at an address shows.
///
/// Not by a `Resource`: the snapshot is in the console's memory, and resources of pages would be made inside a `Suspense`, of which
/// Leptos warns (issue 4866).
#[component]
pub(crate) fn Frame(scope_of: fn(&str, &ParamsMap) -> Scope) -> impl IntoView {
    let (path, query) = (use_location().pathname, use_query_map());
    let scope = Memo::new(move |_| scope_of(&path.read(), &query.read()));
    let live = Live::new(scope.get_untracked());
    provide_context(live);
    let load = || snapshot(&live.scope.read_untracked());
    let page = match SharedValue::<_, Json>::new_with_encoding(load).into_inner() {
        Ok(snapshot) => {
            live.start_from(snapshot);
            Effect::new(move |_| live.turn_to(scope.get()));
            view! { <Page /> }.into_any()
        }
        Err(Failure(problem)) => view! { <ProblemPage problem /> }.into_any(),
    };
    view! {
        <SkipLink />
        {page}
    }
}

/// Skips the navigation, for the keyboard.
#[component]
pub(crate) fn SkipLink() -> impl IntoView {
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
    }
}

#[component]
fn Page() -> impl IntoView {
    let live = expect_context::<Live>();
    follow(live);
    let asked: Asked = RwSignal::new(None);
    provide_context(asked);
    // A question or note of one page is closed on the next.
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            asked.set(None);
            live.just_ended.set(None);
        }
        now
    });
    let running = Memo::new(move |_| live.summary.read().running);
    view! {
        <Navigation path running>
            <StreamBadge />
        </Navigation>
        <main id="main">
            <StoreBanner />
            <Outlet />
        </main>
        <Dialog asked />
        <JustEnded />
    }
}

/// The bar at the top: links to all pages, and at its end `children`.
#[component]
pub(crate) fn Navigation(
    /// Where this page is.
    #[prop(into)]
    path: Signal<String>,
    /// How many migrations run.
    #[prop(into)]
    running: Signal<u32>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="top">
            <div class="top-inner">
                <a class="brand" href="/">
                    <img src="/icon.svg" alt="" width="28" height="28" />
                    "vmferry"
                </a>
                <nav class="nav" aria-label="Main">
                    <NavLink path href="/" icon=Icon::Vms>"VMs"</NavLink>
                    <NavLink path href="/migrations" icon=Icon::Migrations>
                        "Migrations"
                        <Show when=move || { running.get() > 0 }>
                            <span class="count">
                                {move || running.get().to_string()} <span class="hidden">" running"</span>
                            </span>
                        </Show>
                    </NavLink>
                    <NavLink path href="/hosts" icon=Icon::Hosts>"Hosts"</NavLink>
                    <NavLink path href="/account" icon=Icon::Account is_document=true>"Account"</NavLink>
                </nav>
                {children.map(|children| children())}
            </div>
        </header>
    }
}

/// A link of the navigation; it is marked on its page and on those below it.
#[component]
fn NavLink(
    path: Signal<String>,
    href: &'static str,
    icon: Icon,
    /// Whether it leads to a page that is rendered on the server only.
    #[prop(optional)]
    is_document: bool,
    children: Children,
) -> impl IntoView {
    let is_here = move || {
        let path = path.read();
        path.as_str() == href || (href != "/" && path.starts_with(href))
    };
    view! {
        <a href=href rel=is_document.then_some("external") aria-current=move || is_here().then_some("page")>
            <Draw icon />
            {children()}
        </a>
    }
}

/// Whether the page follows the console.
#[component]
fn StreamBadge() -> impl IntoView {
    let stream = expect_context::<Live>().stream;
    let word = move || match stream.get() {
        StreamState::Opening => "",
        StreamState::Live => "live",
        StreamState::Lost => "reconnecting",
    };
    // What the page shows is as old as the connection has been lost.
    let since = RwSignal::new(String::new());
    Effect::new(move |_| {
        if stream.get() == StreamState::Lost {
            since.set(clock());
        }
    });
    view! {
        <span class="badge" role="status" data-stream=word>
            {move || match stream.get() {
                StreamState::Lost => format!("reconnecting… (shown: {})", since.get()),
                _ => word().to_owned(),
            }}
        </span>
    }
}

/// That the console can't write its database now, on every page.
#[component]
fn StoreBanner() -> impl IntoView {
    let outage = expect_context::<Live>().store_outage;
    let banner = move || {
        outage.get().map(|StoreOutage { since_ms, problem }| {
            view! {
                <div class="note note-warn">
                    <Draw icon=Icon::Warning />
                    <div class="note-text">
                        <p class="what">
                            <strong>"vmferry can't write its database"</strong>
                            " since "
                            <Time ms=since_ms />
                            ". Migrations under way go on; new ones can't be started."
                        </p>
                        <ProblemText problem />
                    </div>
                </div>
            }
        })
    };
    view! {
        <div class="banners" role="alert">
            {banner}
        </div>
    }
}

/// The result of the migration that ended last, unless its own page is open, which shows it already.
#[component]
fn JustEnded() -> impl IntoView {
    let live = expect_context::<Live>();
    let path = use_location().pathname;
    let ended = move || {
        let id = live.just_ended.get()?;
        (path.get() != format!("/migrations/{id}")).then(|| live.migrations.value(&id)).flatten()
    };
    let note = move || {
        ended().map(|migration| {
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
    };
    view! {
        <div class="toast" role="status">
            {note}
        </div>
    }
}
