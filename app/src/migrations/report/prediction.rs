//! How long a migration will take.

use leptos::{prelude::*, server_fn::ServerFn};
use model::{PolicyPrediction, Prediction, text};

use crate::migrations::server_fns::Measure;

/// The prediction, when it would end with each policy, and the button that measures what the guest writes: that takes 7 s. A guest whose
/// host has nothing else to do is measured unasked, and the next look knows.
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
            <ul class="policies">
                {move || {
                    let policies = prediction.get().map(|prediction| prediction.policies);
                    policies.into_iter().flatten().map(|predicted| view! { <PolicyItem predicted /> }).collect_view()
                }}
            </ul>
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

/// When it would end with one policy.
#[component]
fn PolicyItem(predicted: PolicyPrediction) -> impl IntoView {
    let PolicyPrediction { policy, ending } = predicted;
    view! {
        <li>
            <strong>{policy.label()}</strong>
            ": "
            {text::ending(&ending)}
        </li>
    }
}
