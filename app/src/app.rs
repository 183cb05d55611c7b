//! The document, and which page is at which address.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::account::login_page::LoginPage;
use crate::hosts::page::HostsPage;
use crate::migrations::{
    cancel_page::CancelPage, list_page::MigrationsPage, migrate_page::MigratePage, page::MigrationPage,
    steer::page::SteerPage, step_page::StepPage,
};
use crate::scope;
#[cfg(feature = "ssr")]
use crate::ui::document::{Assets, Head, SimulatedLine};
use crate::ui::{frame::Frame, not_found::NotFoundPage};
use crate::vms::{action_page::VmActionPage, host_page::HostPage, page::VmsPage, vm_page::VmPage};

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
                <link rel="modulepreload" href=js nonce=nonce.clone() />
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                <leptos_meta::MetaTags />
                {refresh()}
                <script type="module" nonce=nonce>
                    {start}
                </script>
            </Head>
            <body>
                <App />
                <SimulatedLine simulated />
            </body>
        </html>
    }
}

/// Without WASM a page that shows what changes is loaded again every few seconds; one with fields is not.
#[cfg(feature = "ssr")]
fn refresh() -> Option<impl IntoView> {
    let parts: axum::http::request::Parts = use_context()?;
    let path: Vec<&str> = parts.uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let changes = matches!(path.as_slice(), [] | ["migrations"] | ["migrations", _]);
    changes.then(|| view! { <noscript inner_html=r#"<meta http-equiv="refresh" content="10">"#></noscript> })
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
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=|| view! { <Frame scope_of=scope::of_page /> } ssr=SsrMode::Async>
                    <Route path=path!("/") view=VmsPage ssr=SsrMode::Async />
                    <Route path=path!("/vms/:id") view=VmPage ssr=SsrMode::Async />
                    <Route path=path!("/vms/:id/migrate") view=MigratePage ssr=SsrMode::Async />
                    <Route path=path!("/vms/:id/:action") view=VmActionPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations") view=MigrationsPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations/:id") view=MigrationPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations/:id/cancel") view=CancelPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations/:id/steer") view=SteerPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations/:id/step") view=StepPage ssr=SsrMode::Async />
                    <Route path=path!("/hosts") view=HostsPage ssr=SsrMode::Async />
                    <Route path=path!("/hosts/:name") view=HostPage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
