//! `/hosts/{name}`: a host, with its VMs.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use model::{HostName, VmQuery};

use crate::hosts::card::HostCard;
use crate::live::Live;
use crate::scope::vm_query;
use crate::ui::{form_page::BackLink, not_found::Absent, problem::Alert, server_form::FormAction, title::LiveTitle};
use crate::vms::{filters::Filters, server_fns::Act, table::VmTable};

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
    let host = live.hosts.get_untracked(&name)?.into();
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
        <HostCard host />
        <div class="list-head">
            <h2>"VMs"</h2>
            <Filters query />
        </div>
        <Alert problem=act.problem() dismiss=Callback::new(move |()| act.clear()) />
        <Show when=has_vms fallback=|| view! { <p class="hint">"No VM of this host matches."</p> }>
            <VmTable query />
        </Show>
        <p>
            <a class="button" href=format!("/migrations?host={name}")>"Migrations from here and to here"</a>
        </p>
    })
}
