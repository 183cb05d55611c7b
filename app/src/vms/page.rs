//! `/`: the VMs on all hosts.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;
use model::VmQuery;

use crate::evacuations::server_fns::OpenEvacuationsHtml;
use crate::live::Live;
use crate::scope::vm_query;
use crate::ui::{
    fragment::{Fragment, prepared, version_of},
    icon::{Draw, Icon},
    problem::Alert,
    server_form::FormAction,
    title::LiveTitle,
};
use crate::vms::{banners::Banners, filters::Filters, selection::bar::SelectionBar, server_fns::Act, table::VmTable};

/// The list, its search, filters and order.
#[component]
pub(crate) fn VmsPage() -> impl IntoView {
    let live = expect_context::<Live>();
    let params = use_query_map();
    let query = Memo::new(move |_| vm_query(&params.read()));
    let is_empty = Memo::new(move |_| live.list.read().as_ref().is_some_and(|list| list.matching == 0));
    // For the rows' menus: what needs no confirmation is done at once.
    let act = FormAction::of::<Act>();
    provide_context(act);
    let version = version_of(move || live.summary.read().evacuations);
    let [open] = prepared();
    view! {
        <LiveTitle text=Signal::derive(move || title(live)) />
        <Banners />
        <Fragment path=OpenEvacuationsHtml::PATH fields=String::new() version every=None html=open />
        <div class="list-head">
            <h1>"VMs"</h1>
            <Filters query />
        </div>
        <Alert problem=act.problem() dismiss=Callback::new(move |()| act.clear()) />
        <Show when=move || is_empty.get() fallback=move || view! { <VmTable query /> }>
            <NoVms query />
        </Show>
        <SelectionBar query />
    }
}

/// The page's title, with the number of VMs that move, where there are any.
fn title(live: Live) -> String {
    match live.summary.read().running {
        0 => "VMs".to_owned(),
        moving => format!("{moving} migrating · VMs"),
    }
}

/// Why the list is empty.
#[component]
fn NoVms(query: Memo<VmQuery>) -> impl IntoView {
    let live = expect_context::<Live>();
    let heading = move || match query.read().search.as_str() {
        "" => "No VM is in this state".to_owned(),
        search => format!("No VM matches “{search}”"),
    };
    let nothing_found = move || {
        view! {
            <div class="empty">
                <Draw icon=Icon::Search />
                <h2 class="heading">{heading}</h2>
                <p><a class="button" href="/">"Show all VMs"</a></p>
            </div>
        }
    };
    view! {
        <Show when=move || live.summary.read().vms == 0 fallback=nothing_found>
            <div class="empty">
                <Draw icon=Icon::Vms />
                <h2>"No VMs yet"</h2>
                <p>"The registered hosts have no VMs. A VM that is defined on one of them, with virt-install for example, appears here."</p>
                <p><a class="button" href="/hosts">"Show the hosts"</a></p>
            </div>
        </Show>
    }
}
