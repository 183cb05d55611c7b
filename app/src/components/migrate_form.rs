//! The form that begins a migration: in the dialog, and on a page of its own.

use leptos::{html, prelude::*, web_sys::FormData};
use leptos_router::hooks::use_navigate;
use model::{Host, HostName, Migration, MigrationOptions, Problem, Vm, VmId, refusal, text};

use crate::api::{Post, migrations::Start};
use crate::components::{
    form::{CancelButton, PostForm},
    keyed,
    problem::Alert,
};
use crate::live::Live;

/// What is filled in so far.
#[derive(Clone, Default)]
struct Choice {
    destination: Option<HostName>,
    options: MigrationOptions,
}

impl Choice {
    fn read(form: &FormData) -> Self {
        let field = |name| form.get(name).as_string();
        Self {
            destination: field("destination").and_then(|name| name.parse().ok()),
            options: MigrationOptions {
                keep_source_definition: field("keep_source_definition").is_some(),
                bandwidth_mib_s: field("bandwidth_mib_s").and_then(|limit| limit.parse().ok()),
                ..MigrationOptions::default()
            },
        }
    }
}

/// Asks for the destination and the options, says what will be done, and begins it.
#[component]
pub(crate) fn MigrateForm(
    vm: VmId,
    /// Closes the dialog it is in.
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let navigate = use_navigate();
    let is_sent = RwSignal::new(false);
    let start = Post::to::<Start>(move |json| {
        is_sent.set(true);
        if let Ok(migration) = serde_json::from_str::<Migration>(&json) {
            let address = format!("/migrations/{}", migration.id);
            live.learn(migration);
            navigate(&address, Default::default());
        }
    });
    // Once it is sent, the form stays as it was: it would say of every host that the VM is being migrated already.
    let known = Memo::new(move |before: Option<&Option<Vm>>| match before {
        Some(before) if start.pending.get() || is_sent.get() => before.clone(),
        _ => live.vms.value(&vm),
    });
    let refused = move |host: &Host| known.read().as_ref().is_none_or(|vm| refusal(vm, host, None).is_some());
    let hosts = move || {
        let mut hosts: Vec<_> = live.hosts.values().into_iter().map(|host| (refused(&host), host.name)).collect();
        hosts.sort_unstable();
        hosts.into_iter().map(|(_, name)| name).collect()
    };
    let none_possible = move || live.hosts.count(|host| !refused(host)) == 0;

    let form = NodeRef::<html::Form>::new();
    let choice = RwSignal::new(Choice::default());
    let read_form = move || {
        if let Some(data) = form.get().and_then(|form| FormData::new_with_form(&form).ok()) {
            choice.set(Choice::read(&data));
        }
    };
    // Something may have been filled in before hydration.
    Effect::new(move |_| read_form());
    let plan = move || {
        let Choice { destination, options } = choice.get();
        known.read().as_ref().map(|vm| text::plan(vm, destination.as_ref(), options))
    };

    view! {
        <PostForm post=start node=form on:input=move |_| read_form()>
            <input type="hidden" name="vm" value=vm.to_string() />
            <fieldset>
                <legend>"Destination"</legend>
                <div class="destinations">
                    {keyed(hosts, move |name| view! { <Destination name vm=known autofocus=close.is_some() /> }.into_any())}
                </div>
            </fieldset>
            <Options vm=known />
            <div class="form-foot">
                <p class="plan">{move || plan()}</p>
                <Alert problem=start.problem />
                <div class="buttons">
                    <CancelButton close href="/" label="Cancel" />
                    <button
                        class="button primary"
                        disabled=move || start.pending.get() || is_sent.get() || none_possible()
                    >
                        "Start migration"
                    </button>
                </div>
            </div>
        </PostForm>
    }
    .into_any()
}

/// A host as a card to choose; greyed out, with the reason, where the VM can't go.
#[component]
fn Destination(name: HostName, vm: Memo<Option<Vm>>, autofocus: bool) -> impl IntoView {
    let host: Signal<Host> = expect_context::<Live>().hosts.get_untracked(&name)?.into();
    let refused = move || -> Option<Problem> { refusal(vm.read().as_ref()?, &host.read(), None) };
    let facts = move || {
        let host = host.read();
        let vms = if host.vms == 1 { "1 VM".to_owned() } else { format!("{} VMs", host.vms) };
        let (free, memory) = (text::bytes(host.memory_free_bytes), text::bytes(host.memory_bytes));
        format!("{free} of {memory} free · {vms}")
    };
    Some(
        view! {
            <label class="destination">
                <input
                    type="radio"
                    name="destination"
                    value=name.to_string()
                    required
                    autofocus=autofocus
                    disabled=move || refused().is_some()
                />
                <span class="about">
                    <strong>{name.to_string()}</strong>
                    <small class="hint">{move || facts()}</small>
                    <small class="reason">{move || refused().map(|problem| problem.sentence)}</small>
                </span>
            </label>
        }
        .into_any(),
    )
}

#[component]
fn Options(vm: Memo<Option<Vm>>) -> impl IntoView {
    let live = expect_context::<Live>();
    let moves_memory = move || vm.read().as_ref().is_some_and(|vm| vm.state.is_active());
    let own_limit = move || {
        let limit = vm.get().and_then(|vm| live.hosts.value(&vm.host)).and_then(|host| host.bandwidth_mib_s);
        let limit = limit.map_or("no limit".to_owned(), |limit| format!("{limit} MiB/s"));
        format!("Left empty, it is the setting of the source host: {limit}.")
    };
    view! {
        <fieldset>
            <legend>"Options"</legend>
            // What the person sees is what is asked for, also if the VM is shut off or started this very moment.
            <input type="hidden" name="mode" value=move || if moves_memory() { "live" } else { "offline" } />
            <label class="check">
                <input type="checkbox" name="keep_source_definition" value="true" />
                <span>
                    "Keep the definition at the source"
                    <small>"Somebody could then start the VM there a second time."</small>
                </span>
            </label>
            <label class="field" hidden=move || !moves_memory()>
                <span>"Bandwidth limit in MiB/s"</span>
                <input type="number" name="bandwidth_mib_s" min="1" max="1000000" inputmode="numeric" />
                <small class="hint">{move || own_limit()}</small>
            </label>
        </fieldset>
    }
    .into_any()
}
