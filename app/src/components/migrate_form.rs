//! The form that begins a migration: in a dialog over the list, and on a page of its own.

use leptos::{form::FromFormData, html, prelude::*, web_sys::FormData};
use leptos_router::hooks::use_navigate;
use model::{Host, HostName, MigrationOptions, Vm, VmId, refusal, text};
use serde::Deserialize;

use crate::api::migrations::Start;
use crate::components::{
    modal::CancelButton,
    problem::{Alert, failure_of},
};
use crate::live::Live;

/// What is filled in so far; the fields of [`Start`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct Choice {
    destination: Option<HostName>,
    #[serde(default)]
    keep_source_definition: bool,
    bandwidth_mib_s: Option<u32>,
}

impl Choice {
    /// What a migration of `vm` as chosen would do.
    fn plan(&self, vm: &Vm) -> String {
        let Self { destination, keep_source_definition, bandwidth_mib_s } = self;
        let options =
            MigrationOptions { keep_source_definition: *keep_source_definition, bandwidth_mib_s: *bandwidth_mib_s };
        text::plan(vm, destination.as_ref(), options)
    }
}

/// Asks for the destination and the options, says what will be done, and begins it.
#[component]
pub(crate) fn MigrateForm(
    vm: VmId,
    /// Closes the dialog it is in.
    #[prop(optional, into)]
    close: Option<Callback<()>>,
) -> impl IntoView {
    let live = expect_context::<Live>();
    let start = ServerAction::<Start>::new();
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(Ok(migration)) = start.value().get() {
            let address = format!("/migrations/{}", migration.id);
            live.learn(migration);
            navigate(&address, Default::default());
        }
    });

    let form = NodeRef::<html::Form>::new();
    let choice = RwSignal::new(Choice::default());
    let read_form = move || {
        let filled_in = form.get().and_then(|form| FormData::new_with_form(&form).ok());
        choice.set(filled_in.and_then(|data| Choice::from_form_data(&data).ok()).unwrap_or_default());
    };
    // Something may have been filled in before hydration.
    Effect::new(move |_| read_form());

    // Once it is sent, the form stays as it was: it would say of every host that the VM is being migrated already.
    let is_sent = move || start.pending().get() || matches!(*start.value().read(), Some(Ok(_)));
    let known = Memo::new(
        move |before: Option<&Option<Vm>>| if is_sent() { before.cloned().flatten() } else { live.vms.value(&vm) },
    );
    let hosts = Memo::new(move |_| {
        let vm = known.get()?;
        let refused = |host: &Host| refusal(&vm, host, None).is_some();
        let mut hosts: Vec<_> = live.hosts.values().into_iter().map(|host| (refused(&host), host.name)).collect();
        hosts.sort();
        Some(hosts)
    });
    let possible = Memo::new(move |_| hosts.read().iter().flatten().any(|(refused, _)| !refused));
    let plan = move || known.read().as_ref().map(|vm| choice.read().plan(vm));
    let moves_memory = Memo::new(move |_| known.read().as_ref().is_some_and(|vm| vm.state.is_active()));
    let own_limit = move || {
        let limit = known.get().and_then(|vm| live.hosts.value(&vm.host)).and_then(|host| host.bandwidth_mib_s);
        limit.map_or("not limited".to_owned(), |limit| format!("{limit} (this host's setting)"))
    };

    view! {
        <ActionForm action=start node_ref=form on:input=move |_| read_form()>
            <input type="hidden" name="vm" value=vm.to_string() />
            <fieldset>
                <legend>"Destination"</legend>
                <div class="destinations">
                    <For each=move || hosts.get().unwrap_or_default() key=|(_, name)| name.clone() let((_, name))>
                        <Destination name vm=known autofocus=close.is_some() />
                    </For>
                </div>
            </fieldset>
            <fieldset>
                <legend>"Options"</legend>
                <label class="check">
                    <input type="checkbox" name="keep_source_definition" value="true" />
                    <span>
                        "Keep the definition at the source" <small>"Somebody could then start the VM there a second time."</small>
                    </span>
                </label>
                <Show when=move || moves_memory.get()>
                    <label class="field">
                        <span>"Bandwidth limit in MiB/s"</span>
                        <input
                            type="number"
                            name="bandwidth_mib_s"
                            min="1"
                            max="1000000"
                            inputmode="numeric"
                            placeholder=own_limit
                        />
                    </label>
                </Show>
            </fieldset>
            <div class="form-foot">
            <p class="plan">{plan}</p>
            <Alert problem=failure_of(move || start.value().get()) />
            <div class="buttons">
                <CancelButton close>"Cancel"</CancelButton>
                <button class="button primary" disabled=move || is_sent() || !possible.get()>
                    "Start migration"
                </button>
            </div>
            </div>
        </ActionForm>
    }
    .into_any()
}

/// A host as a card to choose; greyed out, with the reason, where the VM can't go.
#[component]
fn Destination(name: HostName, vm: Memo<Option<Vm>>, autofocus: bool) -> impl IntoView {
    let live = expect_context::<Live>();
    let host = live.hosts.get_untracked(&name)?;
    let refused = {
        let host = host.clone();
        Memo::new(move |_| refusal(vm.read().as_ref()?, &host.read(), None))
    };
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
                    disabled=move || refused.read().is_some()
                />
                <span>
                    <strong>{name.to_string()}</strong>
                    <small>{facts}</small>
                    {move || refused.get().map(|problem| view! { <small class="reason">{problem.sentence}</small> })}
                </span>
            </label>
        }
        .into_any(),
    )
}
