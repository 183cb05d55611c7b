//! The document around a page that is rendered on the server only.

use leptos::prelude::*;
use model::Problem;

use crate::ui::{
    form_page::BackLink,
    frame::{Navigation, SkipLink},
    icon::{Draw, Icon},
    markup::rendered,
    problem::ProblemText,
};

/// Where the browser finds its half: addresses such as `/pkg/vmferry.0123abcd.js`.
#[derive(Clone, Debug)]
pub struct Assets {
    /// The JavaScript module that loads `wasm`.
    pub js: String,
    /// The program.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// Whether the console's hosts are simulated, which each page then says.
    pub simulated: bool,
}

/// The page that a server-only page links back to.
pub(crate) struct Back {
    pub href: String,
    pub label: &'static str,
}

impl Back {
    pub fn to_hosts() -> Self {
        Self { href: "/hosts".to_owned(), label: "Hosts" }
    }

    pub fn to_vms() -> Self {
        Self::to_list(None)
    }

    /// To a list of VMs, e.g. `/?q=web` or `/hosts/beta`.
    pub fn to_list(list: Option<&str>) -> Self {
        Self { href: list.unwrap_or("/").to_owned(), label: "VMs" }
    }

    /// The address without what is asked for there.
    fn path(&self) -> String {
        self.href.split('?').next().unwrap_or_default().to_owned()
    }

    pub fn to_migrations() -> Self {
        Self { href: "/migrations".to_owned(), label: "Migrations" }
    }
}

/// A page as HTML.
pub struct Document(String);

impl Document {
    /// Puts the content of a page, a form or a text, into its frame.
    pub(crate) fn new<V: IntoView + 'static>(
        assets: Assets,
        back: Back,
        title: &str,
        content: impl FnOnce() -> V,
    ) -> Self {
        Self::framed(Frame { assets, path: back.path(), back: Some(back), width: "narrow" }, title, content)
    }

    /// The same for a table, as wide as the window allows.
    pub(crate) fn wide<V: IntoView + 'static>(
        assets: Assets,
        back: Back,
        title: &str,
        content: impl FnOnce() -> V,
    ) -> Self {
        Self::framed(Frame { assets, path: back.path(), back: Some(back), width: "wide" }, title, content)
    }

    /// The same for a page of the navigation, which links back to none.
    pub(crate) fn of_menu<V: IntoView + 'static>(
        assets: Assets,
        path: &str,
        title: &str,
        content: impl FnOnce() -> V,
    ) -> Self {
        Self::framed(Frame { assets, path: path.to_owned(), back: None, width: "narrow" }, title, content)
    }

    /// The login page: without the navigation, and with the browser told to bring the program that the next page needs.
    pub(crate) fn of_login<V: IntoView + 'static>(assets: Assets, content: impl FnOnce() -> V) -> Self {
        let Assets { js, wasm, css, simulated } = assets;
        let html = rendered(|| {
            let content = content().into_any();
            view! {
                <html lang="en">
                    <Head css>
                        <link rel="prefetch" href=js />
                        <link rel="prefetch" href=wasm r#as="fetch" crossorigin="anonymous" />
                        <title>"Log in · vmferry"</title>
                    </Head>
                    <body>
                        <main id="main" class="login">
                            {content}
                        </main>
                        <SimulatedLine simulated />
                    </body>
                </html>
            }
        });
        Self(format!("<!DOCTYPE html>{html}"))
    }

    fn framed<V: IntoView + 'static>(frame: Frame, title: &str, content: impl FnOnce() -> V) -> Self {
        let html = rendered(|| {
            let content = content().into_any();
            view! { <Page frame title=title.to_owned()>{content}</Page> }
        });
        Self(format!("<!DOCTYPE html>{html}"))
    }

    /// The HTML.
    pub fn into_html(self) -> String {
        self.0
    }
}

/// What is around a page.
struct Frame {
    assets: Assets,
    /// The link of the navigation that is marked.
    path: String,
    back: Option<Back>,
    /// The class of the content.
    width: &'static str,
}

#[component]
fn Page(frame: Frame, title: String, children: Children) -> impl IntoView {
    let Frame { assets, path, back, width } = frame;
    let document_title = as_text(&format!("{title} · vmferry"));
    let back = back.map(|Back { href, label }| view! { <BackLink href label /> });
    view! {
        <html lang="en">
            <Head css=assets.css>
                <title inner_html=document_title></title>
            </Head>
            <body>
                <SkipLink />
                <Navigation path running=0 />
                <main id="main">
                    <div class=width>
                        {back}
                        <h1>{title}</h1>
                        {children()}
                    </div>
                </main>
                <HelpLine />
                <SimulatedLine simulated=assets.simulated />
            </body>
        </html>
    }
}

/// The head of every document; `children` are what one document adds.
#[component]
pub(crate) fn Head(css: String, children: Children) -> impl IntoView {
    view! {
        <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
            <meta name="description" content="Moves running VMs between libvirt hosts." />
            <meta name="color-scheme" content="light dark" />
            <meta name="theme-color" media="(prefers-color-scheme: light)" content="#f4f1ea" />
            <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#10191c" />
            <link rel="stylesheet" href=css />
            <link rel="icon" href="/icon.svg" type="image/svg+xml" />
            <link rel="apple-touch-icon" href="/apple-touch-icon.png" />
            <link rel="manifest" href="/manifest.webmanifest" />
            {children()}
        </head>
    }
}

/// The link to the help at the foot of every page. It is no part of the program in the browser.
#[component]
pub(crate) fn HelpLine() -> impl IntoView {
    view! {
        <footer class="foot">
            <a href="/help" rel="external">
                "Help"
            </a>
            {concat!(" · vmferry ", env!("CARGO_PKG_VERSION"))}
        </footer>
    }
}

/// The line at the foot of every page of a console whose hosts are simulated. It is no part of the program in the browser.
#[component]
pub(crate) fn SimulatedLine(simulated: bool) -> impl IntoView {
    simulated.then(|| {
        view! { <p class="simulated">"Simulated hosts and VMs: nothing here is real."</p> }
    })
}

/// Text for an `inner_html`, where Leptos' comments between children would be seen: in a title or a text area.
pub(crate) fn as_text(text: &str) -> String {
    text.to_owned().to_html()
}

/// A page that has nothing to show but a problem.
pub fn failed(assets: Assets, problem: Problem) -> Document {
    Document::new(assets, Back::to_hosts(), "Request failed", || view! { <FormProblem problem /> })
}

/// A problem above a form. Screen readers announce it when the page loads.
#[component]
pub(crate) fn FormProblem(problem: Problem) -> impl IntoView {
    view! {
        <div class="note note-bad" role="alert">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <ProblemText problem />
            </div>
        </div>
    }
}
