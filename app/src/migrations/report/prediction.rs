//! How long a migration will take.

use leptos::{prelude::*, server_fn::ServerFn};
use model::{Prediction, text};

use crate::migrations::server_fns::Measure;

/// The prediction, and the button that measures what the guest writes: measuring takes a second, so it is done on request only.
#[component]
pub(super) fn PredictionSection(
    #[prop(into)] prediction: Signal<Option<Prediction>>,
    measure: Callback<()>,
) -> impl IntoView {
    let sentence = move || prediction.read().as_ref().map(text::prediction);
    let is_measured = move || prediction.read().is_some_and(|prediction| prediction.dirty_bytes_s.is_some());
    view! {
        <Show when=move || prediction.read().is_some()>
            <h3>"Duration"</h3>
            <p>{sentence}</p>
            <button
                class="button"
                id="measure"
                formaction=Measure::url()
                formnovalidate
                on:click=move |click| {
                    click.prevent_default();
                    measure.run(());
                }
            >
                {move || if is_measured() { "Measure again" } else { "Measure guest writes" }}
            </button>
        </Show>
    }
}
