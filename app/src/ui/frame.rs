//! What is around every page: where to go, whether the page is live, and what just ended.

use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_location;
use model::{Phase, text};

use crate::failure::Failure;
use crate::live::Link;
use crate::live::Live;
use crate::stream::follow;
use crate::ui::Erased;
use crate::ui::dialog::Asked;
use crate::ui::dialog::Dialog;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::problem::ProblemPage;
use crate::vms::server_fns::read_snapshot;
use crate::vms::server_fns::snapshot;

/// Takes what the server sent with the page, keeps it up to date, and puts the page in its frame.
///
/// Not by a `Resource`: it is in the console's memory, and what pages load would be made inside what waits for it, of which Leptos warns
/// (issue 4866).
#[component]
pub(crate) fn Frame() -> impl IntoView {
    let live = Live::new();
    provide_context(live);
    let page = match read_snapshot(&SharedValue::new_str(snapshot).into_inner()) {
        Ok(snapshot) => {
            live.start_from(snapshot);
            view! { <Page /> }.erased()
        }
        Err(Failure(problem)) => view! { <ProblemPage problem /> }.erased(),
    };
    view! {
        {skip_link()}
        {page}
    }
    .erased()
}

/// The way past the frame, for the keyboard.
pub(crate) fn skip_link() -> AnyView {
    view! {
        <a class="skip" href="#main">
            "Skip to the content"
        </a>
    }
    .erased()
}

#[component]
fn Page() -> impl IntoView {
    let live = expect_context::<Live>();
    follow(live);
    let asked: Asked = RwSignal::new(None);
    provide_context(asked);
    // What was asked or told on one page is no matter of the next.
    let path = use_location().pathname;
    Effect::new(move |before: Option<String>| {
        let now = path.get();
        if before.is_some_and(|before| before != now) {
            asked.set(None);
            live.just_ended.set(None);
        }
        now
    });
    let moving = Memo::new(move |_| live.migrations.count(|migration| !migration.phase.has_ended()));
    let badge = move || {
        (moving.get() > 0).then(|| {
            view! {
                <span class="count">
                    {move || moving.get().to_string()} <span class="hidden">" running"</span>
                </span>
            }
            .erased()
        })
    };
    view! {
        {top(path, view! { "Migrations" {move || badge()} }.erased(), view! { <ConnectionBadge /> }.erased())}
        <main id="main">
            <Outlet />
        </main>
        <Dialog asked />
        <JustEnded />
    }
    .erased()
}

/// The bar at the top: the ways to all pages from the one at `path`, and at its end `badge`.
pub(crate) fn top(path: Memo<String>, migrations: AnyView, badge: AnyView) -> AnyView {
    view! {
        <header class="top">
            <div class="top-inner">
                <a class="brand" href="/">
                    <img src="/icon.svg" alt="" width="28" height="28" />
                    "vmferry"
                </a>
                <nav class="nav" aria-label="Main">
                    {nav_link(path, "/", Icon::Vms, "VMs".into_any())}
                    {nav_link(path, "/migrations", Icon::Migrations, migrations)}
                    {nav_link(path, "/hosts", Icon::Hosts, "Hosts".into_any())}
                    {nav_link(path, "/account", Icon::Account, "Account".into_any())}
                </nav>
                {badge}
            </div>
        </header>
    }
    .erased()
}

/// A way to a page; it says where one is on that page and those below it.
fn nav_link(path: Memo<String>, href: &'static str, icon: Icon, label: AnyView) -> AnyView {
    let is_here = move || {
        let path = path.read();
        path.as_str() == href || (href != "/" && path.starts_with(href))
    };
    view! {
        <a href=href aria-current=move || is_here().then_some("page")>
            <Draw icon />
            {label}
        </a>
    }
    .erased()
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
            {move || word()}
        </span>
    }
    .erased()
}

/// How the migration that ended last has ended, unless its own page is open, which says it already.
#[component]
fn JustEnded() -> impl IntoView {
    let live = expect_context::<Live>();
    let path = use_location().pathname;
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
                        }.erased()
                    })
            }}
        </div>
    }
    .erased()
}
