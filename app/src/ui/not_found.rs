//! The answer at an address without a page.

use leptos::prelude::*;
use leptos_meta::Title;

/// The page at an address without a page.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    view! {
        <main id="main">
            <NotFound />
        </main>
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
