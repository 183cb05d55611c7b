//! A page that is a form under its heading.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::ui::icon::{Draw, Icon};

/// The heading, and the link back to the list.
#[component]
pub(crate) fn FormPage(
    back: &'static str,
    back_label: &'static str,
    title: String,
    children: Children,
) -> impl IntoView {
    view! {
        <Title text=title.clone() />
        <div class="narrow">
            <BackLink href=back label=back_label />
            <h1>{title}</h1>
            {children()}
        </div>
    }
}

/// The link back to a list.
#[component]
pub(crate) fn BackLink(#[prop(into)] href: String, label: &'static str) -> impl IntoView {
    view! {
        <p class="back">
            <a href=href>
                <Draw icon=Icon::Back />
                {label}
            </a>
        </p>
    }
}
