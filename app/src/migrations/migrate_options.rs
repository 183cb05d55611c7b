//! What can be chosen for a migration beside its destination.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use model::Vm;

use crate::live::Live;
use crate::migrations::destination_reports::Looks;
use crate::migrations::report::Outlook;
use crate::ui::Erased;

/// The options. Those that are an answer to a finding come with it, and stay once they are used.
#[component]
pub(crate) fn MigrateOptions(vm: Memo<Option<Vm>>, looks: Looks) -> impl IntoView {
    let live = expect_context::<Live>();
    let moves_memory = move || vm.read().as_ref().is_some_and(|vm| vm.state.is_active());
    let own_limit = move || {
        let limit = vm.get().and_then(|vm| live.hosts.value(&vm.host)).and_then(|host| host.bandwidth_mib_s);
        let limit = limit.map_or("no limit".to_owned(), |limit| format!("{limit} MiB/s"));
        format!("Left empty, it is the setting of the source host: {limit}.")
    };
    let is_offered = move |offered: fn(&Outlook) -> bool| looks.known.read().of_chosen().is_some_and(offered);
    view! {
        <fieldset>
            <legend>"Options"</legend>
            // What the person sees is what is asked for, also if the VM is shut off or started this very moment.
            <input type="hidden" name="request[mode]" value=move || if moves_memory() { "live" } else { "offline" } />
            <label class="field" hidden=move || !is_offered(|outlook| outlook.offers_name)>
                <span>"New name at the destination"</span>
                <input
                    type="text"
                    name="request[options][new_name]"
                    value=given("new_name")
                    autocomplete="off"
                    spellcheck="false"
                />
            </label>
            {check(
                "eject_media",
                "Eject media that the destination does not have",
                "The guest then finds its CD-ROM or floppy drive empty.",
                move || is_offered(|outlook| outlook.offers_ejection),
            )}
            {check(
                "remove_source_disks",
                "Delete the old images of copied disks",
                "Last of all, once the VM is seen to run at the destination. Never on storage that both hosts share.",
                move || is_offered(|outlook| outlook.offers_removal),
            )}
            {check(
                "keep_source_definition",
                "Keep the definition at the source",
                "Somebody could then start the VM there a second time.",
                || true,
            )}
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
                <small class="hint">{move || own_limit()}</small>
            </label>
        </fieldset>
    }
    .erased()
}

fn check(
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    is_offered: impl Fn() -> bool + Send + Sync + 'static,
) -> AnyView {
    let is_offered = Signal::derive(is_offered);
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
    .erased()
}

/// What the address says of an option, where the form was sent to look again.
fn given(name: &str) -> Option<String> {
    use_query_map().read_untracked().get(&format!("request[options][{name}]"))
}
