//! How far a migration may go to finish: the fields for its policy and the policy's limits, for both forms that start one.

use leptos::prelude::*;
use model::{MigrationOptions, Policy, Steering};

/// The choice of the policy, and its limits folded away. A VM without memory to send has no policy: then nothing is sent, either.
#[component]
pub(super) fn PolicyFields(
    #[prop(into)] is_offered: Signal<bool>,
    /// What is filled in already: `policy`, `longest_pause_ms`, `budget_s`.
    options: MigrationOptions,
) -> impl IntoView {
    let MigrationOptions { policy, longest_pause_ms, budget_s, .. } = options;
    let chosen = policy.unwrap_or_default();
    let has_limits = longest_pause_ms.is_some() || budget_s.is_some();
    let radio = move |policy: Policy| view! { <PolicyRadio policy is_chosen=policy == chosen /> };
    view! {
        <fieldset class="policies" hidden=move || !is_offered.get() disabled=move || !is_offered.get()>
            <legend>"If the guest writes faster than the link carries"</legend>
            {Policy::ALL.iter().copied().map(radio).collect_view()}
            <details class="more" open=has_limits>
                <summary>"Limits of the policy"</summary>
                <LimitField
                    name="longest_pause_ms"
                    label="Longest pause in ms"
                    value=longest_pause_ms
                    max=Steering::MOST_PAUSE_MS
                    hint=own_pauses()
                />
                <LimitField
                    name="budget_s"
                    label="Budget in s"
                    value=budget_s
                    max=MOST_BUDGET_S
                    hint="How long gentle and balanced try before they give up. Default: 150 s for each GiB of memory, at least 5 min."
                />
            </details>
        </fieldset>
    }
}

/// The longest budget that can be chosen: a week.
const MOST_BUDGET_S: u32 = 604_800;

#[component]
fn PolicyRadio(policy: Policy, is_chosen: bool) -> impl IntoView {
    let default = (policy == Policy::default()).then_some(" (default)");
    view! {
        <label class="check">
            <input type="radio" name="request[options][policy]" value=policy.as_str() checked=is_chosen />
            <span>{policy.label()} {default} <small>{policy.hint()}</small></span>
        </label>
    }
}

/// A whole number from 1 to `max`; nothing where it is left empty.
#[component]
fn LimitField(
    name: &'static str,
    label: &'static str,
    value: Option<u32>,
    max: u32,
    #[prop(into)] hint: String,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type="number"
                name=format!("request[options][{name}]")
                value=value.map(|value| value.to_string())
                min="1"
                max=max.to_string()
                inputmode="numeric"
            />
            <small class="hint">{hint}</small>
        </label>
    }
}

/// What the policies allow by themselves: `Default: gentle 300 ms, balanced 1.0 s, certain 1.0 s.`
fn own_pauses() -> String {
    let own =
        |policy: &Policy| format!("{} {}", policy.as_str(), model::text::duration(policy.longest_pause_ms().into()));
    format!("Default: {}.", Policy::ALL.iter().map(own).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_all_policies_are_told() {
        assert_eq!(own_pauses(), "Default: gentle 300 ms, balanced 1.0 s, certain 1.0 s.");
    }
}
