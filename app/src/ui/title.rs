//! A page's title.

use leptos::prelude::*;
use leptos_meta::Title;

/// A title that follows what the page is about. On the server it is read at once: Leptos reads titles when the response is on its
/// way, on any thread, where signals are gone already.
#[component]
pub(crate) fn LiveTitle(#[prop(into)] text: Signal<String>) -> impl IntoView {
    #[cfg(feature = "ssr")]
    let text = text.get_untracked();
    view! { <Title text /> }
}
