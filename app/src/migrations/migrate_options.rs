//! What can be chosen for a migration besides its destination.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;
use model::{MigrationOptions, Policy, Vm, VmState};

use crate::live::Live;
#[cfg(feature = "ssr")]
use crate::migrations::more_options::more_options;
use crate::migrations::{
    checked_destination::CheckedDestination, policy_fields::PolicyFields, server_fns::MoreOptionsHtml,
};
use crate::ui::fragment::Fragment;

/// The options that are folded away until one of them is needed.
const FOLDED: [&str; 5] = ["new_name", "keep_source_definition", "bandwidth_mib_s", "encrypt", "way"];

/// The options. Those that resolve a finding are shown with it, and stay once they are used.
#[component]
pub(super) fn MigrateOptions(vm: Memo<Option<Vm>>, checked: Memo<Option<CheckedDestination>>) -> impl IntoView {
    let live = expect_context::<Live>();
    let moves_memory = move || vm.read().as_ref().is_some_and(|vm| vm.state.is_active());
    let own_limit = move || {
        let limit = vm.get().and_then(|vm| live.hosts.value(&vm.host)).and_then(|host| host.bandwidth_mib_s);
        let limit = limit.map_or("no limit".to_owned(), |limit| format!("{limit} MiB/s"));
        format!("Default: the setting of the source host, {limit}.")
    };
    let is_offered = move |offered: fn(&CheckedDestination) -> bool| {
        Signal::derive(move || checked.read().as_ref().is_some_and(offered))
    };
    // Those of the moment in which the form is shown: what is chosen must not change under a finger.
    let defaults = untrack(|| {
        let vm = vm.get()?;
        Some(vm.effective_policy_defaults(live.hosts.value(&vm.host).as_ref()))
    });
    let defaults = defaults.unwrap_or_default();
    let allows_post_copy = {
        let checked = is_offered(CheckedDestination::allows_post_copy);
        move || checked.get() && vm.read().as_ref().is_some_and(|vm| vm.state == VmState::Running)
    };
    let names_anew = is_offered(CheckedDestination::offers_new_name);
    let are_given = FOLDED.iter().any(|name| given(name).is_some_and(|value| !value.is_empty()));
    let is_open = move || names_anew.get() || are_given;
    let memory_bytes = move || vm.read().as_ref().map_or(0, |vm| vm.memory_bytes);
    view! {
        <fieldset>
            <legend class="hidden">"Options"</legend>
            // The request is for the mode that the page shows, even if the VM is shut off or started at this moment.
            <input type="hidden" name="request[mode]" value=move || if moves_memory() { "live" } else { "offline" } />
            <OptionBox
                name="eject_media"
                label="Eject media that the destination does not have"
                hint="The guest then finds its CD-ROM or floppy drive empty."
                is_offered=is_offered(CheckedDestination::offers_ejection)
            />
            <OptionBox
                name="remove_source_disks"
                label="Delete the old images of copied disks"
                hint="Only after the migration has succeeded. Never on shared storage."
                is_offered=is_offered(CheckedDestination::offers_removal)
            />
            <details class="more" open=is_open>
                <summary>"Options: new name, bandwidth, encryption"</summary>
                <label class="field">
                    <span>"New name at the destination"</span>
                    <input
                        type="text"
                        name="request[options][new_name]"
                        value=given("new_name")
                        autocomplete="off"
                        spellcheck="false"
                    />
                </label>
                <OptionBox
                    name="keep_source_definition"
                    label="Keep the definition at the source"
                    hint="The VM could then be started there a second time."
                    is_offered=true
                />
                <label class="field" hidden=move || !moves_memory()>
                    <span>"Bandwidth limit in MiB/s"</span>
                    <input
                        type="number"
                        name="request[options][bandwidth_mib_s]"
                        value=given("bandwidth_mib_s")
                        min="1"
                        max="1000000"
                        inputmode="numeric"
                    />
                    <small class="hint">{own_limit}</small>
                </label>
                <MoreOptions />
            </details>
        </fieldset>
        <PolicyFields
            is_offered=Signal::derive(moves_memory)
            allows_post_copy=Signal::derive(allows_post_copy)
            memory_bytes=Signal::derive(memory_bytes)
            options=given_policy()
            defaults
        />
    }
}

#[component]
fn OptionBox(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    #[prop(into)] is_offered: Signal<bool>,
) -> impl IntoView {
    view! {
        <label class="check" hidden=move || !is_offered.get()>
            <input
                type="checkbox"
                name=format!("request[options][{name}]")
                value="true"
                checked=given(name).as_deref() == Some("true")
            />
            <span>{label} <small>{hint}</small></span>
        </label>
    }
}

/// Those that few choose. The server writes them: the browser has no program for them, and sends them with the form.
#[component]
fn MoreOptions() -> impl IntoView {
    #[cfg(feature = "ssr")]
    let html = Some(more_options(given("encrypt").as_deref(), given("way").as_deref()));
    #[cfg(not(feature = "ssr"))]
    let html = None;
    view! { <Fragment path=MoreOptionsHtml::PATH fields=String::new() version=Signal::stored(0) every=None html /> }
}

/// An option's value in the address, where the form was sent to be checked again.
fn given(name: &str) -> Option<String> {
    use_query_map().read_untracked().get(&format!("request[options][{name}]"))
}

/// The policy and its limits in the address.
fn given_policy() -> MigrationOptions {
    let number = |name| given(name)?.parse().ok();
    let policy = given("policy").and_then(|name| Policy::ALL.iter().copied().find(|policy| policy.as_str() == name));
    MigrationOptions {
        policy,
        longest_pause_ms: number("longest_pause_ms"),
        budget_s: number("budget_s"),
        policy_as_default: given("policy_as_default").as_deref() == Some("true"),
        ..MigrationOptions::default()
    }
}
