//! What is at an address where there is nothing.

use leptos::prelude::*;
use leptos_meta::Title;

#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found" />
        <main id="main" class="alone">
            <h1>"There is nothing here"</h1>
            <p>"The address may have a typing error, or what was here is gone."</p>
            <p>
                <a class="button primary" href="/">
                    "Go to the VMs"
                </a>
            </p>
        </main>
    }
    .into_any()
}
