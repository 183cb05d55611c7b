//! The document, and which page is at which address.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    any_nested_route::IntoAnyNestedRoute,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::evacuations::page::EvacuationPage;
use crate::hosts::page::HostsPage;
#[cfg(feature = "ssr")]
use crate::migrations::{cancel_page::CancelPage, steer::page::SteerPage, step_page::StepPage};
use crate::migrations::{list_page::MigrationsPage, migrate_page::MigratePage, page::MigrationPage};
use crate::scope;
#[cfg(feature = "ssr")]
use crate::ui::document::{Assets, Head, HelpLine, SimulatedLine};
#[cfg(not(feature = "ssr"))]
use crate::ui::not_found::NotFound;
use crate::ui::{frame::Frame, not_found::NotFoundPage};
#[cfg(feature = "ssr")]
use crate::vms::action_page::VmActionPage;
use crate::vms::{host_page::HostPage, page::VmsPage, vm_page::VmPage};

/// The HTML document around [`App`]. Expects [`Assets`] and Leptos' nonce in the context.
#[cfg(feature = "ssr")]
pub fn shell() -> impl IntoView {
    let Assets { js, wasm, css, simulated } = expect_context();
    let nonce = leptos::nonce::use_nonce();
    let start =
        format!("import init, {{ hydrate }} from \"{js}\";\nawait init({{ module_or_path: \"{wasm}\" }});\nhydrate();");
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <Head css>
                {(!is_form_page())
                    .then(|| {
                        view! {
                            <link rel="modulepreload" href=js nonce=nonce.clone() />
                            <link
                                rel="preload"
                                href=wasm
                                r#as="fetch"
                                r#type="application/wasm"
                                crossorigin="anonymous"
                            />
                            <script type="module" nonce=nonce>
                                {start}
                            </script>
                        }
                    })}
                <leptos_meta::MetaTags />
                {refresh()}
            </Head>
            <body>
                <App />
                {(!is_at(|path| path == ["login"])).then(|| view! { <HelpLine /> })}
                <SimulatedLine simulated />
            </body>
        </html>
    }
}

/// Whether it is one of [`FormPages`].
#[cfg(feature = "ssr")]
fn is_form_page() -> bool {
    is_at(|path| match path {
        ["vms", _, action] => *action != "migrate",
        path => matches!(path, ["migrations", _, _]),
    })
}

/// Whether the address of the page is like this.
#[cfg(feature = "ssr")]
fn is_at(is_like: impl FnOnce(&[&str]) -> bool) -> bool {
    use_context::<axum::http::request::Parts>().is_some_and(|parts| {
        let path: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
        is_like(&path)
    })
}

/// Without WASM a page that shows what changes is loaded again every few seconds; one with fields is not.
#[cfg(feature = "ssr")]
fn refresh() -> Option<impl IntoView> {
    let changes = is_at(|path| matches!(path, [] | ["migrations"] | ["migrations" | "evacuations", _]));
    changes.then(|| view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="10">"#></noscript> })
}

/// Questions as pages, for browsers without WASM and for links: with it a dialog asks. The browser has no program for them, and they
/// have no script.
#[component(transparent)]
fn FormPages() -> impl MatchNestedRoutes + Clone {
    #[cfg(feature = "ssr")]
    let pages = view! {
        <Route path=path!("/vms/:id/:action") view=VmActionPage ssr=SsrMode::Async />
        <Route path=path!("/migrations/:id/cancel") view=CancelPage ssr=SsrMode::Async />
        <Route path=path!("/migrations/:id/steer") view=SteerPage ssr=SsrMode::Async />
        <Route path=path!("/migrations/:id/step") view=StepPage ssr=SsrMode::Async />
    }
    .into_inner();
    // Some route has to be here: none (a unit) would take every address.
    #[cfg(not(feature = "ssr"))]
    let pages = view! { <Route path=path!("/vms/:id/:action") view=NotFound /> }.into_inner();
    pages.into_any_nested_route()
}

/// All pages. Each is rendered before anything is sent (`SsrMode::Async`): its data is in the console's memory, and a status code can
/// still be set.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title text="vmferry" formatter=|page| if page == "vmferry" { page } else { format!("{page} · vmferry") } />
        <Router>
            <Routes fallback=NotFoundPage>
                <ParentRoute path=path!("") view=|| view! { <Frame scope_of=scope::of_page /> } ssr=SsrMode::Async>
                    <Route path=path!("/") view=VmsPage ssr=SsrMode::Async />
                    <Route path=path!("/vms/:id") view=VmPage ssr=SsrMode::Async />
                    <Route path=path!("/vms/:id/migrate") view=MigratePage ssr=SsrMode::Async />
                    <FormPages />
                    <Route path=path!("/migrations") view=MigrationsPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations/:id") view=MigrationPage ssr=SsrMode::Async />
                    <Route path=path!("/evacuations/:id") view=EvacuationPage ssr=SsrMode::Async />
                    <Route path=path!("/hosts") view=HostsPage ssr=SsrMode::Async />
                    <Route path=path!("/hosts/:name") view=HostPage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
