//! `/vms/{id}`: one VM. What it does is live; what its host says of it the server renders, anew every few moments.

use std::time::Duration;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;
use model::{Vm, VmId};

use crate::live::Live;
use crate::migrations::attention::in_doubt;
use crate::ui::{
    form_page::BackLink,
    fragment::{Fragment, prepared, version_of},
    not_found::Absent,
    problem::Alert,
    server_form::{FormAction, fields},
    title::LiveTitle,
};
use crate::vms::{
    menu::Menu,
    server_fns::{Act, VmHtml},
    table::MigrateOrBar,
};

/// How often the host is asked. libvirt tells of no CPU that is plugged in: it is shown within 2 s.
const FACTS: Duration = Duration::from_millis(1_500);
/// How often the graphs grow.
const GRAPHS: Duration = Duration::from_secs(5);

#[component]
pub(crate) fn VmPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    // A memo, so that the page stays while the VM changes.
    let id = Memo::new(move |_| {
        let id: VmId = params.read().get_str("id")?.parse().ok()?;
        live.vms.get(&id).map(|_| id)
    });
    move || match id.get() {
        None => view! { <Absent /> }.into_any(),
        Some(id) => untrack(|| view! { <Shown id /> }.into_any()),
    }
}

#[component]
fn Shown(id: VmId) -> impl IntoView {
    let live = expect_context::<Live>();
    let vm: Signal<Vm> = live.vms.get_untracked(&id)?.into();
    let [facts, usage, migrations] = prepared();
    let act = FormAction::of::<Act>();
    provide_context(act);
    let part = move |part: &str| fields(&[("id", &id.to_string()), ("part", part)]);
    let any_change = version_of(move || vm.get());
    let place = version_of(move || (vm.read().host.clone(), vm.read().state));
    let move_begun_or_ended = version_of(move || vm.read().migration);
    let path = VmHtml::PATH;
    Some(view! {
        <LiveTitle text=Signal::derive(move || vm.read().name.clone()) />
        <BackLink href="/" label="VMs" />
        <Head vm />
        <Alert problem=act.problem() dismiss=Callback::new(move |()| act.clear()) />
        <div class="vm-parts">
            <Fragment path fields=part("usage") version=place every=Some(GRAPHS) html=usage />
            <Fragment path fields=part("facts") version=any_change every=Some(FACTS) html=facts />
            <div class="vm-aside">
                <section class="card where-to">
                    <h2>"Where it can go"</h2>
                    <Fragment path fields=part("destinations") version=place every=None html=None />
                    <p>
                        <a class="button" href=format!("/vms/{id}/migrate")>
                            "Check the destinations"
                        </a>
                    </p>
                </section>
                <Fragment path fields=part("migrations") version=move_begun_or_ended every=None html=migrations />
            </div>
        </div>
    })
}

/// Its name, what it does and where, and what can be done to it.
#[component]
fn Head(vm: Signal<Vm>) -> impl IntoView {
    let live = expect_context::<Live>();
    let id = vm.read_untracked().id;
    let state = Memo::new(move |_| vm.read().state);
    let host = Memo::new(move |_| vm.read().host.clone());
    let is_mistakable = Memo::new(move |_| vm.read().is_mistakable());
    let doubt = move || {
        let link = |id| view! { <a class="doubt" href=format!("/migrations/{id}")>"Needs attention"</a> };
        in_doubt(live, id).map(link)
    };
    view! {
        <div class="vm-head">
            <div>
                <h1>{move || vm.read().name.clone()}</h1>
                <p class="vm-place">
                    <span role="status">
                        <span class="state" data-state=move || state.get().as_str()>
                            {move || state.get().as_str()}
                        </span>
                        " on "
                        <a href=move || format!("/hosts/{}", host.get())>{move || host.get().to_string()}</a>
                    </span>
                    {doubt}
                </p>
            </div>
            <div class="vm-actions">
                <Show when=move || !is_mistakable.get()>
                    <MigrateOrBar vm />
                    <Menu vm />
                </Show>
            </div>
        </div>
    }
}
