//! `/hosts/{name}`: a host, with its VMs.

use std::time::Duration;

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{HostName, VmQuery};

use crate::evacuations::server_fns::HostStageHtml;
#[cfg(feature = "ssr")]
use crate::failure::Failure;
use crate::hosts::server_fns::HostHtml;
#[cfg(feature = "ssr")]
use crate::hosts::server_fns::host_now;
use crate::live::Live;
use crate::scope::vm_query;
#[cfg(feature = "ssr")]
use crate::ui::fragment::refused;
use crate::ui::{
    form_page::BackLink,
    fragment::{Fragment, prepared, version_of},
    not_found::Absent,
    problem::Alert,
    server_form::{FormAction, fields},
    title::LiveTitle,
};
use crate::vms::{
    filters::Filters,
    selection::bar::SelectionBar,
    server_fns::{Act, HostFactsHtml},
    table::VmTable,
};

/// How often the host is asked.
const FACTS: Duration = Duration::from_secs(5);

#[component]
pub(crate) fn HostPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_params_map();
    // A memo, so that the page stays while the host changes.
    let name = Memo::new(move |_| {
        let name: HostName = params.read().get_str("name")?.parse().ok()?;
        live.hosts.get(&name).map(|_| name)
    });
    move || match name.get() {
        None => view! { <Absent /> }.into_any(),
        Some(name) => untrack(|| view! { <Shown name /> }.into_any()),
    }
}

#[component]
fn Shown(name: HostName) -> impl IntoView {
    let live = expect_context::<Live>();
    let host = live.hosts.get_untracked(&name)?;
    let answers = {
        let host = host.clone();
        version_of(move || host.read().is_connected())
    };
    let version = version_of(move || host.get());
    let named = fields(&[("name", name.as_str())]);
    #[cfg(feature = "ssr")]
    let html = Some(host_now(name.clone()).unwrap_or_else(|Failure(problem)| refused(problem)));
    #[cfg(not(feature = "ssr"))]
    let html = None;
    let [facts, stage] = prepared();
    let staged = version_of(move || (version.get(), live.summary.read().evacuations));
    let params = use_query_map();
    let query = {
        let name = name.clone();
        Memo::new(move |_| VmQuery { host: Some(name.clone()), ..vm_query(&params.read()) })
    };
    let act = FormAction::of::<Act>();
    provide_context(act);
    let title = name.to_string();
    let has_vms = move || live.list.read().as_ref().is_some_and(|list| list.matching > 0);
    Some(view! {
        <LiveTitle text=Signal::derive(move || title.clone()) />
        <BackLink href="/hosts" label="Hosts" />
        <h1>{name.to_string()}</h1>
        <Fragment path=HostStageHtml::PATH fields=named.clone() version=staged every=None html=stage />
        <Fragment path=HostHtml::PATH fields=named.clone() version every=None html />
        <div class="host-facts">
            <Fragment path=HostFactsHtml::PATH fields=named version=answers every=Some(FACTS) html=facts />
        </div>
        <div class="list-head">
            <h2 id="vms">"VMs"</h2>
            <Filters query />
        </div>
        <Alert problem=act.problem() dismiss=Callback::new(move |()| act.clear()) />
        <Show when=has_vms fallback=|| view! { <p class="hint">"No VM of this host matches."</p> }>
            <VmTable query />
        </Show>
        <SelectionBar query />
        <p>
            <a class="button" href=format!("/migrations?host={name}")>"Migrations from here and to here"</a>
        </p>
    })
}
