//! The document around a page that is rendered on the server only.

use leptos::prelude::*;
use model::Problem;

use crate::Assets;
use crate::app::head;
use crate::ui::Erased;
use crate::ui::frame::skip_link;
use crate::ui::frame::top;
use crate::ui::icon::Draw;
use crate::ui::icon::Icon;
use crate::ui::problem::ProblemText;

/// Where a page leads back to.
pub(crate) struct Back {
    pub href: String,
    pub label: &'static str,
}

impl Back {
    pub fn to_hosts() -> Self {
        Self { href: "/hosts".to_owned(), label: "Hosts" }
    }
}

/// A page as HTML.
pub struct Document(String);

impl Document {
    /// Puts what a page shows into its frame.
    pub(crate) fn new(assets: Assets, back: Back, title: &str, content: impl FnOnce() -> AnyView) -> Self {
        // Views may make signals, which live as long as their owner.
        let owner = Owner::new();
        Self(owner.with(|| format!("<!DOCTYPE html>{}", document(assets, back, title, content()).to_html())))
    }

    /// The HTML.
    pub fn into_html(self) -> String {
        self.0
    }
}

fn document(assets: Assets, Back { href, label }: Back, title: &str, content: AnyView) -> AnyView {
    let path = href.clone();
    view! {
        <html lang="en">
            {head(assets.css, view! { <title inner_html=as_text(&format!("{title} · vmferry"))></title> }.erased())}
            <body>
                {skip_link()}
                {top(Memo::new(move |_| path.clone()), "Migrations".into_any(), ().into_any())}
                <main id="main">
                    <div class="narrow">
                        <p class="back">
                            <a href=href>
                                <Draw icon=Icon::Back />
                                {label}
                            </a>
                        </p>
                        <h1>{title.to_owned()}</h1>
                        {content}
                    </div>
                </main>
            </body>
        </html>
    }
    .erased()
}

/// Text for an `inner_html`, where Leptos' comments between children would be seen: in a title or a text area.
pub(crate) fn as_text(text: &str) -> String {
    text.to_owned().to_html()
}

/// A page that has nothing to show but a problem.
pub fn failed(assets: Assets, problem: Problem) -> Document {
    Document::new(assets, Back::to_hosts(), "This did not work", || alert(problem))
}

/// A problem in front of a form, read aloud when the page comes.
pub(crate) fn alert(problem: Problem) -> AnyView {
    view! {
        <div class="note note-bad" role="alert">
            <Draw icon=Icon::Warning />
            <div class="note-text">
                <ProblemText problem />
            </div>
        </div>
    }
    .erased()
}
