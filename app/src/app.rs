//! The document, and which page is at which address.

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::account::login_page::LoginPage;
use crate::account::page::AccountPage;
use crate::hosts::page::HostsPage;
use crate::migrations::list_page::MigrationsPage;
use crate::migrations::migrate_page::MigratePage;
use crate::migrations::page::MigrationPage;
use crate::ui::frame::Frame;
use crate::ui::not_found::NotFoundPage;
use crate::vms::action_page::MigrationQuestionPage;
use crate::vms::action_page::VmQuestionPage;
use crate::vms::page::VmsPage;

/// Where the browser finds its half: addresses such as `/pkg/vmferry.0123abcd.js`.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct Assets {
    /// The JavaScript module that loads `wasm`.
    pub js: String,
    /// The program.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
}

/// The HTML document around [`App`]. Expects [`Assets`] and Leptos' nonce in the context.
#[cfg(feature = "ssr")]
pub fn shell() -> impl IntoView {
    let Assets { js, wasm, css } = expect_context();
    let nonce = leptos::nonce::use_nonce();
    let start =
        format!("import init, {{ hydrate }} from \"{js}\";\nawait init({{ module_or_path: \"{wasm}\" }});\nhydrate();");
    view! {
        <!DOCTYPE html>
        <html lang="en">
            {head(css, view! {
                <link rel="modulepreload" href=js nonce=nonce.clone() />
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous" />
                <leptos_meta::MetaTags />
                <script type="module" nonce=nonce>
                    {start}
                </script>
            }.into_any())}
            <body>
                <App />
            </body>
        </html>
    }
}

/// What every document begins with, and what is of its own.
#[cfg(feature = "ssr")]
pub(crate) fn head(css: String, own: AnyView) -> AnyView {
    view! {
        <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
            <meta name="color-scheme" content="light dark" />
            <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f4f1ea" />
            <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#10191c" />
            <link rel="stylesheet" href=css />
            <link rel="icon" href="/icon.svg" type="image/svg+xml" />
            <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
            <link rel="manifest" href="/manifest.webmanifest" />
            {own}
        </head>
    }
    .into_any()
}

/// All pages. Whole pages are rendered before anything is sent (`SsrMode::Async`): their data is in the console's memory, and
/// a status code can still be set.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title text="vmferry" formatter=|page| if page == "vmferry" { page } else { format!("{page} · vmferry") } />
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
                <ParentRoute path=path!("") view=Frame ssr=SsrMode::Async>
                    <Route path=path!("/") view=VmsPage ssr=SsrMode::Async />
                    <Route path=path!("/vms/:id/migrate") view=MigratePage ssr=SsrMode::Async />
                    <Route path=path!("/vms/:id/:action") view=VmQuestionPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations") view=MigrationsPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations/:id") view=MigrationPage ssr=SsrMode::Async />
                    <Route path=path!("/migrations/:id/:action") view=MigrationQuestionPage ssr=SsrMode::Async />
                    <Route path=path!("/hosts") view=HostsPage ssr=SsrMode::Async />
                    <Route path=path!("/account") view=AccountPage ssr=SsrMode::Async />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
