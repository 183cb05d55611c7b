//! The answer at an address without a page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::live::Live;
use crate::ui::frame::Navigation;

/// The page at an address without a page.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    view! {
        <Navigation path="" running=0 />
        <main id="main">
            <NotFound />
        </main>
    }
}

/// In place of what is not in the page's scope: nothing as long as that is asked for.
#[component]
pub(crate) fn Absent() -> impl IntoView {
    let is_here = expect_context::<Live>().is_here;
    view! {
        <Show when=move || is_here.get()>
            <NotFound />
        </Show>
    }
}

/// Says that there is nothing, in place of a page's content.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found" />
        <div class="empty">
            <h1>"Page not found"</h1>
            <p>"Check the address. What it names may have been removed."</p>
            <p>
                <a class="button primary" href="/" rel="external">
                    "Go to the VMs"
                </a>
            </p>
        </div>
    }
}
