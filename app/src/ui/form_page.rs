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
            <p class="back">
                <a href=back>
                    <Draw icon=Icon::Back />
                    {back_label}
                </a>
            </p>
            <h1>{title}</h1>
            {children()}
        </div>
    }
}
