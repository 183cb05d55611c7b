//! How far a migration may go to finish: the fields for its policy and the policy's limits, for both forms that start one.

use leptos::prelude::*;
use model::{MigrationOptions, Policy, PolicyDefaults, Steering, text};

/// The choice of the policy, and folded away its limits and whether it is kept. A VM without memory to send has no policy: then nothing is
/// sent, either.
#[component]
pub(super) fn PolicyFields(
    #[prop(into)] is_offered: Signal<bool>,
    /// Whether the migration may switch to post-copy.
    #[prop(into)]
    allows_post_copy: Signal<bool>,
    /// The memory of the VM, in bytes.
    #[prop(into)]
    memory_bytes: Signal<u64>,
    /// What is filled in already: `policy`, `longest_pause_ms`, `budget_s`, `policy_as_default`.
    options: MigrationOptions,
    /// What is filled in by the console where it is left empty.
    defaults: PolicyDefaults,
) -> impl IntoView {
    let MigrationOptions { policy, longest_pause_ms, budget_s, policy_as_default, .. } = options;
    let chosen = policy.unwrap_or(defaults.policy());
    let is_open = longest_pause_ms.is_some() || budget_s.is_some() || policy_as_default;
    let radio = move |policy: Policy| {
        let (is_chosen, is_default) = (policy == chosen, policy == defaults.policy());
        view! { <PolicyRadio policy is_chosen is_default allows_post_copy /> }
    };
    view! {
        <fieldset class="policies" hidden=move || !is_offered.get() disabled=move || !is_offered.get()>
            <legend>"If the guest writes faster than the link carries"</legend>
            {Policy::ALL.iter().copied().map(radio).collect_view()}
            <details class="more" open=is_open>
                <summary>"Limits of the policy, and this VM's default"</summary>
                <LimitField
                    name="longest_pause_ms"
                    label="Longest pause in ms"
                    value=longest_pause_ms
                    max=Steering::MOST_PAUSE_MS
                    hint=Signal::stored(own_pauses(defaults))
                />
                <LimitField
                    name="budget_s"
                    label="Budget in s"
                    value=budget_s
                    max=Steering::MOST_BUDGET_S
                    hint=Signal::derive(move || own_budget(defaults, memory_bytes.get()))
                />
                <label class="check">
                    <input
                        type="checkbox"
                        name="request[options][policy_as_default]"
                        value="true"
                        checked=policy_as_default
                    />
                    <span>"Keep as this VM's default" <small>"For its later migrations."</small></span>
                </label>
            </details>
        </fieldset>
    }
}

#[component]
fn PolicyRadio(policy: Policy, is_chosen: bool, is_default: bool, allows_post_copy: Signal<bool>) -> impl IntoView {
    let default = is_default.then_some(" (default)");
    view! {
        <label class="check">
            <input type="radio" name="request[options][policy]" value=policy.as_str() checked=is_chosen />
            <span>{policy.label()} {default} <small>{move || policy.hint(allows_post_copy.get())}</small></span>
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
    hint: Signal<String>,
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

/// What the policies allow where nothing is chosen: `Default: gentle 300 ms, balanced 1.0 s, certain 1.0 s.`
fn own_pauses(defaults: PolicyDefaults) -> String {
    let own = |policy: &Policy| {
        let set = defaults.longest_pause_ms.filter(|_| *policy == defaults.policy());
        let longest = set.unwrap_or_else(|| policy.longest_pause_ms());
        format!("{} {}", policy.as_str(), text::duration(longest.into()))
    };
    format!("Default: {}.", Policy::ALL.iter().map(own).collect::<Vec<_>>().join(", "))
}

/// How long the policies try where nothing is chosen: `… Default: 5 min.`, or `… Default: gentle 1 min, others 5 min.`
fn own_budget(defaults: PolicyDefaults, memory_bytes: u64) -> String {
    let told = |s: u64| text::duration(s * 1_000);
    let own = told(Policy::budget_s(memory_bytes));
    let set = defaults.budget_s.map(|s| format!("{} {}, others ", defaults.policy().as_str(), told(s.into())));
    format!("How long gentle and balanced try before they give up. Default: {}{own}.", set.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_of_all_policies_are_told() {
        assert_eq!(own_pauses(PolicyDefaults::default()), "Default: gentle 300 ms, balanced 1.0 s, certain 1.0 s.");
        assert!(own_budget(PolicyDefaults::default(), 64 << 20).ends_with("Default: 5 min."));
        assert!(own_budget(PolicyDefaults::default(), 16 << 30).ends_with("Default: 40 min."));
    }

    #[test]
    fn limits_that_were_set_are_told_with_their_policy() {
        let set = PolicyDefaults { policy: Some(Policy::Gentle), longest_pause_ms: Some(500), budget_s: Some(60) };
        assert_eq!(own_pauses(set), "Default: gentle 500 ms, balanced 1.0 s, certain 1.0 s.");
        assert!(own_budget(set, 1 << 30).ends_with("Default: gentle 1 min, others 5 min."));
    }
}
