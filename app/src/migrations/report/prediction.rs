//! How long a migration will take.

use leptos::{prelude::*, server_fn::ServerFn};
use model::{Ending, Policy, PolicyPrediction, Prediction, text};

use crate::migrations::server_fns::Measure;

/// The prediction, when it would end with each policy, and the button that measures what the guest writes: that takes 7 s. A guest whose
/// host has nothing else to do is measured unasked, and the next look knows.
#[component]
pub(super) fn PredictionSection(
    #[prop(into)] prediction: Signal<Option<Prediction>>,
    /// How long each policy tries before it gives up, in s.
    budgets_s: Memo<Option<Vec<u64>>>,
    measure: Callback<()>,
) -> impl IntoView {
    let sentence = move || prediction.read().as_ref().map(text::prediction);
    let is_measured = move || prediction.read().is_some_and(|prediction| prediction.dirty_bytes_s.is_some());
    view! {
        <Show when=move || prediction.read().is_some()>
            <h2>"Duration"</h2>
            <p>{sentence}</p>
            <ul class="policies">
                {move || {
                    let budgets_s = budgets_s.get().unwrap_or_default();
                    let policies = prediction.get().map(|prediction| prediction.policies);
                    let items = policies.into_iter().flatten().enumerate();
                    items.map(|(at, predicted)| policy_item(&predicted, budgets_s.get(at).copied())).collect_view()
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
fn policy_item(predicted: &PolicyPrediction, budget_s: Option<u64>) -> impl IntoView + use<> {
    let (label, words) = (predicted.policy.label(), ending(predicted, budget_s));
    view! { <li><strong>{label}</strong> ": " {words}</li> }
}

/// When it ends, and when a policy gives up with which it does not.
fn ending(PolicyPrediction { policy, ending }: &PolicyPrediction, budget_s: Option<u64>) -> String {
    let words = text::ending(ending);
    match (ending, budget_s) {
        (Ending::Never { .. }, Some(s)) if *policy != Policy::Certain => {
            format!("{words}; gives up after {}", text::duration(s * 1_000))
        }
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::examples;

    #[test]
    fn a_policy_that_gives_up_says_when() {
        let never = Ending::Never { needed_pause_ms: 1_900 };
        let told = |policy, ending_| ending(&PolicyPrediction { policy, ending: ending_ }, Some(300));
        assert_eq!(
            told(Policy::Gentle, never),
            "does not end by itself, it would take a pause of 1.9 s; gives up after 5 min"
        );
        assert!(!told(Policy::Certain, never).contains("gives up"));
        assert!(!told(Policy::Gentle, examples::after(12_000, 20_000)).contains("gives up"));
    }
}
